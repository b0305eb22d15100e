//! Trying candidates: several at once, and yet the outcome is that of trying them one after the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use sim::Overrides;

use super::Plan;
use crate::play::{RunOptions, RunReport, perform};

/// How many times more events than the original a candidate may have, and how many on top. Ours: less of everything makes
/// a run shorter as a rule; one that goes on for ever is no candidate.
const EVENTS_FACTOR: u64 = 4;
const EVENTS_MORE: u64 = 1_000_000;

/// One run, with everything that is to be known of it.
pub(super) fn run(plan: &Plan<'_>, overrides: &Overrides) -> RunReport {
    let options = RunOptions {
        overrides: overrides.clone(),
        record_streams: plan.play.fault_streams(),
        name_streams: true,
        ..plan.options.clone()
    };
    perform(plan.play, plan.seed, &options)
}

/// Tries candidates against one failure.
pub(super) struct Trial<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// The law that the failure breaks.
    law: &'static str,
    /// How many events it has.
    pub(super) events: u64,
    begun: runtime::Instant,
    /// What came of those that were tried.
    tried: BTreeMap<Overrides, bool>,
    /// Whether there was no time left for a candidate.
    pub(super) cut_off: bool,
}

impl<'a> Trial<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, law: &'static str, events: u64) -> Self {
        Self { plan, law, events, begun: runtime::now(), tried: BTreeMap::new(), cut_off: false }
    }

    /// Runs that were needed, as if there were one thread.
    pub(super) fn runs(&self) -> u64 {
        self.tried.len() as u64
    }

    fn is_over(&self) -> bool {
        self.plan.limit.is_some_and(|limit| self.begun.elapsed() >= limit)
            || self.plan.interrupted.load(Ordering::Relaxed)
    }

    fn fails(&self, overrides: &Overrides) -> bool {
        let theirs = sim::Options::default().events_max;
        let ours = self.events.saturating_mul(EVENTS_FACTOR).saturating_add(EVENTS_MORE);
        let options = RunOptions {
            overrides: overrides.clone(),
            events_max: Some(ours.min(theirs)),
            ..self.plan.options.clone()
        };
        let report = perform(self.plan.play, self.plan.seed, &options);
        // Whether a run ends that was stopped here is not known.
        let is_stopped = ours < theirs && report.events > ours;
        !is_stopped && report.outcome.is_err_and(|broken| broken.law == self.law)
    }

    /// The first of some candidates that breaks the same law; `None` if none does, or when time was over before that
    /// was known.
    pub(super) fn first(&mut self, candidates: &[Overrides]) -> Option<usize> {
        let (next, first) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let results = Mutex::new(BTreeMap::new());
        let shared = &*self;
        let work = || {
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(candidate) = candidates.get(place) else { return };
                // Those before the first that fails are all tried; what comes after it does not matter.
                if place > first.load(Ordering::Relaxed) || shared.is_over() {
                    return;
                }
                let known = shared.tried.get(candidate).copied();
                let fails = known.unwrap_or_else(|| shared.fails(candidate));
                if fails {
                    first.fetch_min(place, Ordering::Relaxed);
                }
                results.lock().insert(place, fails);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.plan.jobs.get().min(candidates.len()) {
                std::thread::Builder::new()
                    .name("shrink".to_owned())
                    .spawn_scoped(scope, work)
                    .expect("the host gives a thread per job");
            }
            work();
        });
        let results = results.into_inner();
        for (place, candidate) in candidates.iter().enumerate() {
            let Some(fails) = results.get(&place) else {
                self.cut_off = true;
                return None;
            };
            self.tried.insert(candidate.clone(), *fails);
            if *fails {
                return Some(place);
            }
        }
        None
    }
}
