//! The list of laws: their stable names, what each says, and where it comes from.
//!
//! Each law is one function in a file of its own below. All of them read the same [`Evidence`]; none remembers
//! anything between runs. `docs/laws.md` tells people the same at more length.

mod acknowledged_increments;
mod alarm_is_due;
mod answered_within_bound;
mod delivered_at_most_once;
mod destroy_is_final;
mod errors_show_and_clear;
mod explained_failures;
mod grounds;
mod instances_once;
mod last_version_never_drained;
mod lost_is_lost;
mod nothing_left;
mod one_committing_generation;
mod one_runner_per_identity;
mod recovery_bound;
mod routable_again;
mod slots_conserved;
mod streams_end_once;

use serde::Serialize;

use crate::evidence::Evidence;
use crate::verdict::{Broken, Judgement};

/// A law of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// No acknowledged increment is lost or repeated, and no read is stale. Source: actor state is written before it
    /// is acknowledged, and an acknowledged write survives every crash.
    AcknowledgedIncrements,
    /// At most one generation of an actor can commit, and only through the session it is placed on. Source: the
    /// generation is the fencing token of an actor's state; the session is the fence of protocol v7.
    OneCommittingGeneration,
    /// Per generation, user code starts once and stops once, and is given nothing before its start or after its
    /// stop. Source: the life cycle of an actor in the runner.
    InstancesOnce,
    /// A request that is not safe to repeat reaches user code at most once. Source: RFC 9110 §9.2.2, a proxy must not
    /// repeat what is not idempotent.
    DeliveredAtMostOnce,
    /// Every operation ends within the bound stated for it. Source: the gateway's time-outs added up.
    AnsweredWithinBound,
    /// Every failure carries a code that a fault then active explains; without faults there are none. Source: what
    /// each code promises.
    ExplainedFailures,
    /// Within the time allowed for recovery after healing, everybody is served again. Source: no key stays
    /// unroutable once a runner is healthy.
    RoutableAgain,
    /// At rest nothing of the load is left. Source: tasks, sockets and buffers belong to a request, and end with it.
    NothingLeft,
    /// A runner's slots in use are its actors, and never more than it has. Source: a slot is taken when a generation
    /// is placed and given back when it ends.
    SlotsConserved,
    /// What a lost runner hosted is never said to have ended in order. Source: whoever is lost cannot report.
    LostIsLost,
    /// A serverless stream ends once, with one reason. Source: the life of an SSE stream.
    StreamsEndOnce,
    /// An actor runs soon after its alarm is due, asleep or going to sleep as it may be. Source: an alarm that is lost is
    /// work that is never done.
    AlarmIsDue,
    /// Of an actor that was destroyed nothing is heard any more, and its key is free. Source: a client that destroys relies on
    /// it.
    DestroyIsFinal,
    /// Of the processes that were started with one identity one speaks for it. Source: the newest session wins.
    OneRunnerPerIdentity,
    /// The error of a pool shows soon after a start failed, and goes after three successes or a minute. Source: hysteresis,
    /// so that neither a blip nor an old failure decides.
    ErrorsShowAndClear,
    /// No version is drained for one that is not well, and what is drained is given nothing new. Source: an upgrade that
    /// fails must leave what was there.
    LastVersionNeverDrained,
    /// A key that can recover answers within the bound of that. Source: how long a restart, a loss or a full disk may be
    /// noticed.
    RecoveryBound,
}

impl Law {
    /// Every law.
    pub const ALL: [Self; 17] = [
        Self::AcknowledgedIncrements,
        Self::OneCommittingGeneration,
        Self::InstancesOnce,
        Self::DeliveredAtMostOnce,
        Self::AnsweredWithinBound,
        Self::ExplainedFailures,
        Self::RoutableAgain,
        Self::NothingLeft,
        Self::SlotsConserved,
        Self::LostIsLost,
        Self::StreamsEndOnce,
        Self::AlarmIsDue,
        Self::DestroyIsFinal,
        Self::OneRunnerPerIdentity,
        Self::ErrorsShowAndClear,
        Self::LastVersionNeverDrained,
        Self::RecoveryBound,
    ];

    /// Whether every run of every play shows what it judges. The others are of plays that say so.
    pub const fn is_general(self) -> bool {
        match self {
            Self::AcknowledgedIncrements
            | Self::OneCommittingGeneration
            | Self::InstancesOnce
            | Self::DeliveredAtMostOnce
            | Self::AnsweredWithinBound
            | Self::ExplainedFailures
            | Self::RoutableAgain
            | Self::NothingLeft
            | Self::SlotsConserved
            | Self::LostIsLost
            | Self::StreamsEndOnce => true,
            Self::AlarmIsDue
            | Self::DestroyIsFinal
            | Self::OneRunnerPerIdentity
            | Self::ErrorsShowAndClear
            | Self::LastVersionNeverDrained
            | Self::RecoveryBound => false,
        }
    }

    /// Stable name, as `rehearse` prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcknowledgedIncrements => "acknowledged_increments",
            Self::OneCommittingGeneration => "one_committing_generation",
            Self::InstancesOnce => "instances_once",
            Self::DeliveredAtMostOnce => "delivered_at_most_once",
            Self::AnsweredWithinBound => "answered_within_bound",
            Self::ExplainedFailures => "explained_failures",
            Self::RoutableAgain => "routable_again",
            Self::NothingLeft => "nothing_left",
            Self::SlotsConserved => "slots_conserved",
            Self::LostIsLost => "lost_is_lost",
            Self::StreamsEndOnce => "streams_end_once",
            Self::AlarmIsDue => "alarm_is_due",
            Self::DestroyIsFinal => "destroy_is_final",
            Self::OneRunnerPerIdentity => "one_runner_per_identity",
            Self::ErrorsShowAndClear => "errors_show_and_clear",
            Self::LastVersionNeverDrained => "last_version_never_drained",
            Self::RecoveryBound => "recovery_bound",
        }
    }

    /// What it says, in one sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::AcknowledgedIncrements => "no acknowledged increment is lost or repeated, no read is stale",
            Self::OneCommittingGeneration => {
                "at most one generation of an actor commits, through the session it is placed on"
            }
            Self::InstancesOnce => {
                "a generation starts and stops at most once and is given nothing before or after"
            }
            Self::DeliveredAtMostOnce => {
                "a request that is not safe to repeat reaches user code at most once"
            }
            Self::AnsweredWithinBound => "every operation ends within its stated bound",
            Self::ExplainedFailures => "every failure carries a code that an active fault explains",
            Self::RoutableAgain => "after healing everybody is served again within the recovery bound",
            Self::NothingLeft => "at rest nothing of the load is left",
            Self::SlotsConserved => "a runner's used slots are its actors, never more than it has",
            Self::LostIsLost => "what a lost runner hosted is never said to have ended in order",
            Self::StreamsEndOnce => "a serverless stream ends once, with one reason",
            Self::AlarmIsDue => "an actor whose alarm is due runs soon after",
            Self::DestroyIsFinal => "of an actor that was destroyed nothing is heard any more",
            Self::OneRunnerPerIdentity => "of the processes with one identity exactly one speaks for it",
            Self::ErrorsShowAndClear => {
                "a pool's error shows within 3 s and goes after three successes or a minute"
            }
            Self::LastVersionNeverDrained => {
                "nobody is drained for a newer version that is not well, or given anything then"
            }
            Self::RecoveryBound => "a key that can recover answers within the bound of that",
        }
    }

    /// Tries the evidence.
    pub fn check(self, evidence: &Evidence) -> Judgement {
        let outcome = match self {
            Self::AcknowledgedIncrements => acknowledged_increments::check(evidence),
            Self::OneCommittingGeneration => one_committing_generation::check(evidence),
            Self::InstancesOnce => instances_once::check(evidence),
            Self::DeliveredAtMostOnce => delivered_at_most_once::check(evidence),
            Self::AnsweredWithinBound => answered_within_bound::check(evidence),
            Self::ExplainedFailures => explained_failures::check(evidence),
            Self::RoutableAgain => routable_again::check(evidence),
            Self::NothingLeft => nothing_left::check(evidence),
            Self::SlotsConserved => slots_conserved::check(evidence),
            Self::LostIsLost => lost_is_lost::check(evidence),
            Self::StreamsEndOnce => streams_end_once::check(evidence),
            Self::AlarmIsDue => alarm_is_due::check(evidence),
            Self::DestroyIsFinal => destroy_is_final::check(evidence),
            Self::OneRunnerPerIdentity => one_runner_per_identity::check(evidence),
            Self::ErrorsShowAndClear => errors_show_and_clear::check(evidence),
            Self::LastVersionNeverDrained => last_version_never_drained::check(evidence),
            Self::RecoveryBound => recovery_bound::check(evidence),
        };
        match outcome {
            Err(breach) => Judgement::Broken(breach.of(self)),
            Ok(()) if grounds::are_there(self, evidence) => Judgement::Held,
            Ok(()) => Judgement::NotJudged,
        }
    }
}

/// A breach, before it is known by whose name it goes.
#[derive(Debug)]
struct Breach {
    at: protocol::time::Mono,
    place: Option<crate::evidence::Place>,
    text: String,
}

impl Breach {
    fn new(at: protocol::time::Mono, text: String) -> Self {
        Self { at, place: None, text }
    }

    fn told(told: &crate::evidence::Told, text: String) -> Self {
        Self { at: told.at, place: Some(told.place.clone()), text }
    }

    fn of(self, law: Law) -> Broken {
        Broken { law: law.name(), at: self.at, place: self.place, text: self.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laws_page_tells_every_law_as_the_code_does() {
        let page = include_str!("../../docs/laws.md");
        for law in Law::ALL {
            let heading = format!("## {}\n", law.name());
            let (_, section) = page.split_once(&heading).unwrap_or_else(|| panic!("no {heading:?}"));
            let section = section.split("\n## ").next().unwrap();
            let section = section.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in ["**Says.**", "**Why.**", "**Breaks it.**"] {
                assert!(section.contains(part), "{} lacks {part}", law.name());
            }
        }
        let (page, _) = page.split_once("\n# Where each is held\n").expect("the list comes after the laws");
        assert_eq!(page.matches("\n## ").count(), Law::ALL.len(), "a heading without a law");
    }

    #[test]
    fn of_nothing_at_all_no_law_says_anything() {
        let verdict = crate::judge(&Evidence::default());
        assert_eq!(
            (verdict.held.len(), verdict.unjudged.len(), verdict.broken.len()),
            (0, Law::ALL.len(), 0)
        );
    }
}
