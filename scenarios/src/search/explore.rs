//! The search itself: worker threads run, one thread folds.
//!
//! Workers take stretches of the numbered runs ([`Course`]); the fold takes their reports strictly in that order and stops at the
//! first failure too many. So everything in [`Findings`] but the times of the host is the same for any number of
//! threads; what workers had begun beyond the stop is thrown away. A search that is cut off by time or from outside
//! has done as much as it has: that depends on the threads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use model::Broken;
use sim::Strike;

use crate::play::{Play, RunOptions, RunReport, perform};
use crate::search::course::{Course, Item, Recorded, Trunk};
use crate::search::fresh::{Fresh, FreshError};
use crate::search::seeds::{Limit, Start};
use crate::search::shard::{Ranges, Shard, Turn, Turns};
use crate::search::strategy::Strategy;
use crate::search::tally::Tally;
use crate::search::twice::{self, Divergence};
use crate::search::verify;

/// Runs that one fresh process proves: its start costs about as much as one run, so it is lost among them.
const FRESH_STRETCH: u64 = 32;

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

/// A run that a worker has done with.
pub(super) struct Done<'a> {
    turn: Turn,
    pub(super) item: Item,
    pub(super) play: &'a dyn Play,
    pub(super) report: RunReport,
    /// Time of the host, of all its repetitions.
    pub(super) busy: Duration,
    pub(super) why: Option<Why>,
}

/// Searches. `watch` is told of every run folded, with all that was found so far, and of every failure as it is found;
/// it runs on the calling thread.
///
/// # Panics
/// If the plan has no plays, or the host gives no threads.
pub fn explore(plan: &Plan<'_>, mut watch: impl FnMut(Progress, &Findings, Option<&Failed>)) -> Findings {
    let begun = runtime::now();
    let crew = Crew::new(plan, begun);
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

/// What all workers share.
struct Crew<'a> {
    plan: &'a Plan<'a>,
    course: Course<'a>,
    turns: Turns,
    begun: runtime::Instant,
    /// The first turn that nobody has taken.
    next: AtomicU64,
    /// The fold needs no more.
    over: AtomicBool,
}

impl<'a> Crew<'a> {
    fn new(plan: &'a Plan<'a>, begun: runtime::Instant) -> Self {
        let course = Course::new(plan.plays, plan.start, plan.limit, plan.strategy);
        let turns = Turns::new(plan.shard, course.unit(), course.total(), plan.before.done.clone());
        let over = plan.before.failures >= plan.failures_max;
        Self { plan, course, turns, begun, next: AtomicU64::new(0), over: AtomicBool::new(over) }
    }

    /// What was found before.
    fn findings(&self) -> Findings {
        let Before { done, tallies, marks, failures, elapsed } = &self.plan.before;
        let names = self.plan.plays.iter().map(|play| play.name());
        let tallies = match tallies.as_slice() {
            [] => self.plan.plays.iter().map(|play| Tally::of(*play)).collect(),
            tallies => tallies.to_vec(),
        };
        assert_eq!(tallies.len(), self.plan.plays.len(), "a tally per play");
        Findings {
            tallies: names.zip(tallies).collect(),
            done: done.clone(),
            total: self.turns.runs(),
            recorded: self.course.recorded().to_vec(),
            marks: marks.clone(),
            gave_up: *failures >= self.plan.failures_max,
            elapsed: *elapsed,
            ..Findings::default()
        }
    }

    fn is_over(&self) -> bool {
        let late = match self.plan.limit {
            Limit::Seeds(_) => false,
            Limit::Time(limit) => self.begun.elapsed() >= limit,
        };
        late || self.over.load(Ordering::Relaxed) || self.plan.interrupted.load(Ordering::Relaxed)
    }

    /// Takes stretches of runs until there are none.
    fn work(&self, sender: &SyncSender<(u64, Vec<Done<'a>>)>) {
        let stretch = if self.plan.verify.is_some() { FRESH_STRETCH } else { self.course.unit() };
        let mut trunk = None;
        while !self.is_over() {
            let first = self.next.fetch_add(stretch, Ordering::Relaxed);
            let mut done = Vec::new();
            for turn in (first..first.saturating_add(stretch)).map_while(|number| self.turns.get(number)) {
                // What is begun is finished in order, so that what is folded has no holes.
                if !done.is_empty() && self.is_over() {
                    break;
                }
                done.push(self.run(turn, &mut trunk));
            }
            if done.is_empty() {
                return;
            }
            if let Some(fresh) = self.plan.verify {
                verify::elsewhere(fresh, &mut done, self.plan.interrupted);
            }
            if sender.send((first, done)).is_err() {
                return;
            }
        }
    }

    fn run(&self, turn: Turn, trunk: &mut Option<Trunk>) -> Done<'a> {
        let begun = runtime::now();
        let item = self.course.get(turn.index, trunk);
        let (play, options) = (self.plan.plays[item.play], &item.options);
        let report = perform(play, item.seed, options);
        let mut why = report.outcome.clone().err().map(Why::from);
        // Of a pair, the first may have led to a run in which the second has no place.
        if let ([only], [missed, ..]) = (options.strikes.as_slice(), report.missed.as_slice()) {
            assert_eq!(only, missed, "what misses was to strike");
            why = Some(Why::Missed(*missed));
        }
        if self.plan.verify.is_some()
            && let Err(divergence) = twice::again(play, options, &report)
        {
            why = Some(divergence.into());
        }
        let busy = begun.elapsed();
        let report = RunReport { notes: Vec::new(), trace: Vec::new(), kept: Vec::new(), ..report };
        Done { turn, item, play, report, busy, why }
    }

    /// Takes what workers have done, in the order of the runs.
    fn fold(
        &self,
        receiver: &Receiver<(u64, Vec<Done<'_>>)>,
        findings: &mut Findings,
        watch: &mut impl FnMut(Progress, &Findings, Option<&Failed>),
    ) {
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (first, batch) in receiver {
            early.insert(first, batch);
            while let Some(batch) = early.remove(&next) {
                next += self.fold_all(batch, findings, watch);
            }
        }
        assert!(findings.gave_up || self.is_over() || early.is_empty(), "every run was folded");
        // Where a search is cut off by time or from outside, stretches are done whose predecessors never will be.
        for batch in early.into_values() {
            self.fold_all(batch, findings, watch);
        }
    }

    /// Folds runs until there are too many failures. Returns how many runs there were.
    fn fold_all(
        &self,
        batch: Vec<Done<'_>>,
        findings: &mut Findings,
        watch: &mut impl FnMut(Progress, &Findings, Option<&Failed>),
    ) -> u64 {
        let runs = u64::try_from(batch.len()).expect("a count fits");
        for done in batch {
            if !findings.gave_up {
                self.fold_one(done, findings, watch);
            }
        }
        runs
    }

    fn fold_one(
        &self,
        done: Done<'_>,
        findings: &mut Findings,
        watch: &mut impl FnMut(Progress, &Findings, Option<&Failed>),
    ) {
        let Item { index, play, seed, options } = done.item;
        let (play, tally) = &mut findings.tallies[play];
        let play = *play;
        tally.add(&done.report, index, done.busy);
        tally.failures += u64::from(done.why.is_some());
        for (mark, hits) in &done.report.marks {
            *findings.marks.entry(Cow::Borrowed(*mark)).or_default() += hits;
        }
        findings.done.add(done.turn.place);
        let digest = done.report.digest;
        let failed = done.why.map(|why| Failed { index, play, seed, options, digest, why });
        let found = u64::try_from(findings.failures.len()).expect("a count fits");
        let failures = self.plan.before.failures + found + u64::from(failed.is_some());
        let progress = Progress {
            done: findings.done.count(),
            total: findings.total,
            failures,
            elapsed: self.begun.elapsed(),
        };
        findings.elapsed = self.plan.before.elapsed + progress.elapsed;
        watch(progress, findings, failed.as_ref());
        findings.failures.extend(failed);
        if failures >= self.plan.failures_max {
            findings.gave_up = true;
            self.over.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
