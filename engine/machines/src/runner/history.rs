//! What was commanded and told of one generation: commands by their highest index, events until they are acknowledged.
//!
//! A generation is forgotten when the engine has acknowledged its Stopped. The engine does so after its commit, and
//! everything it ever sends about that generation it sent before: on this socket in order, and sockets before this one
//! are gone. So no command of a forgotten generation follows.

use std::collections::VecDeque;

use protocol::id::{ActorId, Generation};
use protocol::mark;
use protocol::wire::{ActorState, Checkpoint, Event, EventWrapper, StopCode};

use super::alarm::Alarm;
use super::{Effect, Message, Runner};

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct History {
    /// Highest index of its commands; lower ones are copies.
    pub(super) command: i64,
    /// Up to where they were acknowledged.
    pub(super) acknowledged: i64,
    /// Index of its next event.
    pub(super) next: i64,
    /// The last `events.len()` events, in order, without gap, up to `next`.
    pub(super) events: VecDeque<Event>,
    /// Alarms among them that somebody waits for, in order.
    pub(super) alarms: VecDeque<Alarm>,
    /// Whether the last of them is its Stopped.
    pub(super) stopped: bool,
}

impl History {
    /// A generation whose first command has this index.
    pub(super) const fn new(command: i64) -> Self {
        Self {
            command,
            acknowledged: -1,
            next: 0,
            events: VecDeque::new(),
            alarms: VecDeque::new(),
            stopped: false,
        }
    }

    /// Index of its first kept event.
    pub(super) fn first(&self) -> i64 {
        self.next - i64::try_from(self.events.len()).expect("kept events are bounded")
    }

    fn wrappers(&self, actor_id: ActorId, generation: Generation) -> impl Iterator<Item = EventWrapper> {
        (self.first()..).zip(&self.events).map(move |(index, event)| EventWrapper {
            checkpoint: Checkpoint { actor_id, generation, index },
            inner: event.clone(),
        })
    }
}

/// The last event of a generation.
pub(super) fn stopped(error: Option<String>) -> Event {
    let code = if error.is_some() { StopCode::Error } else { StopCode::Ok };
    Event::ActorStateUpdate { state: ActorState::Stopped { code, message: error } }
}

impl Runner {
    /// Keeps an event, and sends it if there is a session.
    pub(super) fn tell(
        &mut self,
        actor: ActorId,
        generation: Generation,
        event: Event,
        out: &mut Vec<Effect>,
    ) {
        let history =
            self.histories.get_mut(&(actor, generation)).expect("a generation of ours has a history");
        assert!(!history.stopped, "nothing is told of {actor:?} {generation:?} after its Stopped");
        let index = history.next;
        history.next += 1;
        history.stopped =
            matches!(event, Event::ActorStateUpdate { state: ActorState::Stopped { code: _, message: _ } });
        history.events.push_back(event.clone());
        self.events += 1;
        if let Some(conn) = self.link.open() {
            let checkpoint = Checkpoint { actor_id: actor, generation, index };
            self.send(conn, Message::Events(vec![EventWrapper { checkpoint, inner: event }]), out);
        }
    }

    /// Every kept event, of each generation in order.
    pub(super) fn unacknowledged(&self) -> Vec<EventWrapper> {
        self.histories.iter().flat_map(|((actor, generation), h)| h.wrappers(*actor, *generation)).collect()
    }

    /// Forgets events up to the checkpoints, and acknowledges the commands of the same generations. An engine that
    /// takes Running for the acknowledgement of a start needs none, others send commands again until they have it; the
    /// acknowledgement of an event is a moment when traffic is low and the command is surely done or under way.
    pub(super) fn ack_events(&mut self, checkpoints: &[Checkpoint], out: &mut Vec<Effect>) {
        let mut commands = Vec::new();
        for checkpoint in checkpoints {
            let key = (checkpoint.actor_id, checkpoint.generation);
            let Some(history) = self.histories.get_mut(&key) else { continue };
            if checkpoint.index >= history.next {
                mark!("runner_ack_of_the_future");
                continue;
            }
            while history.first() <= checkpoint.index {
                history.events.pop_front().expect("events up to `next` are kept or acknowledged");
                self.events -= 1;
            }
            if history.acknowledged < history.command {
                history.acknowledged = history.command;
                commands.push(Checkpoint { index: history.command, ..*checkpoint });
            }
            let is_over = history.stopped && history.events.is_empty();
            self.keep_alarms(key, checkpoint.index, out);
            if is_over {
                self.histories.remove(&key);
            }
        }
        if let (false, Some(conn)) = (commands.is_empty(), self.link.open()) {
            self.send(conn, Message::AckCommands(commands), out);
        }
    }

    /// Forgets a generation that the engine has ended.
    pub(super) fn forget(&mut self, actor: ActorId, generation: Generation) {
        if let Some(history) = self.histories.remove(&(actor, generation)) {
            self.events -= history.events.len();
        }
    }

    /// The latest generation of an actor that is not forgotten.
    pub(super) fn latest(&self, actor: ActorId) -> Option<Generation> {
        let all = (actor, Generation(0))..=(actor, Generation(u32::MAX));
        self.histories.range(all).next_back().map(|((_, generation), _)| *generation)
    }
}
