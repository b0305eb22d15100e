//! The queue of one actor: messages that are durable before their sender is told, taken in the order they were sent.
//!
//! Whoever takes (`next`) waits until there is something, for as long as it says. Without manual completion what it takes
//! is deleted, durably, before it gets it: at most once. With it a message stays until it is completed, and is there
//! again when the actor falls before; nothing else is handed out meanwhile. A sender may wait for the completion, and is
//! known before its message is stored; it is known in memory only.
//!
//! There is one write at a time ([`flight`]); what comes together meanwhile is the next one. What was claimed for somebody
//! who has gone away before the claim was durable is put back, in its old place.
//!
//! Who waits here does not keep the actor awake, who holds something does: [`Effect::Activity`] tells. Payloads are
//! bodies that the driver holds.
//!
//! Read on: [`send`], [`take`] and [`complete`] are what may be asked, [`flight`] what becomes of it, [`wait`] who waits
//! and how that ends.

use std::collections::BTreeMap;

use protocol::id::Ticket;
use protocol::time::{Mono, Now};

mod check;
mod complete;
mod effect;
mod error;
mod flight;
mod input;
mod message;
mod options;
mod send;
mod take;
mod wait;

pub use crate::storing::{Attempt, Backoff};
pub use effect::{Activity, Answer, Effect, Received};
pub use error::QueueError;
pub use input::{Filter, Input, Post, Reply};
pub use message::{Message, MessageId};
pub use options::{MESSAGE_NAME_BYTES_MAX, Options, TAKE_NAMES_MAX};

use crate::storing::Storing;
use complete::Completing;
use flight::Flight;
use message::{Stage, Stored};
use send::Sending;
use take::{Claim, Taker};
use wait::Wait;

/// The queue of one actor, from one start of it to its stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    options: Options,
    /// As of the last step.
    now: Now,
    /// The actor stops: nobody waits any more.
    stopped: bool,
    /// The last id given out.
    last: MessageId,
    /// As they are stored.
    messages: BTreeMap<MessageId, Stored>,
    /// Not in a write yet, in order.
    sending: Vec<Sending>,
    /// Not in a write yet, in order.
    claims: Vec<Claim>,
    /// Not in a write yet, in order.
    completing: Vec<Completing>,
    /// Deleted for somebody who has gone away: they are put back.
    returned: BTreeMap<MessageId, Message>,
    write: Storing<Flight>,
    /// Who waits for a message, in the order they came.
    takers: Vec<Taker>,
    /// Who waits for the completion of a message.
    waiters: BTreeMap<MessageId, Wait>,
    /// Who waits until all is stored.
    settling: Vec<Ticket>,
    /// As last told.
    activity: Activity,
}

impl Queue {
    /// One of an actor that never had any messages.
    pub fn new(options: Options) -> Self {
        Self::restore(options, Vec::new())
    }

    /// One of an actor that has messages: what somebody held is there again.
    ///
    /// # Panics
    /// When two messages have one id.
    pub fn restore(options: Options, messages: Vec<Message>) -> Self {
        let mut stored = BTreeMap::new();
        for message in messages {
            let id = message.id;
            let before = stored.insert(id, Stored { message, stage: Stage::Ready });
            assert!(before.is_none(), "{id:?} is stored once");
        }
        Self {
            options,
            now: Now::default(),
            stopped: false,
            last: stored.keys().next_back().copied().unwrap_or(MessageId(0)),
            messages: stored,
            sending: Vec::new(),
            claims: Vec::new(),
            completing: Vec::new(),
            returned: BTreeMap::new(),
            write: Storing::new(),
            takers: Vec::new(),
            waiters: BTreeMap::new(),
            settling: Vec::new(),
            activity: Activity::default(),
        }
    }

    /// One step. Effects are appended to `out` in the order they must be performed.
    ///
    /// # Panics
    /// When an attempt ends that does not run: a defect of the driver.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        self.now = now;
        match input {
            Input::Tick => {}
            Input::Send { ticket, post } => self.send(ticket, post, out),
            Input::Next { ticket, filter } => self.next(ticket, filter, out),
            Input::Complete { ticket, message, response } => self.complete(ticket, message, response, out),
            Input::Abort { ticket } => self.abort(|whom| whom == ticket, out),
            Input::Stop => {
                self.stopped = true;
                self.abort(|_| true, out);
            }
            Input::Settle { ticket } => self.settling.push(ticket),
            Input::Written { attempt, ok: true, .. } => self.written(attempt, out),
            Input::Written { attempt, ok: false, jitter } => {
                self.write.failed(attempt, now.mono, &self.options.backoff, jitter);
            }
        }
        self.deal(out);
        self.expire(out);
        self.write_on(out);
        self.settle(out);
        self.tell_activity(out);
    }

    /// When to send [`Input::Tick`] at the latest, and why.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let write = self.write.deadline().map(|at| (at, "queue write"));
        let wait = self.waits().filter_map(|wait| wait.by).min().map(|at| (at, "queue wait"));
        [write, wait].into_iter().flatten().min()
    }

    /// Every message that is stored, in order.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values().map(|stored| &stored.message)
    }

    fn settle(&mut self, out: &mut Vec<Effect>) {
        if self.is_settled() {
            let told = self.settling.drain(..);
            out.extend(told.map(|ticket| Effect::Tell { ticket, answer: Ok(Answer::Settled) }));
        }
    }

    fn is_settled(&self) -> bool {
        let asked = self.sending.is_empty() && self.claims.is_empty() && self.completing.is_empty();
        asked && self.returned.is_empty() && self.write.is_idle()
    }

    fn tell_activity(&mut self, out: &mut Vec<Effect>) {
        let flying = self.write.change().map_or(0, |flight| flight.claims.len());
        let held = self.messages.values().filter(|stored| stored.is_held()).count();
        let activity = Activity { waiting: self.takers.len(), holding: held + self.claims.len() + flying };
        if activity != self.activity {
            self.activity = activity;
            out.push(Effect::Activity(activity));
        }
    }
}
