//! `rehearse digests` and `rehearse events`: the other half of [`crate::search::fresh::Process`].

use std::io::Write;

use crate::cli::name::find;
use crate::cli::{Ending, Trouble};
use crate::play::{Play, RunOptions, perform};
use crate::search::fresh::{Asked, Sighting, event_line, sighting_line};

/// What `digests` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Digests {
    /// The runs, each with what it is told
    #[arg(value_name = "SCENARIO:SEED JSON", required = true)]
    runs: Vec<Asked>,
}

/// What `events` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Events {
    /// The run, with what it is told
    #[arg(value_name = "SCENARIO:SEED JSON")]
    run: Asked,
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
        let report = perform(find(plays, &run.play)?, run.seed, &run.options);
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
    let options = RunOptions { keep_events: arguments.from..arguments.to, ..arguments.run.options.clone() };
    let report = perform(find(plays, &arguments.run.play)?, arguments.run.seed, &options);
    for event in &report.kept {
        writeln!(out, "{}", event_line(event))?;
    }
    Ok(Ending::Passed)
}
