//! `rehearse list`: the plays, and the laws they are judged by.

use std::io::Write;

use model::Law;
use serde::Serialize;

use crate::cli::{Ending, Trouble, paint};
use crate::play::Play;

/// What `list` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Answer JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    about: &'static str,
}

#[derive(Serialize)]
struct Listing {
    scenarios: Vec<Entry>,
    laws: Vec<Entry>,
}

/// Obeys.
pub(super) fn run(
    arguments: &Arguments,
    plays: &[&'static dyn Play],
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    let listing = Listing {
        scenarios: plays.iter().map(|play| Entry { name: play.name(), about: play.about() }).collect(),
        laws: Law::ALL.iter().map(|law| Entry { name: law.name(), about: law.about() }).collect(),
    };
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &listing).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(Ending::Passed);
    }
    for (head, entries) in [("Scenarios", &listing.scenarios), ("Laws", &listing.laws)] {
        writeln!(out, "{}", paint::command(head))?;
        let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        for Entry { name, about } in entries {
            writeln!(out, "  {name:width$}  {about}")?;
        }
    }
    Ok(Ending::Passed)
}
