//! From what the machine wants to user code, and words to the session.

use std::future::ready;

use machines::instance::{Effect, Hook, Refusal, Saved};
use machines::runner::input::InstanceEvent;
use machines::schedule;
use protocol::id::Ticket;

use super::requests::{Content, Id, refusal_of};
use super::store::{self, Read, Way};
use super::{Driver, Finished, path};
use crate::actor::subject::Boxed;
use crate::actor::{ActorError, Response, SaveError, state};

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
        if self.take_due(ticket) {
            return;
        }
        let (id, content) = self.requests.begin(ticket).expect("a work is a task, a run or a request");
        self.voice.say(InstanceEvent::Begun { gateway: id.0, request: id.1 });
        let answer: Boxed<Result<Response, ActorError>> = match content {
            Content::Request(request) => self.subject.request(request),
            Content::Action { name, args, .. } => match self.subject.action(&name, args) {
                Some(output) => Box::pin(async move { Ok(Response::output(&output.await?)) }),
                None => Box::pin(ready(Ok(no_action(&name)))),
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
        } else if !self.refuse_due(ticket, refusal) {
            tracing::debug!(actor = %self.voice.actor(), ?refusal, "work in the background was not begun");
            self.tasks.remove(&ticket);
        }
    }

    fn time_out(&self, ticket: Ticket) {
        // Nobody waits for what was scheduled.
        let Some(id) = self.requests.id(ticket) else { return };
        let message = "The action takes too long; it goes on without an answer.".to_owned();
        self.voice.answer(id, path::refused(408, "action_timed_out", message));
    }

    fn save(&mut self, begun: bool) {
        self.core.clean();
        let way: Boxed<Way> = match self.subject.encode() {
            Ok(state) => {
                let stored = state::Stored { begun, state: state.into() };
                Box::pin(store::write(self.voice.clone(), stored))
            }
            Err(error) => {
                tracing::warn!(actor = %self.voice.actor(), err = %error, "the state of the actor is no JSON");
                Box::pin(ready(Way::Written(Saved::Unfit)))
            }
        };
        self.store = Some(way);
    }
}

fn no_action(name: &str) -> Response {
    let name = protocol::error::cut(name, protocol::limits::NAME_BYTES_MAX);
    path::refused(404, "action_not_found", format!("This actor has no action named {name:?}."))
}
