//! `rehearse digests` and `rehearse events`: the other half of [`crate::search::fresh::Process`].

use std::io::Write;

use crate::cli::name::{RunName, find};
use crate::cli::{Ending, Trouble};
use crate::play::{Play, RunOptions, perform};
use crate::search::fresh::{Sighting, event_line, sighting_line};

/// What `digests` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Digests {
    /// The runs
    #[arg(value_name = "SCENARIO:SEED", required = true)]
    runs: Vec<RunName>,
}

/// What `events` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Events {
    /// The run
    #[arg(value_name = "SCENARIO:SEED")]
    run: RunName,
    /// The first event
    from: u64,
    /// The first event no more
    to: u64,
}

/// One line per run.
pub(super) fn digests(
    arguments: &Digests,
    plays: &[&'static dyn Play],
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    for run in &arguments.runs {
        let report = perform(find(plays, &run.play)?, run.seed, &RunOptions::default());
        writeln!(out, "{}", sighting_line(&Sighting::from(&report)))?;
    }
    Ok(Ending::Passed)
}

/// One line per event.
pub(super) fn events(
    arguments: &Events,
    plays: &[&'static dyn Play],
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    let options = RunOptions { keep_events: arguments.from..arguments.to, ..RunOptions::default() };
    let report = perform(find(plays, &arguments.run.play)?, arguments.run.seed, &options);
    for event in &report.kept {
        writeln!(out, "{}", event_line(event))?;
    }
    Ok(Ending::Passed)
}
