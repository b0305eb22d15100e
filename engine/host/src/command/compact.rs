//! `rehearsal-engine compact`: give room in a store's file back to the file system.

use std::path::PathBuf;

use clap::Args;
use host::store::Location;

/// Give room that nothing in the store uses back to the file system.
///
/// The engine must not run on the folder. It takes about a second for each 100 MB that are stored, and may be interrupted: the
/// store is whole at any moment, and only its next opening takes longer then.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rehearsal-engine compact --data ./data

Exit codes: 0 it is compact, 1 it could not be compacted (the line says why), 2 the command line is wrong.")]
pub(crate) struct Compact {
    /// The data folder.
    #[arg(long, value_name = "DIR", env = "REHEARSAL_DATA", default_value = "./data")]
    data: PathBuf,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

impl Compact {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let location = Location::new(&self.data);
        let (before, after) = runtime::process::block_on(None, location.compact())??;
        if self.json {
            println!("{}", serde_json::json!({ "before": before, "after": after }));
        } else {
            let (before, after) = (before.file_bytes, after.file_bytes);
            println!("{}: {before} bytes before, {after} bytes after", self.data.display());
        }
        Ok(())
    }
}
