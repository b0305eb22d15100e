//! Routes: when a request is forwarded, and what becomes of it when its session or generation is gone.

use protocol::error::{ApiError, WebSocketEnd};
use protocol::id::{ActorId, ConnId, Generation, RequestId, Ticket};
use protocol::mark;
use protocol::time::Now;
use protocol::view::Fact;

use super::pending::{Kind, Stage};
use super::{Effect, Gateway};
use crate::route::Route;

impl Gateway {
    /// Takes the route of an actor. One that nobody watches any more crossed the end of its watch.
    pub(super) fn route(&mut self, now: Now, actor: ActorId, route: Route, out: &mut Vec<Effect>) {
        let Some(watched) = self.watched.get_mut(&actor) else { return };
        let changed = watched.route != Some(route);
        watched.route = Some(route);
        let tickets: Vec<Ticket> = watched.tickets.iter().copied().collect();
        for ticket in tickets {
            match self.get(ticket).stage {
                Stage::Waiting { held: Some(_) } if !changed => {}
                Stage::Waiting { .. } => {
                    self.set_stage(ticket, Stage::Waiting { held: None });
                    self.try_again(now, ticket, out);
                }
                Stage::Forwarded { conn, generation, .. } => {
                    // Also when there is no such actor any more: `actor.not_found` would say that it had none of it.
                    if !route.hosts(conn, generation) {
                        self.lost(now, ticket, out);
                    }
                }
                Stage::Open(open) => self.open_route(ticket, open, route, out),
            }
        }
    }

    /// The session or the generation that has the request is gone: no answer will come.
    fn lost(&mut self, now: Now, ticket: Ticket, out: &mut Vec<Effect>) {
        self.abort(ticket, WebSocketEnd::ActorLost, out);
        let pending = self.pending.get_mut(&ticket).expect("a ticket in an index is pending");
        let Stage::Forwarded { begun, .. } = pending.stage else {
            unreachable!("only a forwarded request can be lost");
        };
        // An answer to this attempt may still come on the same session: the next attempt must not take it for its own.
        pending.wants = RequestId::from_u32(pending.wants.to_u32().wrapping_add(1));
        if pending.is_repeatable() && !begun {
            mark!("gateway_repeat_safe");
            self.back(now, ticket, false, ApiError::GuardTunnelResponseClosed, out);
        } else {
            mark!("gateway_response_lost");
            self.fail(ticket, ApiError::GuardTunnelResponseClosed, out);
        }
    }

    /// Puts a forwarded request back among those that wait; `held` until the route changes or the retry delay is over.
    /// Without attempts or time left it ends in `error`.
    pub(super) fn back(
        &mut self,
        now: Now,
        ticket: Ticket,
        held: bool,
        error: ApiError,
        out: &mut Vec<Effect>,
    ) {
        let pending = self.get(ticket);
        if pending.attempts >= self.options.attempts_max || pending.ready_by <= now.mono {
            mark!("gateway_attempts_over");
            self.fail(ticket, error, out);
            return;
        }
        let held = held.then(|| now.mono + self.options.retry_delay);
        self.set_stage(ticket, Stage::Waiting { held });
        if held.is_none() {
            self.try_again(now, ticket, out);
        }
    }

    /// Does with a waiting request what its actor's route says.
    pub(super) fn try_again(&mut self, now: Now, ticket: Ticket, out: &mut Vec<Effect>) {
        let actor = self.get(ticket).actor;
        let watched = self.watched.get(&actor).expect("an actor with a request is watched");
        match watched.route {
            Some(Route::Unknown | Route::Ending { .. }) => self.fail(ticket, ApiError::ActorNotFound, out),
            Some(Route::Ready { conn, generation }) => self.forward(now, ticket, conn, generation, out),
            Some(Route::Failing) => {
                self.fail(ticket, ApiError::GuardActorRunnerFailed { actor_id: actor }, out)
            }
            Some(Route::Waiting | Route::Struggling | Route::Draining { .. }) | None => {}
        }
    }

    pub(super) fn forward(
        &mut self,
        now: Now,
        ticket: Ticket,
        conn: ConnId,
        generation: Generation,
        out: &mut Vec<Effect>,
    ) {
        if self.get(ticket).ready_by <= now.mono {
            // The step's end fails it: it was held to its last moment, and no attempt begins after that.
            mark!("gateway_ready_too_late");
            return;
        }
        let request = self.claim_id(ticket);
        let by = now.mono
            + match self.get(ticket).kind {
                Kind::Response { .. } => self.options.response_timeout,
                Kind::WebSocket => self.options.open_timeout,
            };
        self.set_stage(ticket, Stage::Forwarded { conn, generation, begun: false, by });
        let pending = self.pending.get_mut(&ticket).expect("a ticket in an index is pending");
        assert!(pending.attempts < self.options.attempts_max, "{ticket:?} has an attempt left");
        let attempt = pending.attempts;
        pending.attempts += 1;
        let actor = pending.actor;
        match pending.kind {
            Kind::Response { safe } => {
                out.push(Effect::Forward { ticket, actor, conn, request });
                out.push(Effect::Fact(Fact::Forwarded { ticket, actor, conn, request, safe, attempt }));
            }
            Kind::WebSocket => out.push(Effect::Open { ticket, actor, conn, request }),
        }
    }

    /// The id of the next attempt: the one the request had, if nothing can be mistaken for its answer, else the next
    /// free one.
    fn claim_id(&mut self, ticket: Ticket) -> RequestId {
        let pending = self.get(ticket);
        let wants = pending.wants;
        if pending.ids.last() == Some(&wants) {
            return wants;
        }
        assert!(self.ids.len() < u32::MAX as usize, "there are more ids than requests");
        let mut id = wants;
        while self.ids.contains_key(&id) {
            mark!("gateway_request_id_taken");
            id = RequestId::from_u32(id.to_u32().wrapping_add(1));
        }
        self.ids.insert(id, ticket);
        let pending = self.pending.get_mut(&ticket).expect("a ticket in an index is pending");
        pending.ids.push(id);
        pending.wants = id;
        id
    }
}
