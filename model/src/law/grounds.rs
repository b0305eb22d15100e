//! What a law must be shown before its silence means anything.
//!
//! A law that finds no breach in evidence that was never gathered has not held: nobody looked.

use protocol::view::Fact;

use crate::evidence::Evidence;
use crate::history::Op;

use super::Law;

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
        Law::LostIsLost => told(|fact| matches!(fact, Fact::Placed { .. })),
        Law::StreamsEndOnce => {
            told(|fact| matches!(fact, Fact::StreamOpened { .. } | Fact::EventStreamEnded { .. }))
        }
    }
}
