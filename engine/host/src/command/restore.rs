//! `rehearsal-engine restore`: make a data folder of a backup.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use host::store::backup::{self, Reading};

use super::backup::bar;
use super::check;

/// Make a data folder of a backup.
///
/// The folder must be empty, or not exist; what an interrupted restore left in it is removed. The store appears in it
/// only when all of the backup was read to the sum at its end, is written durably, and holds together as `check`
/// demands. Runners that were connected when the backup was made count as away since then.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rehearsal-engine restore --from rehearsal-2026-01-31.backup --data ./data

Exit codes: 0 the folder can be served from, 1 it cannot (the line says why), 2 the command line is wrong.")]
pub(crate) struct Restore {
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The data folder to make.
    #[arg(long, value_name = "DIR", env = "REHEARSAL_DATA", default_value = "./data")]
    data: PathBuf,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let source = || format!("the backup {}", self.from.display());
        let file = File::open(&self.from).with_context(source)?;
        let reading = Reading::open(BufReader::new(file)).with_context(source)?;
        let rows = reading.header().rows;
        let bar = bar("{elapsed_precise} {bar:30} {pos}/{len} rows");
        bar.set_length(rows);
        backup::restore(
            reading,
            &self.data,
            |rows| bar.set_position(rows),
            |records| -> anyhow::Result<()> { check::state(records).map(drop) },
        )
        .with_context(source)?;
        bar.finish_and_clear();
        if self.json {
            println!("{}", serde_json::json!({ "data": self.data, "rows": rows }));
        } else {
            println!("{}: {rows} rows restored", self.data.display());
        }
        Ok(())
    }
}
