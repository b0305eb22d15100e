//! Which actor a handle means: asked for once, for all who want to know, and kept until it proves wrong.
//!
//! It asks nobody: the driver does, once for each [`Effect::Look`]. A flight has no bound of its own: each who waits has
//! one, and the last who leaves ends it.

use std::collections::BTreeSet;

use protocol::id::{ActorId, Ticket};
use protocol::mark;
use protocol::time::{Mono, Now};

/// Everything that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Somebody wants to know; `Tell` follows, unless they leave.
    Want {
        /// Who. Used once.
        ticket: Ticket,
    },
    /// Somebody who waits leaves. One who was told already has left.
    Leave {
        /// Who.
        ticket: Ticket,
    },
    /// The engine has answered, or has not.
    Found {
        /// Which flight.
        flight: u64,
        /// The actor; none if the engine told no id.
        actor: Option<ActorId>,
    },
    /// This actor is not the one any more.
    Stale {
        /// Which.
        actor: ActorId,
    },
}

/// What it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Ask the engine; `Found` follows.
    Look {
        /// Told back. Counts from 1.
        flight: u64,
    },
    /// Nobody waits for it any more.
    Cancel {
        /// Which flight.
        flight: u64,
    },
    /// Tell somebody who waits.
    Tell {
        /// Who.
        ticket: Ticket,
        /// The actor; none: whatever the flight that has just ended failed with.
        actor: Option<ActorId>,
    },
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resolution {
    known: Option<ActorId>,
    /// Whether what is known cannot prove wrong: the handle means this actor and no other.
    fixed: bool,
    /// The flight that is out.
    flight: Option<u64>,
    flights: u64,
    waiting: BTreeSet<Ticket>,
}

impl Resolution {
    /// Of an address, of which nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { known: None, fixed: false, flight: None, flights: 0, waiting: BTreeSet::new() }
    }

    /// Of an id.
    #[must_use]
    pub const fn fixed(actor: ActorId) -> Self {
        Self { known: Some(actor), fixed: true, flight: None, flights: 0, waiting: BTreeSet::new() }
    }

    /// One step.
    ///
    /// # Panics
    /// When a ticket is used twice.
    pub fn handle(&mut self, _now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Want { ticket } => self.want(ticket, out),
            Input::Leave { ticket } => {
                if self.waiting.remove(&ticket)
                    && self.waiting.is_empty()
                    && let Some(flight) = self.flight.take()
                {
                    mark!("client_lookup_left");
                    out.push(Effect::Cancel { flight });
                }
            }
            Input::Found { flight, actor } => {
                // One that was cancelled says nothing any more.
                if self.flight == Some(flight) {
                    self.flight = None;
                    self.known = actor;
                    let told = std::mem::take(&mut self.waiting);
                    out.extend(told.into_iter().map(|ticket| Effect::Tell { ticket, actor }));
                }
            }
            // Whoever asked an earlier one proves nothing about this one.
            Input::Stale { actor } if self.known == Some(actor) && !self.fixed => {
                mark!("client_actor_id_stale");
                self.known = None;
            }
            Input::Stale { .. } => {}
        }
        self.check();
    }

    /// It waits for nothing but its flight.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        None
    }

    /// Walks the state.
    ///
    /// # Panics
    /// When an invariant does not hold.
    pub fn check(&self) {
        assert_eq!(self.flight.is_some(), !self.waiting.is_empty(), "a flight is out while somebody waits");
        assert!(self.known.is_none() || self.flight.is_none(), "nobody asks for what is known");
        assert!(!self.fixed || self.known.is_some(), "an id is known");
    }

    fn want(&mut self, ticket: Ticket, out: &mut Vec<Effect>) {
        if let Some(actor) = self.known {
            out.push(Effect::Tell { ticket, actor: Some(actor) });
            return;
        }
        assert!(self.waiting.insert(ticket), "{ticket:?} waits twice");
        if self.flight.is_none() {
            self.flights += 1;
            self.flight = Some(self.flights);
            out.push(Effect::Look { flight: self.flights });
        }
    }
}

impl Default for Resolution {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Move {
        Want,
        /// The n-th who waits leaves.
        Leave(usize),
        /// The n-th flight there ever was ends: with an actor of this number, or without.
        End(usize, Option<u8>),
        /// Whoever was told the n-th answer finds it wrong.
        Doubt(usize),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            4 => Just(Move::Want),
            2 => any::<usize>().prop_map(Move::Leave),
            4 => (any::<usize>(), prop::option::weighted(0.7, 0_u8..3)).prop_map(|(n, to)| Move::End(n, to)),
            2 => any::<usize>().prop_map(Move::Doubt),
        ];
        prop::collection::vec(one, 1..80)
    }

    fn actor(number: u8) -> ActorId {
        ActorId::from_entropy([number; 16])
    }

    /// What the outside knows: who waits, which flights are out, what is believed.
    #[derive(Default)]
    struct Outside {
        waiting: Vec<Ticket>,
        out: BTreeMap<u64, bool>,
        told: Vec<ActorId>,
        believed: Option<ActorId>,
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn one_flight_serves_all_who_wait_and_everybody_is_told_once(moves in moves()) {
            let (mut machine, mut outside, mut next) = (Resolution::new(), Outside::default(), 0);
            for what in moves {
                let mut out = Vec::new();
                let mut step = |input| machine.handle(Now::default(), input, &mut out);
                match what {
                    Move::Want => {
                        next += 1;
                        outside.waiting.push(Ticket(next));
                        step(Input::Want { ticket: Ticket(next) });
                    }
                    Move::Leave(n) if !outside.waiting.is_empty() => {
                        let ticket = outside.waiting.remove(n % outside.waiting.len());
                        step(Input::Leave { ticket });
                    }
                    Move::End(n, found) if !outside.out.is_empty() => {
                        let flight = *outside.out.keys().nth(n % outside.out.len()).unwrap();
                        let live = outside.out.insert(flight, false).unwrap();
                        if live {
                            outside.believed = found.map(actor);
                        }
                        step(Input::Found { flight, actor: found.map(actor) });
                    }
                    Move::Doubt(n) if !outside.told.is_empty() => {
                        let doubted = outside.told[n % outside.told.len()];
                        outside.believed = outside.believed.filter(|believed| *believed != doubted);
                        step(Input::Stale { actor: doubted });
                    }
                    Move::Leave(_) | Move::End(..) | Move::Doubt(_) => {}
                }
                for effect in out {
                    match effect {
                        Effect::Look { flight } => {
                            prop_assert!(outside.believed.is_none(), "what is believed is not asked for");
                            prop_assert!(outside.out.values().all(|live| !live), "one flight at a time");
                            outside.out.insert(flight, true);
                        }
                        Effect::Cancel { flight } => {
                            prop_assert!(outside.waiting.is_empty(), "somebody waits");
                            prop_assert_eq!(outside.out.insert(flight, false), Some(true));
                        }
                        Effect::Tell { ticket, actor } => {
                            let at = outside.waiting.iter().position(|waiting| *waiting == ticket);
                            outside.waiting.remove(at.expect("who is told waits"));
                            prop_assert_eq!(actor, outside.believed);
                            outside.told.extend(actor);
                        }
                    }
                }
                let live = outside.out.values().filter(|live| **live).count();
                prop_assert_eq!(live, usize::from(!outside.waiting.is_empty()), "who waits has a flight");
            }
        }
    }

    #[test]
    fn an_id_never_proves_wrong() {
        let (mut machine, mut out) = (Resolution::fixed(actor(1)), Vec::new());
        machine.handle(Now::default(), Input::Stale { actor: actor(1) }, &mut out);
        machine.handle(Now::default(), Input::Want { ticket: Ticket(1) }, &mut out);
        assert_eq!(out, [Effect::Tell { ticket: Ticket(1), actor: Some(actor(1)) }]);
    }
}
