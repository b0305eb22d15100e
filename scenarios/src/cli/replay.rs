//! `rehearse replay`: one run, told.

use std::io::{self, Write};

use serde::Serialize;
use tracing::Level;

use crate::cli::name::{RunName, find};
use crate::cli::told::Told as How;
use crate::cli::{Ending, Trouble, duration, paint};
use crate::play::{Play, RunOptions, RunReport, perform};
use crate::search::{Divergence, twice};

/// What `replay` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The run, as a failure names it
    #[arg(value_name = "SCENARIO:SEED")]
    run: RunName,
    /// Show the trace from this level up: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL")]
    trace: Option<Level>,
    /// Fail if the digest is another one
    #[arg(long, value_name = "HEX", value_parser = digest)]
    digest: Option<u128>,
    #[command(flatten)]
    told: How,
    /// Answer JSON
    #[arg(long)]
    json: bool,
}

fn digest(text: &str) -> Result<u128, std::num::ParseIntError> {
    u128::from_str_radix(text, 16)
}

/// A run, as `--json` prints it. Field names are what scripts read: they stay.
#[derive(Serialize)]
struct Told<'a> {
    scenario: &'a str,
    seed: u64,
    passed: bool,
    digest: String,
    /// The first difference, if the second run was another one.
    divergence: Option<String>,
    /// The digest that was expected, if it was another one.
    expected_digest: Option<String>,
    broken: Option<&'a model::Broken>,
    /// Laws that had nothing to judge.
    unjudged: &'a [&'static str],
    virtual_seconds: f64,
    operations: u64,
    operations_acknowledged: u64,
    operations_failed: u64,
    commits: u64,
    events: u64,
    polls: u64,
    faults: &'a std::collections::BTreeMap<&'static str, u64>,
    effects: std::collections::BTreeMap<&'static str, u64>,
    marks: &'a std::collections::BTreeMap<&'static str, u64>,
    unmatched_pins: Vec<String>,
    /// What struck at points.
    struck: Vec<String>,
    /// What did not.
    missed_strikes: Vec<String>,
    story: Vec<Line>,
    trace: Vec<String>,
}

#[derive(Serialize)]
struct Line {
    at_seconds: f64,
    text: String,
}

/// Obeys.
pub(super) fn run(
    arguments: &Arguments,
    plays: &[&'static dyn Play],
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    let play = find(plays, &arguments.run.play)?;
    let silent = arguments.told.options();
    let report = perform(play, arguments.run.seed, &RunOptions { trace: arguments.trace, ..silent.clone() });
    // The second run has no trace: that it is the same proves that the trace changes nothing.
    let divergence = twice::again(play, &silent, &report).err();
    let expected = arguments.digest.filter(|expected| *expected != report.digest);
    let passed = report.outcome.is_ok() && divergence.is_none() && expected.is_none();
    if arguments.json {
        let told = told(play.name(), &report, divergence.as_deref(), expected, passed);
        serde_json::to_writer_pretty(&mut *out, &told).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        write_story(&report, out)?;
        write_verdict(play.name(), &report, out)?;
        write_proof(&report, divergence.as_deref(), expected, out)?;
    }
    Ok(if passed { Ending::Passed } else { Ending::Failed })
}

fn write_story(report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let mut notes = report.notes.iter().peekable();
    for line in &report.trace {
        while let Some(note) = notes.next_if(|note| note.at <= line.at) {
            writeln!(out, "{}", paint::command(told_note(note)))?;
        }
        writeln!(out, "{}", paint::aside(line))?;
    }
    for note in notes {
        writeln!(out, "{}", told_note(note))?;
    }
    Ok(())
}

fn told_note(note: &sim::Note) -> String {
    format!("{:>6}.{:09}  {}", note.at.as_secs(), note.at.subsec_nanos(), note.text)
}

fn write_verdict(play: &str, report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let RunReport { seed, elapsed, operations, acknowledged, failed, commits, .. } = report;
    let elapsed = duration::short(*elapsed);
    writeln!(
        out,
        "{play}:{seed}: {elapsed} of virtual time, {operations} operations ({acknowledged} acknowledged, {failed} failed), {commits} commits"
    )?;
    if !report.faults.is_empty() {
        let faults: Vec<_> =
            report.faults.iter().map(|(family, felt)| format!("{family} × {felt}")).collect();
        writeln!(out, "faults felt: {}", faults.join(", "))?;
    }
    for unmatched in &report.unmatched {
        writeln!(out, "{} {unmatched}", paint::odd("pinned, but never decided:"))?;
    }
    for struck in &report.struck {
        writeln!(out, "struck: {struck}")?;
    }
    for missed in &report.missed {
        writeln!(out, "{} {missed}", paint::odd("to strike, but never did:"))?;
    }
    if !report.unjudged.is_empty() {
        writeln!(out, "{} {}", paint::odd("laws with nothing to judge:"), report.unjudged.join(", "))?;
    }
    match &report.outcome {
        Ok(()) if report.unjudged.is_empty() => writeln!(out, "{}", paint::good("every law holds")),
        Ok(()) => writeln!(out, "{}", paint::odd("every other law holds")),
        Err(broken) => writeln!(out, "{} {broken}", paint::bad("broken:")),
    }
}

fn write_proof(
    report: &RunReport,
    divergence: Option<&Divergence>,
    expected: Option<u128>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Some(divergence) = divergence {
        writeln!(out, "{} {divergence}", paint::bad("not deterministic:"))?;
    }
    if let Some(expected) = expected {
        let text = format!("the digest was expected to be {expected:032x}: other code, or other options");
        writeln!(out, "{}", paint::bad(text))?;
    }
    let twice = if divergence.is_none() { ", the same twice" } else { "" };
    writeln!(out, "digest {:032x}{twice}", report.digest)
}

fn told<'a>(
    scenario: &'a str,
    report: &'a RunReport,
    divergence: Option<&Divergence>,
    expected: Option<u128>,
    passed: bool,
) -> Told<'a> {
    let line = |note: &sim::Note| Line { at_seconds: note.at.as_secs_f64(), text: note.text.clone() };
    Told {
        scenario,
        seed: report.seed,
        passed,
        digest: format!("{:032x}", report.digest),
        divergence: divergence.map(ToString::to_string),
        expected_digest: expected.map(|digest| format!("{digest:032x}")),
        broken: report.outcome.as_ref().err(),
        unjudged: &report.unjudged,
        virtual_seconds: report.elapsed.as_secs_f64(),
        operations: report.operations,
        operations_acknowledged: report.acknowledged,
        operations_failed: report.failed,
        commits: report.commits,
        events: report.events,
        polls: report.polls,
        faults: &report.faults,
        effects: report.effects.iter().map(|(effect, count)| (effect.name(), *count)).collect(),
        marks: &report.marks,
        unmatched_pins: report.unmatched.iter().map(ToString::to_string).collect(),
        struck: report.struck.iter().map(ToString::to_string).collect(),
        missed_strikes: report.missed.iter().map(ToString::to_string).collect(),
        story: report.notes.iter().map(line).collect(),
        trace: report.trace.iter().map(ToString::to_string).collect(),
    }
}
