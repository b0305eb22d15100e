//! `rehearsal-engine config`: look at a configuration without running an engine.

mod check;
mod print;

use clap::{ArgMatches, Args, Subcommand};

/// Show or check what an engine would be started with.
///
/// Both take the same flags, environment and file as `serve`, and neither touches the data folder.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rehearsal-engine config print > engine.toml        every setting, as a file to begin with
  rehearsal-engine config print --json | jq '.control'
  rehearsal-engine config check --config engine.toml --set control.grace=5s")]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Print(print::Print),
    Check(check::Check),
}

impl Config {
    pub(super) fn run(self, matches: &ArgMatches) -> anyhow::Result<()> {
        match self.what {
            What::Print(print) => print.run(matches),
            What::Check(check) => check.run(matches),
        }
    }
}
