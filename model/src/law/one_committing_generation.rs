//! At most one generation of an actor can commit, and only through the session of the runner it is placed on.
//!
//! A fact is told after the commit that made it true, so the fall of an engine can swallow the last facts of its
//! boot. A placement that only a swallowed fact would explain is therefore taken at its word: of the very next
//! generation, in a later boot, and only if that boot has told nothing of the actor before. How many boots lie between
//! is no matter: one in which the actor was quiet tells nothing of it. The runner is whoever speaks at its first commit.

use std::collections::BTreeMap;

use protocol::id::{ActorId, ConnId, Generation, RunnerId};
use protocol::view::Fact;

use crate::evidence::{Evidence, Place, Told};

use super::Breach;

/// What is known of an actor.
#[derive(Default)]
struct Known<'told> {
    /// Its generations and the runner each is placed on; none if the fact was swallowed and it has not committed yet.
    placed: BTreeMap<Generation, Option<RunnerId>>,
    /// Those that have ended, and when.
    ended: BTreeMap<Generation, &'told Told>,
    /// The highest that committed.
    committed: Option<Generation>,
    /// Where something was told of it last.
    last: Option<&'told Place>,
}

impl Known<'_> {
    /// The generation that follows all that were told.
    fn next(&self) -> Generation {
        let placed = self.placed.last_key_value().map(|(generation, _)| *generation);
        let ended = self.ended.last_key_value().map(|(generation, _)| *generation);
        placed.max(ended).map_or(Generation::FIRST, Generation::next)
    }

    /// Takes the placement of a generation at its word, if a fall can have swallowed it.
    fn take_at_its_word(&mut self, place: &Place, generation: Generation) {
        let silent = self.last.is_none_or(|last| last != place);
        if !self.placed.contains_key(&generation) && generation == self.next() && silent && place.boot > 0 {
            self.placed.insert(generation, None);
        }
    }
}

#[derive(Default)]
struct Bench<'told> {
    actors: BTreeMap<ActorId, Known<'told>>,
    /// Each session's runner.
    sessions: BTreeMap<(&'told Place, ConnId), RunnerId>,
    /// The session that speaks for each runner.
    current: BTreeMap<RunnerId, (&'told Place, ConnId)>,
}

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut bench = Bench::default();
    evidence.told.iter().try_for_each(|told| bench.hear(told))
}

impl<'told> Bench<'told> {
    fn hear(&mut self, told: &'told Told) -> Result<(), Breach> {
        match told.fact {
            Fact::Placed { actor, generation, runner } => self.place(told, actor, generation, runner),
            Fact::Running { actor, generation } => {
                let known = self.actors.entry(actor).or_default();
                known.take_at_its_word(&told.place, generation);
                known.last = Some(&told.place);
                Ok(())
            }
            Fact::Ended { actor, generation, .. } => {
                let known = self.actors.entry(actor).or_default();
                known.ended.insert(generation, told);
                known.last = Some(&told.place);
                Ok(())
            }
            Fact::RunnerConnected { runner, conn, .. } => {
                self.sessions.insert((&told.place, conn), runner);
                self.current.insert(runner, (&told.place, conn));
                Ok(())
            }
            Fact::RunnerDisconnected { runner } | Fact::RunnerLost { runner } => {
                self.current.remove(&runner);
                Ok(())
            }
            Fact::KvCommitted { actor, generation, conn } => self.commit(told, actor, generation, conn),
            Fact::Destroyed { .. }
            | Fact::RunnerDrains { .. }
            | Fact::RunnerOvertaken { .. }
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
        told: &'told Told,
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
        known.last = Some(&told.place);
        Ok(())
    }

    fn commit(
        &mut self,
        told: &'told Told,
        actor: ActorId,
        generation: Generation,
        conn: ConnId,
    ) -> Result<(), Breach> {
        let known = self.actors.entry(actor).or_default();
        known.take_at_its_word(&told.place, generation);
        known.last = Some(&told.place);
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
        let Some(host) = known.placed.get_mut(&generation) else {
            return refuse("without having been placed".to_owned());
        };
        let Some(speaker) = self.sessions.get(&(&told.place, conn)) else {
            return refuse(format!("through {conn:?}, on which no runner has said who it is"));
        };
        let host = *host.get_or_insert(*speaker);
        if host != *speaker {
            return refuse(format!("through {conn:?} of {speaker:?}, but is placed on {host:?}"));
        }
        match self.current.get(speaker) {
            Some((place, current)) if **place == told.place && *current == conn => Ok(()),
            Some((_, current)) => refuse(format!("through {conn:?}, which {current:?} has replaced")),
            None => refuse(format!("through {conn:?}, which is closed")),
        }
    }
}
