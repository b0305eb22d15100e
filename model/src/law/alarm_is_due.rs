//! An actor whose alarm is due runs soon after, asleep or going to sleep as it may be.
//!
//! Judged is each alarm that its actor said was set and that nobody replaced, cleared or was about to within its bound.
//! Where nothing was broken meanwhile, the actor starts between the moment it is due and the bound, or runs at its end:
//! one that was just going to sleep when it came due must be woken again. Where something was broken, the bound counts
//! from its repair and is the time for recovery, and any moment in which it runs will do. A start of one that slept when
//! it was asked to set its alarm is that request's, and no alarm's.

use std::time::Duration;

use protocol::id::{ActorId, Generation};
use protocol::time::Mono;
use protocol::view::Fact;

use crate::evidence::{AlarmSet, Evidence};
use crate::fault::Family;

use super::Breach;

/// How long a start may take where nothing is broken: a stream, a session, a start, and clocks that drift apart.
const BOUND: Duration = Duration::from_secs(3);

/// How early it may start: clocks drift by a thousandth, and runs last some minutes.
const EARLY: Duration = Duration::from_secs(1);

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    evidence.alarms.iter().enumerate().try_for_each(|(place, set)| match judged(evidence, place, set) {
        Some(due) => judge(evidence, set, due),
        None => Ok(()),
    })
}

/// Whether any alarm can be judged.
pub(super) fn is_shown(evidence: &Evidence) -> bool {
    let mut sets = evidence.alarms.iter().enumerate();
    sets.any(|(place, set)| judged(evidence, place, set).is_some())
}

/// When an alarm is due.
struct Due {
    /// The earliest and the latest moment that can be meant.
    first: Mono,
    last: Mono,
    /// By when its actor must run.
    by: Mono,
    /// Whether something was broken meanwhile.
    broken: bool,
}

/// When an alarm was due that was set, and left alone for as long as it takes.
fn judged(evidence: &Evidence, place: usize, set: &AlarmSet) -> Option<Due> {
    let after = Duration::from_millis(u64::try_from(set.after?).unwrap_or(0));
    let acknowledged = set.acknowledged?;
    let (first, last) = (set.invoked + after, acknowledged + after);
    let (by, broken) = due(evidence, set.invoked, last);
    let next = evidence.alarms[place + 1..].iter().find(|next| next.actor == set.actor);
    let replaced = next.map_or(evidence.end, |next| next.invoked);
    (by < replaced && by < evidence.end).then_some(Due { first, last, by, broken })
}

fn judge(evidence: &Evidence, set: &AlarmSet, due: Due) -> Result<(), Breach> {
    let Due { first, last, by, broken } = due;
    let life = Life::of(evidence, set.actor, set.invoked);
    let from = Mono(first.0.saturating_sub(u64::try_from(EARLY.as_nanos()).expect("a second")));
    let from = from.max(set.invoked);
    let is_woken = life.starts_within(from, by) || life.runs_at(by) || (broken && life.runs_within(from, by));
    if is_woken {
        return Ok(());
    }
    let text = format!("{:?} does not run by {by:?}, its alarm was due at {last:?}", set.actor);
    Err(Breach::new(by, text))
}

/// By when it must run, and whether something was broken meanwhile.
fn due(evidence: &Evidence, from: Mono, last: Mono) -> (Mono, bool) {
    let mut faults: Vec<_> = evidence.faults.iter().collect();
    faults.sort_by_key(|fault| fault.from);
    let (mut whole, mut broken) = (last, false);
    for fault in faults {
        let bound = if broken { evidence.recovery } else { BOUND };
        let until = fault.until.unwrap_or(evidence.end);
        if fault.from <= whole + bound && until + settles(fault.family) >= from {
            (whole, broken) = (whole.max(until), true);
        }
    }
    (whole + if broken { evidence.recovery } else { BOUND }, broken)
}

/// How long after its end a fault of this family may still hold somebody up: until a silence is noticed, or for as long as
/// whoever was told takes to come back.
const fn settles(family: Family) -> Duration {
    match family {
        Family::EnginePowerLost
        | Family::EngineFellInCommit
        | Family::EnginePaused
        | Family::InstancePaused
        | Family::StreamSilent
        | Family::SocketSilent
        | Family::Partition => Duration::from_secs(20),
        Family::EngineKilled
        | Family::EngineStopped
        | Family::InstanceKilled
        | Family::ActorDawdles
        | Family::StreamCut
        | Family::SocketCut
        | Family::ClientCut
        | Family::Slow
        | Family::EndpointFails
        | Family::ApiFails
        | Family::ApiHangs
        | Family::ApiCut
        | Family::DiskFails
        | Family::DiskSlow
        | Family::ActorDestroyed => Duration::from_secs(5),
    }
}

/// When an actor started, and when it stopped, by generation: an earlier one that was lost may say that it stopped when its
/// successor runs.
struct Life {
    starts: Vec<(Mono, Generation)>,
    stops: Vec<(Mono, Generation)>,
    /// The start that was caused by whoever asked it to set its alarm, if it slept then.
    asked: Option<Mono>,
}

impl Life {
    fn of(evidence: &Evidence, of: ActorId, asked: Mono) -> Self {
        let mut life = Self { starts: Vec::new(), stops: Vec::new(), asked: None };
        for told in &evidence.told {
            match told.fact {
                Fact::InstanceStarted { actor, generation } if actor == of => {
                    life.starts.push((told.at, generation));
                }
                Fact::InstanceStopped { actor, generation } if actor == of => {
                    life.stops.push((told.at, generation));
                }
                _ => {}
            }
        }
        if !life.runs_at(asked) {
            life.asked = life.starts.iter().map(|(at, _)| *at).find(|at| asked <= *at);
        }
        life
    }

    fn starts_within(&self, from: Mono, until: Mono) -> bool {
        self.starts.iter().any(|(at, _)| from <= *at && *at <= until && Some(*at) != self.asked)
    }

    fn runs_at(&self, at: Mono) -> bool {
        let started = self.starts.iter().filter(|(started, _)| *started <= at).max();
        started.is_some_and(|(_, latest)| {
            !self.stops.iter().any(|(stopped, generation)| generation == latest && *stopped <= at)
        })
    }

    fn runs_within(&self, from: Mono, until: Mono) -> bool {
        self.runs_at(from) || self.starts_within(from, until)
    }
}
