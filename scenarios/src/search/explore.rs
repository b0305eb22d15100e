//! The search itself: worker threads run, one thread folds.
//!
//! Workers take stretches of the numbered runs; the fold takes their reports strictly in that order and stops at the
//! first failure too many. So everything in [`Findings`] but the times of the host is the same for any number of
//! threads; what workers had begun beyond the stop is thrown away. A search that is cut off by time or from outside
//! has done as much as it has: that depends on the threads.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use model::Broken;

use crate::play::{Play, RunOptions, RunReport, perform};
use crate::search::fresh::{Fresh, FreshError};
use crate::search::seeds::{Item, Items, Limit, Start};
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
    /// Worker threads.
    pub jobs: NonZeroUsize,
    /// After so many failures it ends.
    pub failures_max: u64,
    /// Run every seed three times: twice here, once by these.
    pub verify: Option<&'a dyn Fresh>,
    /// Set from outside to end it early.
    pub interrupted: &'a AtomicBool,
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
}

/// A run that failed.
#[derive(Debug)]
pub struct Failed {
    /// Its play.
    pub play: &'static str,
    /// Its seed.
    pub seed: u64,
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
    /// Failures, in the order of the runs.
    pub failures: Vec<Failed>,
    /// Hits of every mark that any run knew of.
    pub marks: BTreeMap<&'static str, u64>,
    /// Whether it was ended from outside.
    pub interrupted: bool,
    /// Whether it ended because of too many failures.
    pub gave_up: bool,
    /// Time of the host.
    pub elapsed: Duration,
}

/// A run that a worker has done with.
pub(super) struct Done<'a> {
    item: Item,
    pub(super) play: &'a dyn Play,
    pub(super) report: RunReport,
    /// Time of the host, of all its repetitions.
    pub(super) busy: Duration,
    pub(super) why: Option<Why>,
}

/// Searches. `watch` is told of every run folded, and of every failure as it is found; it runs on the calling thread.
///
/// # Panics
/// If the plan has no plays, or the host gives no threads.
pub fn explore(plan: &Plan<'_>, mut watch: impl FnMut(Progress, Option<&Failed>)) -> Findings {
    let items = Items::new(plan.start, plan.plays.len());
    let total = match plan.limit {
        Limit::Seeds(seeds) => Some(items.total(seeds)),
        Limit::Time(_) => None,
    };
    let begun = runtime::now();
    let crew = Crew { plan, items, total, begun, next: AtomicU64::new(0), over: AtomicBool::new(false) };
    let tallies = plan.plays.iter().map(|play| (play.name(), Tally::of(*play))).collect();
    let mut findings = Findings { tallies, ..Findings::default() };
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
    findings.elapsed = begun.elapsed();
    findings
}

/// What all workers share.
struct Crew<'a> {
    plan: &'a Plan<'a>,
    items: Items,
    total: Option<u64>,
    begun: runtime::Instant,
    /// The first run that nobody has taken.
    next: AtomicU64,
    /// The fold needs no more.
    over: AtomicBool,
}

impl<'a> Crew<'a> {
    fn is_over(&self) -> bool {
        let late = match self.plan.limit {
            Limit::Seeds(_) => false,
            Limit::Time(limit) => self.begun.elapsed() >= limit,
        };
        late || self.over.load(Ordering::Relaxed) || self.plan.interrupted.load(Ordering::Relaxed)
    }

    /// Takes stretches of runs until there are none.
    fn work(&self, sender: &SyncSender<Vec<Done<'a>>>) {
        let stretch = if self.plan.verify.is_some() { FRESH_STRETCH } else { 1 };
        while !self.is_over() {
            let first = self.next.fetch_add(stretch, Ordering::Relaxed);
            let end = first.saturating_add(stretch).min(self.total.unwrap_or(u64::MAX));
            if first >= end {
                return;
            }
            let mut done = Vec::new();
            for index in first..end {
                // What is begun is finished in order, so that what is folded has no holes.
                if index > first && self.is_over() {
                    break;
                }
                done.push(self.run(self.items.get(index)));
            }
            if let Some(fresh) = self.plan.verify {
                verify::elsewhere(fresh, &mut done, self.plan.interrupted);
            }
            if sender.send(done).is_err() {
                return;
            }
        }
    }

    fn run(&self, item: Item) -> Done<'a> {
        let play = self.plan.plays[item.play];
        let options = RunOptions::default();
        let begun = runtime::now();
        let report = perform(play, item.seed, &options);
        let mut why = report.outcome.clone().err().map(Why::from);
        if self.plan.verify.is_some()
            && let Err(divergence) = twice::again(play, &options, &report)
        {
            why = Some(divergence.into());
        }
        let busy = begun.elapsed();
        let report = RunReport { notes: Vec::new(), trace: Vec::new(), kept: Vec::new(), ..report };
        Done { item, play, report, busy, why }
    }

    /// Takes what workers have done, in the order of the runs.
    fn fold(
        &self,
        receiver: &Receiver<Vec<Done<'_>>>,
        findings: &mut Findings,
        watch: &mut impl FnMut(Progress, Option<&Failed>),
    ) {
        let mut early = BTreeMap::new();
        let mut next = 0;
        for batch in receiver {
            let Some(first) = batch.first().map(|done| done.item.index) else { continue };
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
        watch: &mut impl FnMut(Progress, Option<&Failed>),
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
        watch: &mut impl FnMut(Progress, Option<&Failed>),
    ) {
        let (play, tally) = &mut findings.tallies[done.item.play];
        tally.add(&done.report, done.busy);
        for (mark, hits) in &done.report.marks {
            *findings.marks.entry(mark).or_default() += hits;
        }
        let play = *play;
        tally.failures += u64::from(done.why.is_some());
        let failed =
            done.why.map(|why| Failed { play, seed: done.item.seed, digest: done.report.digest, why });
        let failures =
            u64::try_from(findings.failures.len()).expect("a count fits") + u64::from(failed.is_some());
        let progress = Progress {
            done: findings.tallies.iter().map(|(_, tally)| tally.seeds).sum(),
            total: self.total,
            failures,
            elapsed: self.begun.elapsed(),
        };
        watch(progress, failed.as_ref());
        findings.failures.extend(failed);
        if failures >= self.plan.failures_max {
            findings.gave_up = true;
            self.over.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
