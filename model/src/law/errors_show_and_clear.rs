//! The error of a pool shows soon after a start was spoilt, and goes after three starts that went well, or when nobody
//! has tried one for a minute: not before, and soon then.
//!
//! A start has gone well when a runner of the pool has its first session, and keeps it for a moment. Nothing is demanded of a stretch of time in which
//! something else than the endpoint was broken, or recovered from that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::id::RunnerId;
use protocol::time::Mono;
use protocol::view::Fact;

use crate::evidence::{Evidence, PoolNews};
use crate::fault::Family;

use super::Breach;

/// So many in a row clear it.
const ENOUGH: usize = 3;

/// Without a start tried for so long it clears.
const AGE: Duration = Duration::from_secs(60);

/// How late an error may show, and that there is none any more.
const SOON: Duration = Duration::from_secs(3);

/// How far apart looks may be, and the way there and back.
const LOOK: Duration = Duration::from_secs(1);

/// One pool, in the order of the clock.
struct Story<'a> {
    evidence: &'a Evidence,
    spoilt: Vec<Mono>,
    /// These, and what may have been spoilt.
    failed: Vec<Mono>,
    tried: Vec<Mono>,
    /// When runners had their first session.
    began_well: Vec<Mono>,
    /// Of these, whoever kept it for long enough that the start counts.
    went_well: Vec<Mono>,
    shown: Vec<(Mono, bool)>,
}

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let pools: BTreeSet<_> = evidence.pools.iter().map(|sight| sight.pool).collect();
    pools.into_iter().try_for_each(|pool| {
        let story = Story::of(evidence, pool);
        story.shows(pool)?;
        story.clears(pool)
    })
}

/// Whether a stream ended for one of these reasons at that moment or so.
fn ended(evidence: &Evidence, at: Mono, reasons: &[&str]) -> bool {
    let near = |told: Mono| told <= at + LOOK && at <= told + LOOK;
    let ended = |fact: &Fact| matches!(fact, Fact::StreamEnded { reason, .. } if reasons.contains(reason));
    evidence.told.iter().any(|told| near(told.at) && ended(&told.fact))
}

/// Whether the engine gave a stream up for its silence.
fn timed_out(evidence: &Evidence, at: Mono) -> bool {
    ended(evidence, at, &["timeout"])
}

/// Whether the engine needed a request no more: what its application did with it is nobody's error then.
fn withdrawn(evidence: &Evidence, at: Mono) -> bool {
    ended(evidence, at, &["surplus", "version", "outdated", "lifespan"])
}

impl<'a> Story<'a> {
    fn of(evidence: &'a Evidence, of: &str) -> Self {
        let (mut spoilt, mut failed, mut tried, mut shown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for sight in evidence.pools.iter().filter(|sight| sight.pool == of) {
            match sight.what {
                PoolNews::Spoilt => {
                    spoilt.extend((!withdrawn(evidence, sight.at)).then_some(sight.at));
                    failed.push(sight.at);
                }
                PoolNews::Silent => {
                    failed.push(sight.at);
                    spoilt.extend(timed_out(evidence, sight.at).then_some(sight.at));
                }
                PoolNews::BrokenOff => failed.push(sight.at),
                PoolNews::Tried => tried.push(sight.at),
                PoolNews::Shown(error) => shown.push((sight.at, error)),
            }
        }
        let (mut began, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for told in &evidence.told {
            match &told.fact {
                Fact::RunnerConnected { runner, pool, .. } if pool == of => {
                    began.entry(*runner).or_insert(told.at);
                }
                Fact::RunnerDisconnected { runner } | Fact::RunnerLost { runner } => {
                    ended.entry(*runner).or_insert(told.at);
                }
                _ => {}
            }
        }
        let mut began_well: Vec<_> = began.values().copied().collect();
        let counts =
            |(runner, at): &(&RunnerId, &Mono)| ended.get(*runner).is_none_or(|end| **at + LOOK < *end);
        let mut went_well: Vec<_> = began.iter().filter(counts).map(|(_, at)| *at).collect();
        began_well.sort_unstable();
        went_well.sort_unstable();
        Self { evidence, spoilt, failed, tried, began_well, went_well, shown }
    }

    /// How many starts may have gone well after one moment, until another.
    fn well(&self, after: Mono, until: Mono) -> usize {
        self.began_well.iter().filter(|at| after < **at && **at <= until).count()
    }

    fn shows(&self, pool: &str) -> Result<(), Breach> {
        for at in &self.spoilt {
            let by = *at + SOON + LOOK;
            let seen = self.shown.iter().any(|(when, error)| *error && at <= when && *when <= by);
            let looked = self.shown.iter().any(|(when, _)| at <= when && *when <= by);
            let cleared = self.well(*at, by) >= ENOUGH;
            if !seen && looked && !cleared && by < self.evidence.end && !self.excused(*at, by) {
                let text = format!("a start of {pool:?} was spoilt at {at:?}, and no error shows by {by:?}");
                return Err(Breach::new(by, text));
            }
        }
        Ok(())
    }

    fn clears(&self, pool: &str) -> Result<(), Breach> {
        let mut was = false;
        for (at, error) in &self.shown {
            let last = self.failed.iter().rfind(|failed| *failed <= at);
            let tried = self.tried.iter().rfind(|tried| *tried <= at);
            if let (Some(failed), Some(tried)) = (last, tried)
                && !self.excused(*failed, *at)
            {
                let tried = (*tried).max(*failed);
                let why = match (was, *error) {
                    (_, true) if self.third(*failed).is_some_and(|third| third + SOON + LOOK < *at) => {
                        format!("{pool:?} still shows its error although {ENOUGH} starts went well")
                    }
                    (_, true) if tried + AGE + SOON + LOOK < *at => {
                        format!("{pool:?} still shows its error, last tried at {tried:?}")
                    }
                    (true, false) if *at + LOOK < tried + AGE => self.too_early(pool, *at),
                    (_, _) => String::new(),
                };
                if !why.is_empty() {
                    return Err(Breach::new(*at, why));
                }
            }
            was = *error;
        }
        Ok(())
    }

    /// Why an error cannot be gone yet, if it cannot. What was spoilt just now may not be known yet, and of a start that
    /// went well just before may not be known that it did.
    fn too_early(&self, pool: &str, at: Mono) -> String {
        let Some(spoilt) = self.spoilt.iter().rfind(|spoilt| **spoilt + LOOK <= at) else {
            return String::new();
        };
        let since = Mono(spoilt.0.saturating_sub(u64::try_from(LOOK.as_nanos()).expect("a second")));
        let well = self.well(since, at);
        if well >= ENOUGH {
            return String::new();
        }
        format!("the error of {pool:?} of {spoilt:?} is gone after {well} starts that went well")
    }

    /// When the last of enough starts went well after a moment.
    fn third(&self, after: Mono) -> Option<Mono> {
        self.went_well.iter().filter(|at| **at > after).nth(ENOUGH - 1).copied()
    }

    fn excused(&self, from: Mono, until: Mono) -> bool {
        self.evidence.faults.iter().any(|fault| {
            fault.family != Family::EndpointFails
                && fault.from <= until
                && fault.until.is_none_or(|over| over + self.evidence.recovery >= from)
        })
    }
}
