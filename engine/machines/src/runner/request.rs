//! Client requests that come through the engine, those for WebSockets included: given to the instance that runs, held
//! for one that starts, sent back where there is none.

use protocol::error::WebSocketEnd;
use protocol::id::{ActorId, BodyId, ConnId, GatewayId, Generation, RequestId};
use protocol::mark;
use protocol::view::Fact;

use super::end::Life;
use super::instance::Stage;
use super::websocket::{Carried, refuse};
use super::{Effect, Runner};

/// A request that an instance has, or that is held for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) actor: ActorId,
    pub(super) generation: Generation,
    /// The session that asked.
    pub(super) conn: ConnId,
    pub(super) kind: Kind,
    /// The request itself, as long as it is held.
    pub(super) held: Option<BodyId>,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A response.
    Response,
    /// A WebSocket.
    WebSocket(Carried),
}

/// The gateway and the request there.
pub(super) type Name = (GatewayId, RequestId);

impl Runner {
    pub(super) fn request(
        &mut self,
        conn: ConnId,
        name: Name,
        actor: ActorId,
        (kind, body): (Kind, BodyId),
        out: &mut Vec<Effect>,
    ) {
        let taken = self.requests.get(&name);
        if taken.is_some_and(|other| other.conn == conn) {
            // To send this one back would be taken for the other one.
            mark!("runner_request_twice");
            out.push(Effect::Drop { body });
            return;
        }
        if taken.is_some() || self.requests.len() >= self.options.requests_max {
            mark!("runner_overloaded");
            out.push(match kind {
                Kind::Response => Effect::SendOverloaded { conn, gateway: name.0, request: name.1 },
                Kind::WebSocket(_) => refuse(conn, name, WebSocketEnd::Overloaded),
            });
            out.push(Effect::Drop { body });
            return;
        }
        let ready = match self.instances.get(&actor) {
            Some(instance) => match instance.stage {
                Stage::Starting { stop: false } => Some((instance.generation, Some(body))),
                Stage::Running => Some((instance.generation, None)),
                Stage::Starting { stop: true } | Stage::Stopping | Stage::Cut => None,
            },
            None => None,
        };
        let Some((generation, held)) = ready else {
            mark!("runner_undelivered");
            out.push(undelivered(conn, name, kind));
            out.push(Effect::Drop { body });
            return;
        };
        self.requests.insert(name, Request { actor, generation, conn, kind, held });
        self.instances.get_mut(&actor).expect("it was found above").requests.push(name);
        if held.is_none() {
            deliver(actor, generation, name, body, out);
        }
    }

    /// Gives an instance that has started what was held for it.
    pub(super) fn deliver_held(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        for name in self.instances[&actor].requests.clone() {
            let request = self.requests.get_mut(&name).expect("an instance's request is known");
            if let Some(body) = request.held.take() {
                mark!("runner_held_request");
                deliver(actor, request.generation, name, body, out);
            }
        }
    }

    pub(super) fn request_abort(&mut self, name: Name, out: &mut Vec<Effect>) {
        if self.requests.get(&name).is_none_or(|request| request.kind != Kind::Response) {
            return;
        }
        let request = self.forget_request(name).expect("it was found above");
        match request.held {
            Some(body) => out.push(Effect::Drop { body }),
            None => out.push(Effect::Cancel {
                actor: request.actor,
                generation: request.generation,
                gateway: name.0,
                request: name.1,
            }),
        }
    }

    /// Takes a response. One that nobody waits for any more is dropped.
    pub(super) fn respond(
        &mut self,
        instance: (ActorId, Generation),
        name: Name,
        body: BodyId,
        out: &mut Vec<Effect>,
    ) {
        let asked = self.requests.get(&name);
        let has = |r: &Request| r.held.is_none() && r.kind == Kind::Response;
        if !asked.is_some_and(|r| has(r) && (r.actor, r.generation) == instance) {
            out.push(Effect::Drop { body });
            return;
        }
        self.forget_request(name);
        let (gateway, request) = name;
        if let Some(conn) = self.link.open() {
            out.push(Effect::SendResponse { conn, gateway, request, body });
        } else if self.responses.len() < self.options.responses_max && !self.is_ending() {
            mark!("runner_response_kept");
            self.responses.push_back((gateway, request, body));
        } else {
            mark!("runner_response_dropped");
            out.push(Effect::Drop { body });
        }
    }

    /// Sends back what is held for an instance that will not take it.
    pub(super) fn return_held(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        for name in self.instances[&actor].requests.clone() {
            if self.requests[&name].held.is_some() {
                self.end_request(name, out);
            }
        }
    }

    /// Gives up every request of an instance that has ended or lost its rights.
    pub(super) fn end_requests(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        for name in self.instances[&actor].requests.clone() {
            self.end_request(name, out);
        }
    }

    /// Gives a request up: the engine is told, if it is on the session that asked, whether user code saw it.
    fn end_request(&mut self, name: Name, out: &mut Vec<Effect>) {
        let request = *self.requests.get(&name).expect("an instance's request is known");
        let asks = self.link.open() == Some(request.conn);
        let (conn, (gateway, id)) = (request.conn, name);
        match (request.held, request.kind) {
            (Some(body), kind) => {
                if asks {
                    out.push(undelivered(conn, name, kind));
                }
                out.push(Effect::Drop { body });
            }
            (None, Kind::WebSocket(_)) => return self.end_websocket(name, WebSocketEnd::ActorLost, out),
            (None, Kind::Response) if asks => out.push(Effect::SendAbort { conn, gateway, request: id }),
            (None, Kind::Response) => {}
        }
        self.forget_request(name);
    }

    /// The session is gone: its gateway gets no answer to what is held, so user code shall not see it; and a WebSocket is
    /// over with the session that carried it.
    pub(super) fn requests_disconnected(&mut self, out: &mut Vec<Effect>) {
        let over = |(name, request): (&Name, &Request)| {
            let websocket = matches!(request.kind, Kind::WebSocket(_));
            (websocket || request.held.is_some()).then_some((*name, request.held.is_some()))
        };
        let over: Vec<(Name, bool)> = self.requests.iter().filter_map(over).collect();
        for (name, held) in over {
            if held {
                mark!("runner_held_dropped");
                self.end_request(name, out);
            } else {
                mark!("runner_websocket_disconnected");
                self.end_websocket(name, WebSocketEnd::Disconnected, out);
            }
        }
    }

    pub(super) fn forget_request(&mut self, name: Name) -> Option<Request> {
        let request = self.requests.remove(&name)?;
        let instance = self.instances.get_mut(&request.actor).expect("a request's instance has not ended");
        instance.requests.retain(|other| *other != name);
        Some(request)
    }

    pub(super) const fn is_ending(&self) -> bool {
        matches!(self.life, Life::Ending { .. } | Life::Ended)
    }
}

/// The request reached no actor.
fn undelivered(conn: ConnId, name: Name, kind: Kind) -> Effect {
    match kind {
        Kind::Response => Effect::SendUndelivered { conn, gateway: name.0, request: name.1 },
        Kind::WebSocket(_) => refuse(conn, name, WebSocketEnd::NotHere),
    }
}

fn deliver(actor: ActorId, generation: Generation, name: Name, body: BodyId, out: &mut Vec<Effect>) {
    let (gateway, request) = name;
    out.push(Effect::Deliver { actor, generation, gateway, request, body });
}

/// User code has a request: what was delivered may still have waited behind others, or behind a stop.
pub(super) fn begun(actor: ActorId, generation: Generation, name: Name, out: &mut Vec<Effect>) {
    let mut request = [0; 8];
    request[..4].copy_from_slice(&name.0.0);
    request[4..].copy_from_slice(&name.1.0);
    out.push(Effect::Fact(Fact::Delivered { actor, generation, request }));
}
