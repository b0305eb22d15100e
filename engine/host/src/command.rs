//! What the process can be told on its command line.

mod check;
mod file;
mod log;
mod serve;

use clap::{Parser, Subcommand};

/// The engine of the Rehearsal actor platform.
///
/// It decides where actors live, carries requests to them, and starts serverless runners. Its whole state is in one
/// folder.
#[derive(Debug, Parser)]
#[command(name = "rehearsal-engine", version, max_term_width = 100)]
pub(crate) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Serve(serve::Serve),
    Check(check::Check),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Serve(serve) => serve.run(),
            What::Check(check) => check.run(),
        }
    }
}
