//! From what the machine wants to user code, and words to the session.

use std::future::ready;
use std::sync::Arc;

use machines::instance::{Effect, Hook, Refusal, Saved};
use machines::runner::input::InstanceEvent;
use machines::schedule;
use protocol::error::{ErrorBody, WebSocketEnd};
use protocol::id::Ticket;

use super::connections::{self, Call};
use super::requests::{Content, Id, refusal_of};
use super::store::{self, Read, Way};
use super::{Driver, Finished, path};
use crate::actor::subject::Boxed;
use crate::actor::{ActorError, Response, SaveError, WebSocket, state};

impl Driver {
    /// Carries one effect out.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Load => {
                let (keeps, acts) = (self.subject.keeps_state(), self.subject.has_actions());
                self.store = Some(if keeps || acts {
                    Box::pin(store::read(self.voice.clone(), keeps))
                } else {
                    Box::pin(ready(Way::Read(Read::Nothing, Vec::new())))
                });
            }
            Effect::Call(hook) => self.call(hook),
            Effect::Started => {
                self.voice.say(InstanceEvent::Started);
                self.schedule(schedule::Input::Start);
            }
            Effect::Take { ticket } => self.take(ticket),
            Effect::Refuse { ticket, refusal } => self.refuse(ticket, refusal),
            Effect::TimeOut { ticket } => self.time_out(ticket),
            Effect::Abandon { ticket } => self.requests.abandon(ticket),
            Effect::Save { begun } => self.save(begun),
            Effect::TellSaved { ticket, outcome } => {
                let saver = self.savers.remove(&ticket).expect("whoever waits for a write is told once");
                // One that waits no more does not want to know.
                saver.send(outcome.map_err(SaveError::from)).ok();
            }
            Effect::Sleep => self.voice.say(InstanceEvent::Sleep),
            Effect::Destroy => self.voice.say(InstanceEvent::Destroy),
            Effect::Stopping => {
                self.stopping.fire();
                self.schedule(schedule::Input::Suspend);
                self.settle_schedules();
            }
            Effect::Drop => {
                self.drops += 1;
                self.code.clear();
                self.calls.clear();
                self.requests.clear();
            }
            Effect::Ended { error } => {
                self.drops += 1;
                self.store = None;
                self.over = Some(error);
            }
        }
    }

    fn call(&mut self, hook: Hook) {
        if hook == Hook::Destroy {
            self.schedule(schedule::Input::Destroy);
        }
        let (code, actor) = (self.subject.hook(hook), self.voice.actor());
        self.code.push(Box::pin(async move {
            let error = code.await.err().map(|error| {
                tracing::warn!(%actor, ?hook, err = %error, "a hook of the actor failed");
                error.to_string()
            });
            Finished::Hook(hook, error)
        }));
    }

    fn take(&mut self, ticket: Ticket) {
        if let Some(work) = self.tasks.remove(&ticket) {
            self.code.push(Box::pin(async move {
                work.await;
                Finished::Work(ticket)
            }));
            return;
        }
        if let Some(call) = self.calls.get_mut(&ticket) {
            let (name, args) = (std::mem::take(&mut call.name), call.args.take());
            let exposes = self.exposes;
            let output = self.subject.action(&name, args, Some(call.connection.clone()));
            self.code.push(Box::pin(async move {
                let outcome = match output {
                    Some(output) => connections::called(output, exposes).await,
                    None => Err(no_action(&name)),
                };
                Finished::Call(ticket, outcome)
            }));
            return;
        }
        if let Some(socket) = self.sockets.remove(&ticket) {
            let code: Boxed<()> = match socket {
                path::Socket::Raw(socket) => self.subject.websocket(socket),
                path::Socket::Connection(socket) => {
                    let core = Arc::clone(&self.core);
                    Box::pin(connections::serve(self.subject.client(), core, socket, self.exposes))
                }
            };
            self.code.push(Box::pin(async move {
                code.await;
                Finished::Work(ticket)
            }));
            return;
        }
        if self.take_due(ticket) {
            return;
        }
        let (id, content) = self.requests.begin(ticket).expect("a work is something that was asked for");
        self.voice.say(InstanceEvent::Begun { gateway: id.0, request: id.1 });
        let answer: Boxed<Result<Response, ActorError>> = match content {
            Content::Request(request) => self.subject.request(request),
            Content::Action { name, args, .. } => match self.subject.action(&name, args, None) {
                Some(output) => Box::pin(async move { Ok(Response::output(&output.await?)) }),
                None => Box::pin(ready(Ok(Response::json(&no_action(&name)).with_status(404)))),
            },
        };
        let (actor, exposes) = (self.voice.actor(), self.exposes);
        self.code.push(Box::pin(async move {
            let response = answer.await.unwrap_or_else(|error| {
                tracing::debug!(%actor, err = %error, "a request failed");
                error.into_response(exposes)
            });
            Finished::Request(ticket, id, response)
        }));
    }

    /// Sends the answer of a request, which is the last of its work.
    pub(super) fn respond(&mut self, ticket: Ticket, id: Id, response: Response) {
        let voice = self.voice.clone();
        self.code.push(Box::pin(async move {
            voice.respond(id.0, id.1, response.within_limits().into_wire()).await;
            Finished::Work(ticket)
        }));
    }

    fn refuse(&mut self, ticket: Ticket, refusal: Refusal) {
        if let Some(id) = self.requests.id(ticket) {
            self.requests.forget(ticket);
            self.voice.answer(id, refusal_of(refusal));
        } else if let Some(socket) = self.sockets.remove(&ticket) {
            refuse_websocket(socket.inner(), refusal);
        } else if let Some(call) = self.calls.remove(&ticket) {
            Call::answer(&call.connection, call.id, Err(refused_call(refusal)));
        } else if !self.refuse_due(ticket, refusal) {
            tracing::debug!(actor = %self.voice.actor(), ?refusal, "work in the background was not begun");
            self.tasks.remove(&ticket);
        }
    }

    fn time_out(&self, ticket: Ticket) {
        let message = "The action takes too long; it goes on without an answer.".to_owned();
        let body = path::error("action_timed_out", message);
        if let Some(call) = self.calls.get(&ticket) {
            return Call::answer(&call.connection, call.id, Err(body));
        }
        // Nobody waits for what was scheduled.
        if let Some(id) = self.requests.id(ticket) {
            self.voice.answer(id, Response::json(&body).with_status(408));
        }
    }

    fn save(&mut self, begun: bool) {
        self.core.clean();
        let way: Boxed<Way> = match self.subject.encode() {
            Ok(state) => {
                let next = state::Stored { begun, state: state.into() };
                if self.stored.as_ref() == Some(&next) {
                    // Changed, and changed back.
                    Box::pin(ready(Way::Written(Saved::Done)))
                } else {
                    self.writing = Some(next.clone());
                    Box::pin(store::write(self.voice.clone(), next))
                }
            }
            Err(error) => {
                tracing::warn!(actor = %self.voice.actor(), err = %error, "the state of the actor is no JSON");
                Box::pin(ready(Way::Written(Saved::Unfit)))
            }
        };
        self.store = Some(way);
    }
}

/// Closes a WebSocket that is not taken. One that comes too late has reached nobody: it may be tried elsewhere.
fn refuse_websocket(socket: &WebSocket, refusal: Refusal) {
    match refusal {
        Refusal::Starting | Refusal::Stopping => {
            let end = WebSocketEnd::NotHere;
            socket.close(end.code(), end.as_str());
        }
        Refusal::Overloaded => {
            protocol::mark!("sdk_instance_overloaded");
            socket.close(1011, "actor.overloaded");
        }
    }
}

/// What a call on a connection is answered that is not taken.
fn refused_call(refusal: Refusal) -> ErrorBody {
    let (code, message) = match refusal {
        Refusal::Starting | Refusal::Stopping => ("stopping", "The actor stops."),
        Refusal::Overloaded => ("overloaded", "The actor has as many calls as it takes."),
    };
    path::error(code, message.to_owned())
}

fn no_action(name: &str) -> ErrorBody {
    let name = protocol::error::cut(name, protocol::limits::NAME_BYTES_MAX);
    path::error("action_not_found", format!("This actor has no action named {name:?}."))
}
