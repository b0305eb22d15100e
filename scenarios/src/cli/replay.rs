//! `rehearse replay`: one run, told.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use sim::Effect;
use tracing::Level;

use crate::bundle::{Line, Mismatch};
use crate::cli::name::{RunName, Subject, find};
use crate::cli::told::Told as How;
use crate::cli::{Ending, Trouble, duration, paint, world};
use crate::play::{Play, RunOptions, RunReport, perform};
use crate::search::{Divergence, twice};

/// What `replay` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The run, as a failure names it, or a failure bundle
    #[arg(value_name = "SCENARIO:SEED|FILE.json")]
    run: Subject,
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
    /// How it is not the bundle's run.
    mismatch: Option<String>,
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
    faults: &'a BTreeMap<&'static str, u64>,
    effects: BTreeMap<&'static str, u64>,
    marks: &'a BTreeMap<&'static str, u64>,
    unmatched_pins: Vec<String>,
    /// What struck at points.
    struck: Vec<String>,
    /// What did not.
    missed_strikes: Vec<String>,
    story: Vec<Line>,
    trace: Vec<String>,
}

/// How a run compares with others of which it should be the same.
struct Proof {
    divergence: Option<Box<Divergence>>,
    /// The digest that was expected, if it is another one.
    expected: Option<u128>,
    mismatch: Option<Mismatch>,
    /// Whether there is a bundle.
    bundled: bool,
}

/// Obeys.
pub(super) fn run(
    arguments: &Arguments,
    plays: &[&'static dyn Play],
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    let (RunName { play, seed }, silent, bundle) = arguments.run.read(&arguments.told)?;
    let trace = [("--trace", arguments.trace.is_some())];
    world::check(silent.world, &[world::told(&silent).as_slice(), &trace].concat())?;
    let play = find(plays, &play)?;
    // What is told beside a bundle makes another run of it.
    let bundle = bundle.filter(|bundle| bundle.options == silent);
    let report = perform(play, seed, &RunOptions { trace: arguments.trace, ..silent.clone() });
    let proof = Proof {
        // The second run has no trace: that it is the same proves that the trace changes nothing.
        divergence: twice::again(play, &silent, &report).err(),
        expected: arguments.digest.filter(|expected| *expected != report.digest),
        mismatch: bundle.as_ref().and_then(|bundle| bundle.compare(&report).err()),
        bundled: bundle.is_some(),
    };
    // A run that is to show what a fault does shows nothing where the fault has no place.
    let passed = report.outcome.is_ok() && report.missed.is_empty() && proof.holds();
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &told(play.name(), &report, &proof, passed))
            .map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        write_story(&report, out)?;
        write_verdict(play.name(), &report, out)?;
        write_proof(&report, &proof, out)?;
    }
    Ok(if passed { Ending::Passed } else { Ending::Failed })
}

impl Proof {
    const fn holds(&self) -> bool {
        self.divergence.is_none() && self.expected.is_none() && self.mismatch.is_none()
    }
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
        writeln!(out, "{} {missed}", paint::bad("to strike, but never did:"))?;
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

fn write_proof(report: &RunReport, proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
    if let Some(divergence) = &proof.divergence {
        writeln!(out, "{} {divergence}", paint::bad("not deterministic:"))?;
    }
    if let Some(expected) = proof.expected {
        let text = format!("the digest was expected to be {expected:032x}: other code, or other options");
        writeln!(out, "{}", paint::bad(text))?;
    }
    if let Some(mismatch) = &proof.mismatch {
        writeln!(out, "{}", paint::bad(mismatch))?;
    }
    let twice = if proof.divergence.is_none() { ", the same twice" } else { "" };
    let bundle = if proof.bundled && proof.mismatch.is_none() { ", and as in the bundle" } else { "" };
    writeln!(out, "digest {:032x}{twice}{bundle}", report.digest)
}

fn told<'a>(scenario: &'a str, report: &'a RunReport, proof: &Proof, passed: bool) -> Told<'a> {
    Told {
        scenario,
        seed: report.seed,
        passed,
        digest: format!("{:032x}", report.digest),
        divergence: proof.divergence.as_ref().map(ToString::to_string),
        expected_digest: proof.expected.map(|digest| format!("{digest:032x}")),
        mismatch: proof.mismatch.as_ref().map(ToString::to_string),
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
        effects: by_name(&report.effects),
        marks: &report.marks,
        unmatched_pins: report.unmatched.iter().map(ToString::to_string).collect(),
        struck: report.struck.iter().map(ToString::to_string).collect(),
        missed_strikes: report.missed.iter().map(ToString::to_string).collect(),
        story: report.notes.iter().map(Line::from).collect(),
        trace: report.trace.iter().map(ToString::to_string).collect(),
    }
}

/// Effects by name, which some share.
fn by_name(effects: &BTreeMap<Effect, u64>) -> BTreeMap<&'static str, u64> {
    let mut named = BTreeMap::new();
    for (effect, count) in effects {
        *named.entry(effect.name()).or_default() += count;
    }
    named
}

#[cfg(test)]
mod tests {
    use sim::tap::Part;

    use super::*;

    #[test]
    fn effects_of_one_name_are_counted_together() {
        let part = Part::Own { before: "cut in my protocol", inside: "cut in my protocol" };
        let effects = BTreeMap::from([(Effect::CutBefore(part), 2), (Effect::CutIn(part), 3)]);
        assert_eq!(by_name(&effects).values().sum::<u64>(), 5);
    }
}
