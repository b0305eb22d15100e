//! A generation that runs by our books, and which its runner does not host.
//!
//! A runner that dials again under its identity within the grace keeps its actors. One that says nothing of its incarnation
//! may be a later process that has never heard of them; what it answers to requests tells.

use protocol::error::CloseReason;
use protocol::id::{ActorId, ConnId, Generation};
use protocol::mark;

use super::Control;
use super::record::{Phase, Stage};
use super::step::Step;

impl Control {
    /// If the generation is still what the route said when the runner was asked, the runner is lost, and asked to come back
    /// as another: the process that hosted it may live on, and must not be taken for this one when it dials.
    pub(super) fn disowned(&mut self, step: &mut Step, id: ActorId, generation: Generation, conn: ConnId) {
        if self.reading {
            return;
        }
        let Some(actor) = self.actors.get(id).filter(|actor| actor.generation == Some(generation)) else {
            return;
        };
        let Phase::Allocated { runner, stage: Stage::Running, .. } = actor.phase else { return };
        if self.ready_conn(runner) == Some(conn) {
            mark!("control.generation_disowned");
            self.remove_runner(step, runner, CloseReason::GoingAway);
        }
    }
}
