//! `rehearsal-engine check`: look at a data folder that no engine uses, or at a backup.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use host::store::backup::Reading;
use host::store::{FILE_NAME, Store};
use machines::control::record::{Key, Record};
use machines::control::{self, Control};
use protocol::id::NamespaceId;
use protocol::time::{Mono, Now, Wall};
use serde::Serialize;

/// Verify a data folder or a backup: every page or the sum of it, every record, every invariant of the state they make up.
///
/// An engine must not run on the folder at the same time. Nothing is changed, but that an unfinished shutdown is cleaned up
/// as the engine would do it at its next start.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rehearsal-engine check --data ./data
  rehearsal-engine check rehearsal-2026-01-31.backup --json

Exit codes: 0 sound, 1 not sound, not there, or not to be read (the line says why), 2 the command line is wrong.")]
pub(crate) struct Check {
    /// A data folder, or a backup; wins over --data.
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// The data folder, or a backup.
    #[arg(long, value_name = "PATH", env = "REHEARSAL_DATA", default_value = "./data")]
    data: PathBuf,
    /// Print one JSON object instead of a list; if it is not sound, with the field `error`.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Summary {
    path: PathBuf,
    kind: &'static str,
    sound: bool,
    records: u64,
    /// Actors that are not destroyed.
    actors: usize,
    runners: usize,
    serverless_pools: usize,
    kv: u64,
    inputs: u64,
    /// Keys and values.
    stored_bytes: u64,
    file_bytes: u64,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let path = self.path.unwrap_or(self.data);
        let looked = if path.is_file() { look_at_backup(&path) } else { look_at_folder(&path) };
        match (&looked, self.json) {
            (Ok(summary), true) => println!("{}", serde_json::to_string(summary)?),
            (Ok(summary), false) => summary.print(),
            (Err(error), true) => {
                let told = serde_json::json!({ "path": path, "sound": false, "error": format!("{error:#}") });
                println!("{told}");
            }
            (Err(_), false) => {}
        }
        looked.map(drop)
    }
}

impl Summary {
    fn of(path: PathBuf, kind: &'static str, machine: &Control) -> Self {
        let view = machine.view();
        Self {
            path,
            kind,
            sound: true,
            records: 0,
            actors: view.actors.len(),
            runners: view.runners.len(),
            serverless_pools: view.pools.len(),
            kv: 0,
            inputs: 0,
            stored_bytes: 0,
            file_bytes: 0,
        }
    }

    fn print(&self) {
        println!("{}: sound", self.path.display());
        println!("  records  {}", self.records);
        println!("  actors   {} living", self.actors);
        println!("  runners  {} known", self.runners);
        println!("  pools    {} serverless", self.serverless_pools);
        println!("  kv       {} entries", self.kv);
        println!("  inputs   {}", self.inputs);
        println!("  stored   {} bytes in a file of {}", self.stored_bytes, self.file_bytes);
    }
}

fn look_at_folder(folder: &Path) -> anyhow::Result<Summary> {
    let look = async {
        let store = Store::verify(folder).await?;
        let size = store.size().await;
        let records = store.load().await;
        store.close().await;
        anyhow::Ok((size?, records?))
    };
    let (size, records) = runtime::process::block_on(None, look)??;
    let summary = Summary::of(folder.join(FILE_NAME), "store", &state(records)?);
    Ok(Summary {
        records: size.records,
        kv: size.kv,
        inputs: size.inputs,
        stored_bytes: size.stored_bytes,
        file_bytes: size.file_bytes,
        ..summary
    })
}

fn look_at_backup(path: &Path) -> anyhow::Result<Summary> {
    let source = || format!("the backup {}", path.display());
    let file = File::open(path).with_context(source)?;
    let file_bytes = file.metadata().with_context(source)?.len();
    let reading = Reading::open(BufReader::new(file)).with_context(source)?;
    let contents = reading.contents().with_context(source)?;
    let records = contents.records.len() as u64;
    let summary = Summary::of(path.to_owned(), "backup", &state(contents.records)?);
    Ok(Summary {
        records,
        kv: contents.kv,
        inputs: contents.inputs,
        stored_bytes: contents.bytes,
        file_bytes,
        ..summary
    })
}

/// The control plane that the records make up, all of which holds together.
pub(super) fn state(records: Vec<(Key, Record)>) -> anyhow::Result<Control> {
    let now = Now { mono: Mono(runtime::now().as_nanos()), wall: Wall(runtime::wall().as_millis()) };
    // Used only where there is no namespace yet; it is not written.
    let fresh = NamespaceId::from_entropy(runtime::entropy::bytes("namespace id"));
    let machine = Control::restore(control::Options::default(), now, fresh, records, &mut Vec::new())?;
    machine.check();
    Ok(machine)
}
