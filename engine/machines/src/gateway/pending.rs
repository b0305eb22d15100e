//! One request that has not ended: for whom, until when, how far it is.

use protocol::id::{ActorId, ConnId, Generation, RequestId};
use protocol::time::Mono;

/// A request that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) actor: ActorId,
    /// Whether it may be carried out twice.
    pub(super) safe: bool,
    /// It is not forwarded any more from then on. Counts from the arrival, over all attempts.
    pub(super) ready_by: Mono,
    /// How often it was forwarded.
    pub(super) attempts: u32,
    /// The id it wants on the wire next, if that is free.
    pub(super) wants: RequestId,
    /// Ids it has or had on the wire, kept until it ends so that no other request is mistaken for it. The last one is
    /// that of the current attempt.
    pub(super) ids: Vec<RequestId>,
    pub(super) stage: Stage,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Held until its actor is ready.
    Waiting {
        /// The runner sent it back: not again before this, unless the route changes.
        held: Option<Mono>,
    },
    /// With the runner.
    Forwarded {
        conn: ConnId,
        generation: Generation,
        /// Whether a part of the response was passed on.
        begun: bool,
        /// The next part must come by then.
        by: Mono,
    },
}

impl Pending {
    pub(super) const fn new(actor: ActorId, safe: bool, fresh: RequestId, ready_by: Mono) -> Self {
        let stage = Stage::Waiting { held: None };
        Self { actor, safe, ready_by, attempts: 0, wants: fresh, ids: Vec::new(), stage }
    }

    /// The id of the current attempt, if there is one.
    pub(super) fn id(&self) -> Option<RequestId> {
        match self.stage {
            Stage::Waiting { .. } => None,
            Stage::Forwarded { .. } => self.ids.last().copied(),
        }
    }

    pub(super) fn due(&self) -> Mono {
        match self.stage {
            Stage::Waiting { held } => held.map_or(self.ready_by, |held| held.min(self.ready_by)),
            Stage::Forwarded { by, .. } => by,
        }
    }

    pub(super) fn due_reason(&self) -> &'static str {
        match self.stage {
            Stage::Waiting { held: Some(held) } if held < self.ready_by => "retry",
            Stage::Waiting { .. } => "actor ready",
            Stage::Forwarded { begun: false, .. } => "response start",
            Stage::Forwarded { begun: true, .. } => "response chunk",
        }
    }
}
