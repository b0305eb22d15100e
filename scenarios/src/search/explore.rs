//! The search: what it is told, and what it finds. Who does it: [`super::crew`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use model::Broken;
use sim::Strike;

use crate::play::{Play, RunOptions};
use crate::search::course::{Course, Recorded};
use crate::search::crew::Crew;
use crate::search::fresh::{Fresh, FreshError};
use crate::search::seeds::{Limit, Start};
use crate::search::shard::{Ranges, Shard};
use crate::search::strategy::Strategy;
use crate::search::tally::Tally;
use crate::search::twice::Divergence;
use crate::world::WorldKind;

/// What to search.
pub struct Plan<'a> {
    /// The plays, at least one.
    pub plays: &'a [&'a dyn Play],
    /// The first seed.
    pub start: Start,
    /// How long.
    pub limit: Limit,
    /// How runs are chosen.
    pub strategy: Strategy,
    /// In which world they are.
    pub world: WorldKind,
    /// Which part of the search is done here.
    pub shard: Shard,
    /// What was done before.
    pub before: Before,
    /// Worker threads.
    pub jobs: NonZeroUsize,
    /// After so many failures it ends.
    pub failures_max: u64,
    /// Run every seed three times: twice here, once by these.
    pub verify: Option<&'a dyn Fresh>,
    /// Set from outside to end it early.
    pub interrupted: &'a AtomicBool,
}

/// What a search that goes on had come to.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Which runs of the shard.
    pub done: Ranges,
    /// Per play, in the order of the plan; none if nothing was done.
    pub tallies: Vec<Tally>,
    /// Hits of marks.
    pub marks: BTreeMap<Cow<'static, str>, u64>,
    /// How many failed.
    pub failures: u64,
    /// Time of the host.
    pub elapsed: Duration,
}

/// How far a search is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Runs folded.
    pub done: u64,
    /// Runs there are, if that is known.
    pub total: Option<u64>,
    /// Failures among them.
    pub failures: u64,
    /// Time of the host since the start.
    pub elapsed: Duration,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// It broke a law.
    #[error("{0}")]
    Law(#[from] Broken),
    /// It was not the same twice.
    #[error("{0}")]
    Diverged(#[from] Box<Divergence>),
    /// It could not be run elsewhere.
    #[error("{0}")]
    Fresh(#[from] FreshError),
    /// What was to strike at a point did not.
    #[error("{0} did not strike: the run is not the one that was recorded")]
    Missed(Strike),
}

/// A run that failed.
#[derive(Debug)]
pub struct Failed {
    /// Its number in the whole search.
    pub index: u64,
    /// Its play.
    pub play: &'static str,
    /// Its seed.
    pub seed: u64,
    /// What it was told.
    pub options: RunOptions,
    /// Its digest, in this process.
    pub digest: u128,
    /// Why.
    pub why: Why,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Per play, in the order of the plan.
    pub tallies: Vec<(&'static str, Tally)>,
    /// Which runs of the shard were done, those before included.
    pub done: Ranges,
    /// How many runs the shard has, if that is known.
    pub total: Option<u64>,
    /// The runs that were recorded, for a search of points.
    pub recorded: Vec<Recorded>,
    /// Failures, in the order of the runs.
    pub failures: Vec<Failed>,
    /// Hits of every mark that any run knew of.
    pub marks: BTreeMap<Cow<'static, str>, u64>,
    /// Whether it was ended from outside.
    pub interrupted: bool,
    /// Whether it ended because of too many failures.
    pub gave_up: bool,
    /// Time of the host.
    pub elapsed: Duration,
}

/// Searches the course of the plan. `watch` is told of every run folded, with all that was found so far, and of every failure as it is found;
/// it runs on the calling thread.
///
/// # Panics
/// If the host gives no threads.
pub fn explore(
    plan: &Plan<'_>,
    course: &Course<'_>,
    mut watch: impl FnMut(Progress, &Findings, Option<&Failed>),
) -> Findings {
    let begun = runtime::now();
    let crew = Crew::new(plan, course, begun);
    let mut findings = crew.findings();
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(plan.jobs.get() * 2);
        for _ in 0..plan.jobs.get() {
            let (crew, sender) = (&crew, sender.clone());
            std::thread::Builder::new()
                .name("search".to_owned())
                .spawn_scoped(scope, move || crew.work(&sender))
                .expect("the host gives a thread per job");
        }
        drop(sender);
        crew.fold(&receiver, &mut findings, &mut watch);
    });
    findings.interrupted = plan.interrupted.load(Ordering::Relaxed);
    findings.elapsed = plan.before.elapsed + begun.elapsed();
    findings.failures.sort_by_key(|failed| failed.index);
    findings
}
