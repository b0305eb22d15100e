//! The fence: a KV request is taken only from the session of the runner that hosts the actor's current generation.
//! Reading at a caller's wish passes it: it changes nothing, and sees what is committed.

use protocol::error::ApiError;
use protocol::id::{ActorId, BodyId, ConnId, Generation, RunnerId, Ticket};
use protocol::mark;
use protocol::view::Fact;

use super::Control;
use super::effect::{Effect, Message};
use super::input::KvOp;
use super::record::Phase;
use super::step::Step;

/// A KV request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) request: u32,
    pub(super) actor: ActorId,
    pub(super) op: KvOp,
    pub(super) body: BodyId,
}

impl Control {
    /// Carries a request out within the step's transaction, or refuses it.
    pub(super) fn kv(&mut self, step: &mut Step, conn: ConnId, runner: RunnerId, kv: Request) {
        let Request { request, actor, op, body } = kv;
        let Some(generation) = self.assigned(actor, runner) else {
            mark!("control.kv_refused");
            let message = "the actor is not assigned to this session";
            step.send(conn, Message::KvRefused { request, message });
            step.perform(Effect::Drop { body });
            return;
        };
        step.write(Effect::Kv { actor, generation, conn, request, body });
        match op {
            KvOp::Read => {}
            KvOp::Write => step.fact(Fact::KvCommitted { actor, generation, conn }),
        }
    }

    /// Reads for a caller, whoever hosts the actor, if anybody.
    pub(super) fn read_kv(
        &self,
        step: &mut Step,
        ticket: Ticket,
        namespace: Option<&str>,
        actor: ActorId,
        body: BodyId,
    ) {
        let Err(refused) = self.living(namespace, actor) else {
            return step.write(Effect::ReadKv { ticket, actor, body });
        };
        assert!(
            matches!(refused, ApiError::ActorNotFound | ApiError::NamespaceNotFound),
            "a read is refused only where there is nothing to read: {refused:?}"
        );
        step.perform(Effect::Drop { body });
        step.answer(ticket, Err(refused));
    }

    /// The generation of the actor that is assigned to the runner.
    pub(super) fn assigned(&self, actor: ActorId, runner: RunnerId) -> Option<Generation> {
        let actor = self.actors.get(actor)?;
        match actor.phase {
            Phase::Allocated { runner: host, .. } if host == runner => actor.generation,
            Phase::Allocated { .. }
            | Phase::Pending { .. }
            | Phase::Sleeping
            | Phase::Backoff { .. }
            | Phase::Destroyed => None,
        }
    }
}
