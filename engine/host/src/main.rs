//! `rehearsal-engine`: the engine as a process. [`command`] holds what it can be told.

mod command;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

fn main() -> ExitCode {
    let matches = command::Command::command().get_matches();
    let command = command::Command::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match command.run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever the chain.
            eprintln!("rehearsal-engine: {error:#}");
            ExitCode::FAILURE
        }
    }
}
