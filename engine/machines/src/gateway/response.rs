//! Responses, matched to requests by session and id. Whatever matches none is dropped: a late answer to an earlier
//! attempt, one from another session, one nobody waits for.

use protocol::error::{ApiError, WebSocketEnd};
use protocol::id::{BodyId, ConnId, RequestId, Ticket};
use protocol::limits::BODY_BYTES_MAX;
use protocol::mark;
use protocol::time::Now;

use super::pending::{Kind, Stage};
use super::{Effect, Gateway};

/// A part of a response.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) conn: ConnId,
    pub(super) request: RequestId,
    pub(super) body: BodyId,
    pub(super) more: bool,
}

impl Gateway {
    pub(super) fn response_start(&mut self, now: Now, part: Part, undelivered: bool, out: &mut Vec<Effect>) {
        let Some(ticket) = self.awaiting(part.conn, part.request, false) else {
            mark!("gateway_late_response");
            out.push(Effect::Drop { body: part.body });
            return;
        };
        if undelivered {
            mark!("gateway_undelivered");
            out.push(Effect::Drop { body: part.body });
            self.sent_back(now, ticket, out);
        } else {
            self.respond(now, ticket, part, out);
        }
    }

    /// The runner does not host what it was asked for. Once, it may just have ended, and the word of it be on its way; the
    /// same again after a while, and the runner has never heard of it: it is a later process under the same identity.
    pub(super) fn sent_back(&mut self, now: Now, ticket: Ticket, out: &mut Vec<Effect>) {
        let pending = self.pending.get_mut(&ticket).expect("a ticket in an index is pending");
        let Stage::Forwarded { conn, generation, .. } = pending.stage else {
            unreachable!("only a forwarded request has a response");
        };
        if pending.sent_back.replace((conn, generation)) == Some((conn, generation)) {
            mark!("gateway_disowned");
            out.push(Effect::Disowned { actor: pending.actor, generation, conn });
        }
        let attempts = pending.attempts;
        self.back(now, ticket, true, ApiError::GuardRetryAttemptsExceeded { attempts }, out);
    }

    pub(super) fn response_chunk(&mut self, now: Now, part: Part, out: &mut Vec<Effect>) {
        match self.awaiting(part.conn, part.request, true) {
            Some(ticket) => self.respond(now, ticket, part, out),
            None => out.push(Effect::Drop { body: part.body }),
        }
    }

    /// What follows of it is not wanted either; the runner and its other requests go on.
    pub(super) fn response_too_large(&mut self, conn: ConnId, request: RequestId, out: &mut Vec<Effect>) {
        let awaiting = [true, false].into_iter().find_map(|begun| self.awaiting(conn, request, begun));
        if let Some(ticket) = awaiting {
            mark!("gateway_response_too_large");
            self.abort(ticket, WebSocketEnd::MessageTooLarge, out);
            self.fail(ticket, ApiError::GuardResponseBodyTooLarge { limit: BODY_BYTES_MAX }, out);
        }
    }

    pub(super) fn response_abort(
        &mut self,
        now: Now,
        conn: ConnId,
        request: RequestId,
        out: &mut Vec<Effect>,
    ) {
        if let Some(ticket) = self.awaiting(conn, request, true) {
            mark!("gateway_response_broken_off");
            self.fail(ticket, ApiError::GuardTunnelRequestAborted, out);
        } else if let Some(ticket) = self.awaiting(conn, request, false) {
            if self.get(ticket).is_repeatable() {
                self.back(now, ticket, true, ApiError::GuardTunnelRequestAborted, out);
            } else {
                self.fail(ticket, ApiError::GuardTunnelRequestAborted, out);
            }
        }
    }

    /// The request that waits for the head of its response (`begun` false) or for a further part of it under this id
    /// on this session.
    fn awaiting(&self, conn: ConnId, request: RequestId, begun: bool) -> Option<Ticket> {
        let ticket = self.current(request)?;
        let pending = self.get(ticket);
        let wants_response = matches!(pending.kind, Kind::Response { .. });
        match pending.stage {
            Stage::Forwarded { conn: c, begun: b, .. } if c == conn && b == begun && wants_response => {
                Some(ticket)
            }
            Stage::Forwarded { .. } | Stage::Waiting { .. } | Stage::Open(_) => None,
        }
    }

    /// The request whose current attempt has this id.
    pub(super) fn current(&self, request: RequestId) -> Option<Ticket> {
        self.ids.get(&request).copied().filter(|ticket| self.get(*ticket).id() == Some(request))
    }

    fn respond(&mut self, now: Now, ticket: Ticket, part: Part, out: &mut Vec<Effect>) {
        out.push(Effect::Respond { ticket, body: part.body, more: part.more });
        if !part.more {
            self.forget(ticket, out);
            return;
        }
        let Stage::Forwarded { conn, generation, .. } = self.get(ticket).stage else {
            unreachable!("only a forwarded request has a response");
        };
        let by = now.mono + self.options.response_timeout;
        self.set_stage(ticket, Stage::Forwarded { conn, generation, begun: true, by });
    }
}
