//! A smaller run that breaks the same law: calm streams, fewer faults, fewer clients and operations, fewer pins.
//!
//! Any set of overrides is a valid run, so shrinking is choosing overrides. Classes of streams are made calm first, for
//! a run without partial reads and odd latencies is the easier one to read; then [`ddmin`] takes away faults, clients,
//! operations, and pins that the run came with, round after round until nothing more can go. Which candidates are tried
//! depends on what the ones before showed and on nothing else: the result is the same on one thread and on sixteen,
//! unless time runs out.
//!
//! It shrinks what is broken to the same *law*, not to the same cause: look at both stories.

mod ddmin;
mod script;
mod trial;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::Broken;
use sim::{Overrides, StreamCount, Streams};

use crate::play::{Play, RunOptions, RunReport};
use crate::search::twice::{self, Divergence};

use script::{Kind, Script};
use trial::Trial;

/// Streams of 64-bit words: none of their values is milder than another.
const WORDS: &str = "entropy/";

/// Parts of a class are made calm one by one if there are no more of them than this. Ours: each is named in the line that
/// replays the result.
const NAMED_MAX: usize = 16;

/// What to shrink.
pub struct Plan<'a> {
    /// The play.
    pub play: &'a dyn Play,
    /// The seed.
    pub seed: u64,
    /// What the failing run is told. Its overrides are what is shrunk, the rest stays.
    pub options: RunOptions,
    /// The law that it is known to have broken; else whichever it breaks.
    pub law: Option<&'a str>,
    /// Worker threads.
    pub jobs: NonZeroUsize,
    /// How long it may take, by the host's clock.
    pub limit: Option<Duration>,
    /// Set from outside to end it early.
    pub interrupted: &'a AtomicBool,
}

/// How much there is of a run that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Faults that may strike.
    pub faults: usize,
    /// Operations of clients.
    pub operations: usize,
    /// Clients.
    pub clients: usize,
    /// Streams that decide as the seed says.
    pub streams: usize,
    /// Events of the run.
    pub events: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Runs so far.
    pub runs: u64,
    /// What is left.
    pub left: Size,
}

/// What is left of a failure.
#[derive(Debug)]
pub struct Shrunk {
    /// What the smaller run decides otherwise.
    pub overrides: Overrides,
    /// The smaller run.
    pub report: RunReport,
    /// The law that both runs break, as the smaller one does.
    pub broken: Broken,
    /// How much there was.
    pub before: Size,
    /// How much is left.
    pub after: Size,
    /// Classes of streams that are calm, and single streams.
    pub calm: BTreeSet<Streams>,
    /// The faults left, as pins name them.
    pub faults: Vec<String>,
    /// The operations left.
    pub operations: Vec<String>,
    /// Runs it took, as if there were one thread.
    pub runs: u64,
    /// Whether time ran out, or it was ended from outside, before nothing more could go.
    pub cut_off: bool,
    /// Whether it was ended from outside.
    pub interrupted: bool,
}

/// Why there is nothing to shrink.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// The run breaks no law.
    #[error("the run breaks no law: there is nothing to shrink")]
    Holds,
    /// The run is not the same twice.
    #[error("the run cannot be shrunk, since it is not the same twice: {0}")]
    Unsteady(#[from] Box<Divergence>),
    /// The run breaks another law than it is known to have broken.
    #[error("the bundle broke {known}, and this run breaks {found}: it is another failure")]
    OtherLaw {
        /// Which it is known to have broken.
        known: String,
        /// Which it breaks.
        found: &'static str,
    },
}

/// Shrinks. `watch` is told before each step.
///
/// # Errors
/// If the run breaks no law, another one than it is known for, or is not the same twice.
///
/// # Panics
/// If the host gives no threads.
pub fn shrink(plan: &Plan<'_>, watch: impl FnMut(Progress)) -> Result<Shrunk, ShrinkError> {
    let original = trial::run(plan, &plan.options.overrides);
    let law = original.outcome.as_ref().err().ok_or(ShrinkError::Holds)?.law;
    twice::again(plan.play, &plan.options, &original)?;
    if let Some(known) = plan.law.filter(|known| *known != law) {
        return Err(ShrinkError::OtherLaw { known: known.to_owned(), found: law });
    }
    let script = Script::new(&plan.options.overrides, &original.streams);
    let trial = Trial::new(plan, law, original.events);
    let mut search = Search { trial, streams: original.streams.clone(), script: script.clone(), watch };
    search.shrink();
    let overrides = search.tidied();
    let report = trial::run(plan, &overrides);
    let broken = report.outcome.clone().expect_err("it was tried");
    let names = |kind| {
        let kept = search.script.part(kind).kept.iter();
        kept.map(|(stream, number)| format!("{stream}#{number}")).collect::<Vec<_>>()
    };
    Ok(Shrunk {
        broken,
        before: size(&script, &original.streams, original.events),
        after: size(&search.script, &original.streams, report.events),
        calm: search.script.calm.difference(&script.calm).cloned().collect(),
        faults: names(Kind::Faults),
        operations: names(Kind::Operations),
        runs: search.trial.runs(),
        cut_off: search.trial.cut_off,
        interrupted: plan.interrupted.load(Ordering::Relaxed),
        overrides,
        report,
    })
}

fn size(script: &Script, streams: &[StreamCount], events: u64) -> Size {
    Size {
        faults: script.faults.kept.len(),
        operations: script.operations.kept.len(),
        clients: script.clients.kept.len(),
        streams: streams.iter().filter(|each| !each.given && !script.calms(&each.stream)).count(),
        events,
    }
}

/// The streams that share the first `depth` parts of their names with this one: `latency/*` decide the same kind of thing,
/// `disk/engine/*` for the same node.
fn group(stream: &str, depth: usize) -> Streams {
    match stream.match_indices('/').nth(depth - 1) {
        Some((end, _)) => Streams::beginning(&stream[..=end]),
        None => Streams::named(stream),
    }
}

struct Search<'a, W> {
    trial: Trial<'a>,
    /// The streams of the original run.
    streams: Vec<StreamCount>,
    script: Script,
    watch: W,
}

impl<W: FnMut(Progress)> Search<'_, W> {
    /// Takes away until nothing more can go.
    fn shrink(&mut self) {
        loop {
            let before = self.script.clone();
            self.calm(usize::MAX, |stream| group(stream, 1));
            self.waive(Kind::Faults);
            self.waive(Kind::Clients);
            self.waive(Kind::Operations);
            self.drop_pins();
            self.calm(NAMED_MAX, |stream| group(stream, 2));
            self.calm(NAMED_MAX, |stream| Streams::named(stream));
            if self.script == before || self.trial.cut_off {
                return;
            }
        }
    }

    /// Tries scripts in order of preference; takes the first that fails.
    fn first(&mut self, scripts: Vec<Script>) -> Option<usize> {
        let left = size(&self.script, &self.streams, self.trial.events);
        (self.watch)(Progress { runs: self.trial.runs(), left });
        let candidates: Vec<_> = scripts.iter().map(|script| script.overrides(&[])).collect();
        let found = self.trial.first(&candidates)?;
        self.script = scripts.into_iter().nth(found).expect("it was tried");
        Some(found)
    }

    /// Makes as many streams calm as can be, by groups, if there are not too many.
    fn calm(&mut self, groups_max: usize, group: impl Fn(&str) -> Streams) {
        let faults = self.trial.plan.play.fault_streams();
        let is_free = |each: &&StreamCount| {
            let name = each.stream.as_str();
            // The mildest wait for a fault is the shortest: calm faults come one after the other.
            let is_fault = faults.iter().any(|streams| streams.contains(name));
            !each.given && !is_fault && !name.starts_with(WORDS) && !self.script.calms(name)
        };
        let groups: BTreeSet<Streams> =
            self.streams.iter().filter(is_free).map(|each| group(&each.stream)).collect();
        let groups: Vec<_> = groups.into_iter().collect();
        if groups.len() > groups_max {
            return;
        }
        let base = self.script.clone();
        ddmin::minimise(groups.clone(), &mut |parts: &[Vec<Streams>]| {
            let calm_but = |free: &Vec<Streams>| {
                let mut script = base.clone();
                script.calm.extend(groups.iter().filter(|group| !free.contains(group)).cloned());
                script
            };
            self.first(parts.iter().map(calm_but).collect())
        });
    }

    /// Takes away as much of one kind as can be.
    fn waive(&mut self, kind: Kind) {
        let base = self.script.clone();
        let kept: Vec<_> = base.part(kind).kept.iter().cloned().collect();
        ddmin::minimise(kept, &mut |parts: &[Vec<_>]| {
            self.first(parts.iter().map(|kept| base.keeping(kind, kept)).collect())
        });
    }

    /// Takes away the pins that the run came with and does not need.
    fn drop_pins(&mut self) {
        let base = self.script.clone();
        let pins: Vec<_> = base.pins.iter().cloned().collect();
        ddmin::minimise(pins, &mut |parts: &[Vec<_>]| {
            let with = |pins: &Vec<_>| Script { pins: pins.iter().cloned().collect(), ..base.clone() };
            self.first(parts.iter().map(with).collect())
        });
    }

    /// The overrides of what is left, as short as they can be said.
    fn tidied(&mut self) -> Overrides {
        let named = self.script.nearly_whole();
        let short = self.script.overrides(&named);
        let plain = self.script.overrides(&[]);
        if !named.is_empty() && self.trial.first(std::slice::from_ref(&short)).is_some() {
            short
        } else {
            plain
        }
    }
}

#[cfg(test)]
mod tests;
