//! Stopping an actor that is allocated.

use protocol::id::ActorId;
use protocol::mark;

use super::Control;
use super::generation::stop_command;
use super::record::{Phase, Stage, StopCause};
use super::step::Step;

impl Control {
    /// Asks the runner to stop the actor's generation; what follows is decided by the cause when it has stopped.
    /// While it stops already, only the wish to destroy it replaces the earlier cause, and the deadline stays.
    pub(super) fn stop(&mut self, step: &mut Step, id: ActorId, cause: StopCause) {
        let actor = self.actors.known(id);
        let generation = actor.generation.expect("an allocated actor has a generation");
        let Phase::Allocated { runner, stage, last_event } = actor.phase.clone() else {
            unreachable!("only an allocated actor is asked to stop");
        };
        let asked = self.now.wall + self.options.stop_threshold;
        let (stage, first) = match stage {
            Stage::Starting { .. } => (Stage::Stopping { cause, ran: false, deadline: asked }, true),
            Stage::Running => (Stage::Stopping { cause, ran: true, deadline: asked }, true),
            Stage::Stopping { cause: StopCause::Destroy, .. } => return,
            Stage::Stopping { ran, deadline, .. } if cause == StopCause::Destroy => {
                mark!("control.destroy_while_stopping");
                (Stage::Stopping { cause, ran, deadline }, false)
            }
            Stage::Stopping { .. } => return,
        };
        self.set_phase(step, id, Phase::Allocated { runner, stage, last_event });
        // Before the barrier nothing is sent: the stop then follows with what is resent.
        if let (true, Some(conn)) = (first, self.ready_conn(runner)) {
            step.command(conn, stop_command(id, generation));
        }
    }
}
