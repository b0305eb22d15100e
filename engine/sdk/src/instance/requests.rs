//! The requests that an instance has, by ticket and by name.

use std::collections::BTreeMap;

use machines::instance::Refusal;
use protocol::id::{GatewayId, RequestId, Ticket};
use serde_json::Value;

use super::path::refused;
use crate::actor::{AbortSignal, Request, Response};
use crate::session::refusal;

/// A request's name: unique on its session.
pub(super) type Id = (GatewayId, RequestId);

/// What a request asks for.
pub(super) enum Content {
    Action { name: String, args: Value, abort: AbortSignal },
    Request(Request),
}

struct Held {
    id: Id,
    abort: AbortSignal,
    /// Until it is begun.
    content: Option<Content>,
}

#[derive(Default)]
pub(super) struct Requests {
    held: BTreeMap<Ticket, Held>,
    tickets: BTreeMap<Id, Ticket>,
}

impl Requests {
    pub(super) fn enter(&mut self, ticket: Ticket, id: Id, content: Content) {
        let abort = match &content {
            Content::Action { abort, .. } => abort.clone(),
            Content::Request(request) => request.abort_signal().clone(),
        };
        self.held.insert(ticket, Held { id, abort, content: Some(content) });
        self.tickets.insert(id, ticket);
    }

    pub(super) fn ticket(&self, id: Id) -> Option<Ticket> {
        self.tickets.get(&id).copied()
    }

    /// Its name, and what it asks for; none if the ticket is no request's.
    pub(super) fn begin(&mut self, ticket: Ticket) -> Option<(Id, Content)> {
        let held = self.held.get_mut(&ticket)?;
        let content = held.content.take().expect("a request is begun once");
        Some((held.id, content))
    }

    /// Its name, while it has not ended.
    pub(super) fn id(&self, ticket: Ticket) -> Option<Id> {
        self.held.get(&ticket).map(|held| held.id)
    }

    /// Tells it that nobody waits.
    pub(super) fn abandon(&self, ticket: Ticket) {
        if let Some(held) = self.held.get(&ticket) {
            protocol::mark!("sdk_request_cancelled_in_progress");
            held.abort.fire();
        }
    }

    pub(super) fn forget(&mut self, ticket: Ticket) {
        if let Some(held) = self.held.remove(&ticket)
            && self.tickets.get(&held.id) == Some(&ticket)
        {
            self.tickets.remove(&held.id);
        }
    }

    pub(super) fn clear(&mut self) {
        self.held.clear();
        self.tickets.clear();
    }
}

/// What a request is answered that is not taken. One that comes too late has reached nobody: it may be sent to the next
/// generation.
pub(super) fn refusal_of(refusal: Refusal) -> Response {
    match refusal {
        Refusal::Starting | Refusal::Stopping => {
            protocol::mark!("sdk_request_waited_for_a_stopping_instance");
            refusal::undelivered()
        }
        Refusal::Overloaded => {
            protocol::mark!("sdk_instance_overloaded");
            refused(503, "overloaded", "The actor has as many requests as it takes.".to_owned())
        }
    }
}
