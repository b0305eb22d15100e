//! `rehearsal-engine check`: look at a data folder while no engine uses it.

use std::path::PathBuf;

use clap::Args;
use machines::control::{self, Control};
use protocol::id::NamespaceId;
use protocol::time::{Mono, Now, Wall};

/// Verify a data folder: every page of the store, every record, every invariant of the state they make up.
///
/// The engine must not run on it at the same time. Nothing is changed, but that an unfinished shutdown is cleaned up as
/// the engine would do it at its next start.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rehearsal-engine check --data ./data")]
pub(crate) struct Check {
    /// The data folder.
    #[arg(long, value_name = "DIR", env = "REHEARSAL_DATA", default_value = "./data")]
    data: PathBuf,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<()> {
        runtime::process::block_on(None, self.look())?
    }

    async fn look(self) -> anyhow::Result<()> {
        let file = self.data.join(host::store::FILE_NAME);
        let store = host::store::Store::verify(&self.data).await?;
        let counts = store.counts().await;
        let records = store.load().await;
        store.close().await;
        let (counts, records) = (counts?, records?);
        let now = Now { mono: Mono(runtime::now().as_nanos()), wall: Wall(runtime::wall().as_millis()) };
        // Used only where the store has no namespace yet; it is not written.
        let fresh = NamespaceId::from_entropy(runtime::entropy::bytes("namespace id"));
        let machine = Control::restore(control::Options::default(), now, fresh, records, &mut Vec::new())?;
        machine.check();
        let view = machine.view();
        println!("{}: sound", file.display());
        println!("  records  {}", counts.records);
        println!("  actors   {} living", view.actors.len());
        println!("  runners  {} known", view.runners.len());
        println!("  pools    {} serverless", view.pools.len());
        println!("  kv       {} entries", counts.kv);
        println!("  inputs   {}", counts.inputs);
        Ok(())
    }
}
