//! `rehearsal-engine`: the engine as a process. [`command`] holds what it can be told.

mod command;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let command = command::Command::parse();
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever the chain.
            eprintln!("rehearsal-engine: {error:#}");
            ExitCode::FAILURE
        }
    }
}
