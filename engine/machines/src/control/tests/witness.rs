//! The laws that need a memory: what a control plane may say, given all that it has said before.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{ActorId, ConnId, Generation, StreamId};
use protocol::view::Fact;

use crate::control::Effect;
use crate::control::effect::{CommandKind, Message};

/// What must hold over a whole life of the store.
#[derive(Default)]
pub(super) struct Witness {
    /// The generation that has rights.
    pub(super) placed: BTreeMap<ActorId, Generation>,
    pub(super) last: BTreeMap<ActorId, Generation>,
    pub(super) ran: BTreeSet<(ActorId, Generation)>,
    /// Starts that were sent on each session.
    pub(super) sent: BTreeSet<(ConnId, ActorId, Generation)>,
    pub(super) destroyed: BTreeSet<ActorId>,
    pub(super) streams: BTreeSet<StreamId>,
}

impl Witness {
    pub(super) fn look(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Fact(fact) => self.fact(fact),
                Effect::Send { conn, message: Message::Commands(commands) } => {
                    for command in commands {
                        let of = (command.actor, command.generation);
                        if matches!(command.kind, CommandKind::Start { .. }) {
                            assert!(!self.ran.contains(&of), "no start follows a stored Running: {of:?}");
                            assert!(self.sent.insert((*conn, of.0, of.1)), "one start a session: {of:?}");
                            assert_eq!(
                                self.placed.get(&of.0),
                                Some(&of.1),
                                "only the current one is started"
                            );
                        }
                    }
                }
                Effect::Kv { actor, generation, .. } => {
                    assert_eq!(self.placed.get(actor), Some(generation), "only the current one commits");
                }
                _ => {}
            }
        }
    }

    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Placed { actor, generation, .. } => {
                assert!(!self.destroyed.contains(actor), "destroyed is for ever");
                assert!(self.last.insert(*actor, *generation).is_none_or(|last| last < *generation));
                assert_eq!(self.placed.insert(*actor, *generation), None, "one generation at a time");
            }
            Fact::Running { actor, generation } => {
                assert!(self.ran.insert((*actor, *generation)), "a generation begins to run once");
            }
            Fact::Ended { actor, generation, .. } => {
                assert_eq!(self.placed.remove(actor), Some(*generation), "what ends was placed");
            }
            Fact::Destroyed { actor } => {
                assert!(!self.placed.contains_key(actor), "its generation has ended before");
                assert!(self.destroyed.insert(*actor), "an actor is destroyed once");
            }
            Fact::StreamOpened { stream } => assert!(self.streams.insert(*stream), "a handle is used once"),
            Fact::StreamEnded { stream, .. } => assert!(self.streams.remove(stream), "a stream ends once"),
            _ => {}
        }
    }
}
