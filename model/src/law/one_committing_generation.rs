//! At most one generation of an actor can commit, and only through the session of the runner it is placed on.
//!
//! A fact is told after the commit that made it true, so the fall of an engine can swallow the last facts of its
//! boot. Whatever only a swallowed fact would explain is therefore taken at its word, once, in the boot after it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{ActorId, ConnId, Generation, RunnerId};
use protocol::view::Fact;

use crate::evidence::{Evidence, Place, Told};

use super::Breach;

/// What is known of an actor.
#[derive(Default)]
struct Known<'told> {
    /// Its generations and the runner each is placed on; none if the fact was swallowed.
    placed: BTreeMap<Generation, Option<RunnerId>>,
    /// Those that have ended, and when.
    ended: BTreeMap<Generation, &'told Told>,
    /// The highest that committed.
    committed: Option<Generation>,
}

#[derive(Default)]
struct Bench<'told> {
    actors: BTreeMap<ActorId, Known<'told>>,
    /// Each session's runner.
    sessions: BTreeMap<(&'told Place, ConnId), RunnerId>,
    /// The session that speaks for each runner.
    current: BTreeMap<RunnerId, (&'told Place, ConnId)>,
    /// Boots seen, of each node.
    boots: BTreeSet<&'told Place>,
}

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut bench = Bench::default();
    evidence.told.iter().try_for_each(|told| bench.hear(told))
}

impl<'told> Bench<'told> {
    fn hear(&mut self, told: &'told Told) -> Result<(), Breach> {
        match told.fact {
            Fact::Placed { actor, generation, runner } => {
                self.boots.insert(&told.place);
                self.place(told, actor, generation, runner)
            }
            Fact::Ended { actor, generation, .. } => {
                self.actors.entry(actor).or_default().ended.insert(generation, told);
                Ok(())
            }
            Fact::RunnerConnected { runner, conn } => {
                self.boots.insert(&told.place);
                self.sessions.insert((&told.place, conn), runner);
                self.current.insert(runner, (&told.place, conn));
                Ok(())
            }
            Fact::RunnerDisconnected { runner } | Fact::RunnerLost { runner } => {
                self.current.remove(&runner);
                Ok(())
            }
            Fact::KvCommitted { actor, generation, conn } => self.commit(told, actor, generation, conn),
            Fact::Running { .. }
            | Fact::Destroyed { .. }
            | Fact::StreamOpened { .. }
            | Fact::StreamEnded { .. }
            | Fact::Forwarded { .. }
            | Fact::InstanceStarted { .. }
            | Fact::InstanceStopped { .. }
            | Fact::Delivered { .. }
            | Fact::EventStreamEnded { .. } => Ok(()),
        }
    }

    fn place(
        &mut self,
        told: &Told,
        actor: ActorId,
        generation: Generation,
        runner: RunnerId,
    ) -> Result<(), Breach> {
        let known = self.actors.entry(actor).or_default();
        let newest = known.placed.last_key_value().map(|(newest, _)| *newest);
        if let Some(newest) = newest.filter(|newest| *newest >= generation) {
            let text = format!("{actor:?} {generation:?} is placed after {newest:?}");
            return Err(Breach::told(told, text));
        }
        known.placed.insert(generation, Some(runner));
        Ok(())
    }

    fn commit(
        &mut self,
        told: &Told,
        actor: ActorId,
        generation: Generation,
        conn: ConnId,
    ) -> Result<(), Breach> {
        let swallowed =
            self.boots.iter().any(|boot| boot.node == told.place.node && boot.boot < told.place.boot);
        let known = self.actors.entry(actor).or_default();
        let refuse = |why: String| Err(Breach::told(told, format!("{actor:?} {generation:?} commits {why}")));
        if let Some(end) = known.ended.get(&generation) {
            return refuse(format!("after it ended at {:?}", end.at));
        }
        if let Some(newer) = known.committed.filter(|newer| *newer > generation) {
            return refuse(format!("after {newer:?} did"));
        }
        if let Some((newer, _)) = known.placed.range(generation.next()..).next() {
            return refuse(format!("after {newer:?} was placed"));
        }
        known.committed = Some(generation);
        let host = match known.placed.get(&generation) {
            Some(host) => *host,
            None if swallowed => *known.placed.entry(generation).or_insert(None),
            None => return refuse("without having been placed".to_owned()),
        };
        let Some(speaker) = self.sessions.get(&(&told.place, conn)) else {
            return refuse(format!("through {conn:?}, on which no runner has said who it is"));
        };
        if let Some(host) = host.filter(|host| host != speaker) {
            return refuse(format!("through {conn:?} of {speaker:?}, but is placed on {host:?}"));
        }
        match self.current.get(speaker) {
            Some((place, current)) if **place == told.place && *current == conn => Ok(()),
            Some((_, current)) => refuse(format!("through {conn:?}, which {current:?} has replaced")),
            None => refuse(format!("through {conn:?}, which is closed")),
        }
    }
}
