//! The command line of `rehearse`: `explore` searches, `merge` joins searches, `replay` shows one run, `shrink` makes a
//! failing one smaller, `list` tells what there is.
//!
//! Exit codes: 0 all is well, 1 something failed, 2 the command line makes no sense, 130 ended by Ctrl-C. What a
//! command answers goes to standard output, progress and complaints to standard error; colours and the progress bar
//! are for terminals only. A trace is kept by the simulator itself, which owns the process's one tracing subscriber:
//! nothing is installed here.

mod digests;
mod duration;
mod explore;
mod interrupt;
mod list;
mod merge;
mod name;
mod paint;
mod progress;
mod replay;
mod report;
mod shelf;
mod shrink;
mod summary;
mod table;
mod told;
mod world;
mod writable;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bundle::BundleError;
use crate::play::Play;
use crate::search::CourseError;

use name::{NotSmall, UnknownPlay};
use report::ReportError;
use world::Unoffered;

/// Rehearses the platform in simulated weather.
#[derive(Debug, Parser)]
#[command(name = "rehearse", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs plays over seeds and reports every broken law
    Explore(explore::Arguments),
    /// Joins what the shards of a search have reported
    Merge(merge::Arguments),
    /// Runs one seed of a play, or a failure bundle, twice and tells its story
    Replay(replay::Arguments),
    /// Finds a smaller run that breaks the same law
    Shrink(shrink::Arguments),
    /// Names the plays and the laws they are judged by
    List(list::Arguments),
    /// Prints the fingerprint of each run: what a search asks of fresh processes
    #[command(hide = true)]
    Digests(digests::Digests),
    /// Prints events of a run: what a search asks of a fresh process when fingerprints differ
    #[command(hide = true)]
    Events(digests::Events),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Passed,
    Failed,
    Interrupted,
}

/// Why a command did not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Unknown(#[from] UnknownPlay),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    NotSmall(#[from] NotSmall),
    #[error(transparent)]
    Course(#[from] CourseError),
    #[error("there are no plays")]
    NoPlays,
    #[error(transparent)]
    Unoffered(#[from] Unoffered),
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Trouble {
    /// The exit code that it ends with.
    fn code(&self) -> ExitCode {
        match self {
            Self::Unknown(_)
            | Self::NotSmall(_)
            | Self::NoPlays
            | Self::Unoffered(_)
            | Self::Report(_)
            | Self::Bundle(_)
            | Self::Course(CourseError::TooManyPoints { .. }) => ExitCode::from(USAGE),
            Self::Course(CourseError::Interrupted) => ExitCode::from(INTERRUPTED),
            Self::Io(_) => ExitCode::FAILURE,
        }
    }
}

/// Exit code of a command line that makes no sense; clap's, and that of most tools.
const USAGE: u8 = 2;
/// Exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

/// How many threads to take: as many as are asked for, else one per core.
fn jobs(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// Reads the command line, obeys, and answers the exit code.
#[must_use]
pub fn main(plays: &[&'static dyn Play]) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // If even the help cannot be printed, the exit code is all that is left to say.
            let _unprintable = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    let mut out = anstream::stdout().lock();
    let ending = match cli.command {
        Command::Explore(arguments) => explore::run(&arguments, plays, &mut out),
        Command::Merge(arguments) => merge::run(&arguments, &mut out),
        Command::Replay(arguments) => replay::run(&arguments, plays, &mut out),
        Command::Shrink(arguments) => shrink::run(&arguments, plays, &mut out),
        Command::List(arguments) => list::run(&arguments, plays, &mut out),
        Command::Digests(arguments) => digests::digests(&arguments, plays, &mut out),
        Command::Events(arguments) => digests::events(&arguments, plays, &mut out),
    };
    let ending = ending.and_then(|ending| Ok(out.flush().map(|()| ending)?));
    match ending {
        Ok(Ending::Passed) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::FAILURE,
        Ok(Ending::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(Trouble::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(trouble) => {
            anstream::eprintln!("{}", paint::bad(format_args!("error: {trouble}")));
            trouble.code()
        }
    }
}
