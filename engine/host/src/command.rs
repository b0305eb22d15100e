//! What the process can be told on its command line.

mod arguments;
mod backup;
mod check;
mod compact;
mod config;
mod effective;
mod environment;
mod file;
mod log;
mod openapi;
mod restore;
mod serve;

use clap::{ArgMatches, Parser, Subcommand};

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
    Config(config::Config),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Compact(compact::Compact),
    Openapi(openapi::Openapi),
}

impl Command {
    /// Does it. `matches` is what this was made from: it knows who said what.
    pub(crate) fn run(self, matches: &ArgMatches) -> anyhow::Result<()> {
        match self.what {
            What::Serve(serve) => serve.run(leaf(matches)),
            What::Openapi(openapi) => {
                openapi.run();
                Ok(())
            }
            What::Config(config) => config.run(leaf(matches)),
            What::Check(check) => check.run(),
            What::Backup(backup) => backup.run(),
            What::Restore(restore) => restore.run(),
            What::Compact(compact) => compact.run(),
        }
    }
}

/// What was said to the command at the end of the line.
fn leaf(matches: &ArgMatches) -> &ArgMatches {
    match matches.subcommand() {
        Some((_, below)) => leaf(below),
        None => matches,
    }
}
