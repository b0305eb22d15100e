//! KV requests: sent once, sent again after a drop where that changes nothing, answered or failed within a bound.

use protocol::id::{ActorId, BodyId, ConnId, Generation, Ticket};
use protocol::mark;
use protocol::time::{Mono, Now};

use super::end::Life;
use super::instance::Stage;
use super::{Effect, Runner, StoreFailure};

/// A KV request without answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kv {
    pub(super) actor: ActorId,
    asked: Asked,
    /// Whether it was ever sent: then it may have had its effect.
    pub(super) sent: bool,
    /// Whether it was sent on an earlier session too: then even its refusal leaves its effect open.
    again: bool,
    pub(super) by: Mono,
}

/// A KV request as the instance asked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) ticket: Ticket,
    pub(super) repeatable: bool,
    pub(super) body: BodyId,
}

impl Kv {
    const fn failure(&self) -> StoreFailure {
        if self.sent { StoreFailure::Indeterminate } else { StoreFailure::NotDone }
    }
}

impl Runner {
    pub(super) fn kv_request(
        &mut self,
        now: Now,
        (actor, generation): (ActorId, Generation),
        asked: Asked,
        out: &mut Vec<Effect>,
    ) {
        let full = self.kv.len() >= self.options.kv_max;
        let ending = matches!(self.life, Life::Ending { .. } | Life::Ended);
        let id = self.free_kv_id();
        let by = now.mono + self.options.kv_timeout;
        let entitled = self.live(actor, generation).filter(|instance| instance.stage != Stage::Cut);
        let Some(instance) = entitled.filter(|_| !full && !ending) else {
            mark!("runner_kv_not_entitled");
            out.push(Effect::KvFailed { ticket: asked.ticket, failure: StoreFailure::NotDone });
            return;
        };
        instance.kv.insert(id);
        self.next_kv = id.wrapping_add(1);
        self.kv.insert(id, Kv { actor, asked, sent: false, again: false, by });
        self.kv_due.insert((by, id));
        if let Some(conn) = self.link.open() {
            self.send_kv(conn, id, out);
        }
    }

    /// The next id on the wire. Ids wrap after four billion requests, long after the earlier ones have timed out.
    fn free_kv_id(&self) -> u32 {
        let mut id = self.next_kv;
        while self.kv.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        id
    }

    fn send_kv(&mut self, conn: ConnId, id: u32, out: &mut Vec<Effect>) {
        let kv = self.kv.get_mut(&id).expect("only a known request is sent");
        kv.again = kv.sent;
        kv.sent = true;
        out.push(Effect::SendKv { conn, actor: kv.actor, request: id, body: kv.asked.body });
    }

    pub(super) fn kv_response(&mut self, id: u32, body: BodyId, out: &mut Vec<Effect>) {
        match self.forget_kv(id) {
            Some(kv) => out.push(Effect::KvDone { ticket: kv.asked.ticket, body }),
            None => {
                mark!("runner_kv_late_answer");
                out.push(Effect::Drop { body });
            }
        }
    }

    /// A refusal is an answer like any other to what was sent once. Of what was sent before on a session that dropped,
    /// it says that the last sending had no effect, and nothing about the others.
    pub(super) fn kv_refused(&mut self, id: u32, body: BodyId, out: &mut Vec<Effect>) {
        if self.kv.get(&id).is_some_and(|kv| kv.again) {
            mark!("runner_kv_refused_again");
            out.push(Effect::Drop { body });
            self.fail_kv(id, out);
        } else {
            self.kv_response(id, body, out);
        }
    }

    /// The session is gone: what may have had its effect and must not be sent again fails at once.
    pub(super) fn kv_disconnected(&mut self, out: &mut Vec<Effect>) {
        let lost: Vec<u32> =
            self.kv.iter().filter(|(_, kv)| kv.sent && !kv.asked.repeatable).map(|(id, _)| *id).collect();
        for id in lost {
            mark!("runner_kv_indeterminate");
            self.fail_kv(id, out);
        }
    }

    /// The session is back under the same runner id: whatever has no answer is sent, in the order it was asked.
    pub(super) fn kv_reconnected(&mut self, conn: ConnId, out: &mut Vec<Effect>) {
        let ids: Vec<u32> = self.kv.keys().copied().collect();
        for id in ids {
            if self.kv[&id].sent {
                mark!("runner_kv_resent");
            }
            self.send_kv(conn, id, out);
        }
    }

    /// Fails every KV request of an instance that has ended or lost its rights, so that none is sent after its end.
    pub(super) fn end_kv(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        let instance = self.instances.get_mut(&actor).expect("its requests end before it does");
        for id in std::mem::take(&mut instance.kv) {
            self.fail_kv(id, out);
        }
    }

    pub(super) fn fail_kv(&mut self, id: u32, out: &mut Vec<Effect>) {
        let kv = self.forget_kv(id).expect("only a known request fails");
        out.push(Effect::KvFailed { ticket: kv.asked.ticket, failure: kv.failure() });
    }

    fn forget_kv(&mut self, id: u32) -> Option<Kv> {
        let kv = self.kv.remove(&id)?;
        assert!(self.kv_due.remove(&(kv.by, id)), "KV request {id} had a deadline");
        if let Some(instance) = self.instances.get_mut(&kv.actor) {
            instance.kv.remove(&id);
        }
        Some(kv)
    }
}
