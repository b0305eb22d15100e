//! What a law must be shown before its silence means anything.
//!
//! A law that finds no breach in evidence that was never gathered has not held: nobody looked.

use protocol::view::Fact;

use crate::evidence::{Evidence, PoolNews, TouchKind};
use crate::history::Op;

use super::{Law, alarm_is_due};

/// Whether the evidence holds what this law judges.
pub(super) fn are_there(law: Law, evidence: &Evidence) -> bool {
    let told = |is: fn(&Fact) -> bool| evidence.told.iter().any(|told| is(&told.fact));
    let ops = evidence.history.ops();
    match law {
        Law::AcknowledgedIncrements => ops.iter().any(Op::acknowledged),
        Law::OneCommittingGeneration => told(|fact| matches!(fact, Fact::KvCommitted { .. })),
        Law::InstancesOnce => told(|fact| matches!(fact, Fact::InstanceStarted { .. })),
        Law::DeliveredAtMostOnce => told(|fact| matches!(fact, Fact::Delivered { .. })),
        Law::AnsweredWithinBound | Law::ExplainedFailures => !ops.is_empty(),
        Law::RoutableAgain => evidence.healed.is_some() && !ops.is_empty(),
        Law::NothingLeft => evidence.rest.is_some(),
        Law::SlotsConserved => evidence.views.iter().any(|(_, view)| !view.runners.is_empty()),
        // A fall can swallow the fact of a placement, and of the only one there was.
        Law::LostIsLost => told(|fact| matches!(fact, Fact::Placed { .. } | Fact::RunnerLost { .. })),
        Law::StreamsEndOnce => {
            told(|fact| matches!(fact, Fact::StreamOpened { .. } | Fact::EventStreamEnded { .. }))
        }
        Law::AlarmIsDue => alarm_is_due::is_shown(evidence),
        Law::DestroyIsFinal => told(|fact| matches!(fact, Fact::Destroyed { .. })) && was_destroyed(evidence),
        Law::OneRunnerPerIdentity => evidence.sights.iter().any(|(_, sights)| !sights.is_empty()),
        Law::ErrorsShowAndClear => {
            evidence.pools.iter().any(|sight| matches!(sight.what, PoolNews::Spoilt | PoolNews::Silent))
        }
        Law::LastVersionNeverDrained => told(|fact| matches!(fact, Fact::RunnerOvertaken { .. })),
        Law::RecoveryBound => evidence.recoveries.iter().any(|recovery| recovery.answered.is_some()),
    }
}

/// Whether a client destroyed an actor, and heard so.
fn was_destroyed(evidence: &Evidence) -> bool {
    evidence.touches.iter().any(|touch| touch.what == TouchKind::Destroyed && touch.done.is_some())
}
