//! Who does a search: worker threads run, one thread folds.
//!
//! Workers take stretches of the numbered runs ([`Course`]); the fold takes their reports strictly in that order and stops
//! at the first failure too many. So everything in [`Findings`] but the times of the host is the same for any number of
//! threads; what workers had begun beyond the stop is thrown away. A search that is cut off by time or from outside
//! has done as much as it has: that depends on the threads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use sim::Struck;

use crate::play::{Play, RunOptions, RunReport, perform};
use crate::search::course::{Course, Item, Trunk};
use crate::search::explore::{Before, Failed, Findings, Plan, Progress, Why};
use crate::search::seeds::Limit;
use crate::search::shard::{Turn, Turns};
use crate::search::tally::Tally;
use crate::search::{twice, verify};

/// Runs that one fresh process proves at least, in whole units: its start costs about as much as one run, so it is lost
/// among them.
const FRESH_STRETCH: u64 = 32;

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

/// What all workers share.
pub(super) struct Crew<'a> {
    plan: &'a Plan<'a>,
    course: &'a Course<'a>,
    turns: Turns,
    begun: runtime::Instant,
    /// The first turn that nobody has taken.
    next: AtomicU64,
    /// The fold needs no more.
    over: AtomicBool,
}

impl<'a> Crew<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, course: &'a Course<'a>, begun: runtime::Instant) -> Self {
        let turns = Turns::new(plan.shard, course.share(), course.total(), plan.before.done.clone());
        let over = plan.before.failures >= plan.failures_max;
        Self { plan, course, turns, begun, next: AtomicU64::new(0), over: AtomicBool::new(over) }
    }

    /// What was found before.
    pub(super) fn findings(&self) -> Findings {
        let Before { done, tallies, marks, failures, elapsed } = &self.plan.before;
        let names = self.plan.plays.iter().map(|play| play.name());
        let tallies = match tallies.as_slice() {
            [] => self.plan.plays.iter().map(|play| Tally::of(*play, self.plan.world)).collect(),
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
    pub(super) fn work(&self, sender: &SyncSender<(u64, Vec<Done<'a>>)>) {
        let unit = self.course.unit();
        let stretch = if self.plan.verify.is_some() { FRESH_STRETCH.next_multiple_of(unit) } else { unit };
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
                let settled = verify::elsewhere(fresh, &mut done, self.plan.interrupted);
                done.truncate(settled);
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
        let report = judged(play, options, perform(play, item.seed, options));
        self.course.keep(&item, &report, trunk);
        let mut why = report.outcome.clone().err().map(Why::from);
        // Up to the first strike it is the run that was recorded. Of a pair, that may have led to one in which the second
        // has no place.
        if let Some(first) = options.strikes.first().filter(|first| report.missed.contains(first)) {
            why = Some(Why::Missed(*first));
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
    pub(super) fn fold(
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
        let is_failed = failed.is_some();
        findings.failures.extend(failed);
        let found = u64::try_from(findings.failures.len()).expect("a count fits");
        let failures = self.plan.before.failures + found;
        let progress = Progress {
            done: findings.done.count(),
            total: findings.total,
            failures,
            elapsed: self.begun.elapsed(),
        };
        findings.elapsed = self.plan.before.elapsed + progress.elapsed;
        if failures >= self.plan.failures_max {
            findings.gave_up = true;
            self.over.store(true, Ordering::Relaxed);
        }
        // What is told on the way is whole: what is done is counted, and what failed is there.
        watch(progress, findings, is_failed.then(|| findings.failures.last()).flatten());
    }
}

/// A second strike counts in the run that the first has changed, so it may strike where the play lets nothing strike. Such
/// a run says nothing: it is taken for one in which the second strike missed.
fn judged(play: &dyn Play, options: &RunOptions, report: RunReport) -> RunReport {
    let may = |struck: &Struck| play.may_strike(&struck.point, struck.fault);
    match options.strikes.as_slice() {
        [_, others @ ..] if !others.is_empty() && !report.struck.iter().all(may) => {
            RunReport { outcome: Ok(()), missed: others.to_vec(), ..report }
        }
        _ => report,
    }
}

#[cfg(test)]
mod tests;
