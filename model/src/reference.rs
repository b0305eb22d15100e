//! What clients may see of actors, said a second time and simply: who exists, who holds a key, who waits, runs, sleeps, rests
//! after a crash, or is gone, and when that must change.
//!
//! It is told what clients ask, what runners say and how time passes, and says what follows; where the platform has a choice
//! (on which runner an actor is placed, when within its bounds a rest ends, a runner is lost) it is told which it took, and says
//! whether it might. It knows runners that do as they are told within their time, of one version, that connect by
//! themselves; streams, versions and disobedience are judged by other means.

mod breach;
mod fate;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use breach::Breach;
use fate::{End, Follows};
use protocol::api::{self, CrashPolicy};
use protocol::id::{ActorId, Generation, RunnerId};
use protocol::time::Wall;

/// After the socket of a runner has closed it may be back for so long.
const GRACE: Duration = Duration::from_secs(3);
/// After the engine's boot, every runner for so long.
const LOST: Duration = Duration::from_secs(15);
/// How exactly a later engine knows when a former one was alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// All actors and runners.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    now: Wall,
    actors: BTreeMap<ActorId, Actor>,
    runners: BTreeMap<RunnerId, Runner>,
    /// Who waits, since when.
    queue: BTreeSet<(Wall, ActorId)>,
}

#[derive(Clone, Debug)]
struct Actor {
    key: String,
    policy: CrashPolicy,
    stands: Stands,
    generation: u32,
    /// Whether a client holds a request for it.
    watched: bool,
    alarm: Option<Wall>,
    /// The alarm has rung, and no start has come to anything since.
    rings: bool,
    /// Restarts in a row, and until when the last of them rested.
    restarts: u32,
    restarted: Option<Wall>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Waits { since: Wall },
    Hosted { runner: RunnerId, runs: bool, stops: Option<Stop> },
    Sleeps,
    Rests { earliest: Wall, latest: Wall },
    Gone,
}

/// Why it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Sleep { again: bool },
    End,
    Move,
}

#[derive(Clone, Debug)]
struct Runner {
    slots: usize,
    /// It can be given actors.
    ready: bool,
    drains: bool,
    /// It may be given up from here on.
    may_go: Option<Wall>,
    /// It must have been given up by then.
    must_go: Option<Wall>,
}

impl Reference {
    /// Time has come to this.
    pub fn pass(&mut self, now: Wall) {
        self.now = self.now.max(now);
        let rings = |actor: &Actor| actor.stands == Stands::Sleeps && actor.alarm.is_some_and(|at| at <= now);
        let ringing = self.actors.iter().filter(|(_, actor)| rings(actor));
        let mut ringing: Vec<_> = ringing.map(|(id, actor)| (actor.alarm, *id)).collect();
        ringing.sort_unstable();
        for (_, id) in ringing {
            self.actor(id).rings = true;
            self.waits(id);
        }
    }

    /// Who holds this key.
    pub fn holder(&self, key: &str) -> Option<ActorId> {
        let holds = |actor: &Actor| actor.key == key && !actor.is_doomed();
        self.actors.iter().find(|(_, actor)| holds(actor)).map(|(id, _)| *id)
    }

    /// An actor is created, unless its key is held: then by whom.
    ///
    /// # Errors
    /// The holder of the key.
    pub fn create(&mut self, id: ActorId, key: &str, policy: CrashPolicy) -> Result<(), ActorId> {
        if let Some(holder) = self.holder(key) {
            return Err(holder);
        }
        let actor = Actor {
            key: key.to_owned(),
            policy,
            stands: Stands::Sleeps,
            generation: 0,
            watched: false,
            alarm: None,
            rings: false,
            restarts: 0,
            restarted: None,
        };
        self.actors.insert(id, actor);
        self.waits(id);
        Ok(())
    }

    /// A client destroys it.
    pub fn delete(&mut self, id: ActorId) {
        match self.actor(id).stands {
            Stands::Hosted { .. } => self.stop(id, Stop::End),
            Stands::Gone => {}
            Stands::Waits { .. } | Stands::Sleeps | Stands::Rests { .. } => self.stand(id, Stands::Gone),
        }
    }

    /// A client puts it to sleep; false if it is gone, or goes.
    pub fn sleep(&mut self, id: ActorId) -> bool {
        let actor = self.actor(id);
        if actor.is_doomed() {
            return false;
        }
        match actor.stands {
            Stands::Hosted { .. } => self.stop(id, Stop::Sleep { again: false }),
            Stands::Waits { .. } | Stands::Rests { .. } if !actor.watched => self.stand(id, Stands::Sleeps),
            Stands::Waits { .. } | Stands::Rests { .. } | Stands::Sleeps | Stands::Gone => {}
        }
        true
    }

    /// A client holds a request for it from here on.
    pub fn watch(&mut self, id: ActorId) {
        let Some(actor) = self.actors.get_mut(&id) else { return };
        actor.watched = true;
        match &mut actor.stands {
            Stands::Hosted { stops: Some(Stop::Sleep { again }), .. } => *again = true,
            Stands::Sleeps | Stands::Rests { .. } => self.waits(id),
            Stands::Waits { .. } | Stands::Hosted { .. } | Stands::Gone => {}
        }
    }

    /// No client holds one any more.
    pub fn unwatch(&mut self, id: ActorId) {
        if let Some(actor) = self.actors.get_mut(&id) {
            actor.watched = false;
        }
    }

    /// Its runner says that it runs.
    pub fn running(&mut self, id: ActorId) {
        let actor = self.actor(id);
        if let Stands::Hosted { runs, .. } = &mut actor.stands {
            *runs = true;
            if actor.rings {
                actor.set_alarm(None);
            }
        }
    }

    /// It wants to sleep, as its runner says.
    pub fn wants_sleep(&mut self, id: ActorId) {
        self.stop(id, Stop::Sleep { again: false });
    }

    /// It wants to end.
    pub fn wants_end(&mut self, id: ActorId) {
        self.stop(id, Stop::End);
    }

    /// It wants to be woken then, or no more.
    pub fn sets_alarm(&mut self, id: ActorId, alarm: Option<Wall>) {
        self.actor(id).set_alarm(alarm);
    }

    /// Its runner says that it has stopped.
    pub fn stopped(&mut self, id: ActorId, crashed: bool) {
        self.end(id, if crashed { End::Crash } else { End::Clean });
    }

    /// The runner has connected, and can be given actors.
    pub fn ready(&mut self, id: RunnerId, slots: usize) {
        let fresh = Runner { slots, ready: true, drains: false, may_go: None, must_go: None };
        let runner = self.runners.entry(id).or_insert(fresh);
        (runner.ready, runner.may_go, runner.must_go) = (true, None, None);
    }

    /// The runner's socket has closed.
    pub fn disconnected(&mut self, id: RunnerId) {
        let by = self.now + GRACE;
        if let Some(runner) = self.runners.get_mut(&id) {
            (runner.ready, runner.may_go, runner.must_go) = (false, Some(by), Some(by));
        }
    }

    /// The runner wants to go: its actors are asked to stop.
    pub fn drains(&mut self, id: RunnerId) {
        let Some(runner) = self.runners.get_mut(&id) else { return };
        runner.drains = true;
        for actor in self.hosted(id) {
            self.stop(actor, Stop::Move);
        }
    }

    /// The engine fell, was away for so long, and is there again.
    pub fn restarted(&mut self, away: Duration) {
        let known_by = self.now + (LOST - HEARTBEAT);
        let now = self.now + away;
        self.now = now;
        for runner in self.runners.values_mut() {
            let may = runner.may_go.map_or(known_by, |may| may.min(known_by));
            (runner.ready, runner.may_go, runner.must_go) = (false, Some(may), Some(now + LOST));
        }
        for actor in self.actors.values_mut() {
            actor.watched = false;
            if let Stands::Rests { latest, .. } = &mut actor.stands {
                // Nobody was there to end it.
                *latest = now.max(*latest);
            }
        }
    }

    /// The platform gave this runner up.
    ///
    /// # Errors
    /// When it may not have.
    pub fn lost(&mut self, id: RunnerId) -> Result<(), Breach> {
        let runner = self.runners.remove(&id).ok_or(Breach::UnknownRunner { runner: id })?;
        // One that has drained may go at any time.
        let drained = runner.drains && self.hosted(id).is_empty();
        if !drained && runner.may_go.is_none_or(|may| self.now < may) {
            return Err(Breach::LostTooEarly { runner: id });
        }
        for actor in self.hosted(id) {
            self.end(actor, End::Loss);
        }
        // Whoever fell asleep by it may be overdue.
        self.pass(self.now);
        Ok(())
    }

    /// The platform gave this actor a place.
    ///
    /// # Errors
    /// When it is not this actor's turn, or there is no place.
    pub fn placed(&mut self, id: ActorId, generation: Generation, runner: RunnerId) -> Result<(), Breach> {
        self.rested(id)?;
        if self.queue.first().map(|(_, first)| *first) != Some(id) {
            return Err(Breach::NotItsTurn { actor: id });
        }
        if !self.has_room(runner) {
            return Err(Breach::NoPlace { actor: id, runner });
        }
        let actor = self.actor(id);
        actor.generation += 1;
        if actor.generation != generation.0 {
            return Err(Breach::Generation { actor: id, generation });
        }
        self.stand(id, Stands::Hosted { runner, runs: false, stops: None });
        Ok(())
    }

    /// The platform says that this actor waits: if it rested, its rest has just ended.
    ///
    /// # Errors
    /// When that is too early, or too late.
    pub fn rested(&mut self, id: ActorId) -> Result<(), Breach> {
        let Stands::Rests { earliest, latest } = self.actor(id).stands else { return Ok(()) };
        if self.now < earliest || latest < self.now {
            return Err(Breach::Shown { actor: id, what: "the length of its rest" });
        }
        self.waits(id);
        Ok(())
    }

    /// Everything that follows from what has happened has happened.
    ///
    /// # Errors
    /// When something is overdue.
    pub fn settled(&self) -> Result<(), Breach> {
        if let Some((_, actor)) = self.queue.first()
            && let Some((runner, _)) = self.runners.iter().find(|(id, _)| self.has_room(**id))
        {
            return Err(Breach::WaitsBesideAPlace { actor: *actor, runner: *runner });
        }
        match self.runners.iter().find(|(_, runner)| runner.must_go.is_some_and(|by| by < self.now)) {
            Some((runner, _)) => Err(Breach::NotLost { runner: *runner }),
            None => Ok(()),
        }
    }

    /// Compares an actor with what the platform shows of it.
    ///
    /// # Errors
    /// When they differ.
    pub fn shown(&self, shown: &api::Actor) -> Result<(), Breach> {
        let (id, now) = (shown.actor_id, self.now);
        let differs = |what| Err(Breach::Shown { actor: id, what });
        let Some(actor) = self.actors.get(&id) else { return differs("existence") };
        if shown.key.as_ref() != Some(&actor.key) || shown.crash_policy != actor.policy {
            return differs("identity");
        }
        if shown.destroy_ts.is_some() != actor.is_doomed() {
            return differs("destroy_ts");
        }
        if shown.pending_allocation_ts.is_some() != matches!(actor.stands, Stands::Waits { .. }) {
            return differs("pending_allocation_ts");
        }
        if shown.sleep_ts.is_some() != (actor.stands == Stands::Sleeps) {
            return differs("sleep_ts");
        }
        let reachable = matches!(actor.stands, Stands::Hosted { runs: true, stops: None, .. });
        if shown.connectable_ts.is_some() != reachable {
            return differs("connectable_ts");
        }
        match (actor.stands, shown.reschedule_ts) {
            (Stands::Rests { earliest, latest }, Some(until)) if earliest <= until && until <= latest => {
                if until < now {
                    differs("a rest that is over")
                } else {
                    Ok(())
                }
            }
            (Stands::Rests { .. }, _) | (_, Some(_)) => differs("reschedule_ts"),
            (_, None) => Ok(()),
        }
    }

    /// The actors that a runner hosts.
    pub fn hosted(&self, id: RunnerId) -> Vec<ActorId> {
        let here = |actor: &Actor| matches!(actor.stands, Stands::Hosted { runner, .. } if runner == id);
        self.actors.iter().filter(|(_, actor)| here(actor)).map(|(id, _)| *id).collect()
    }

    /// Whether the runner may be given up by now.
    pub fn may_be_lost(&self, id: RunnerId) -> bool {
        self.runners.get(&id).is_none_or(|runner| runner.may_go.is_some_and(|may| may <= self.now))
    }

    fn has_room(&self, id: RunnerId) -> bool {
        let ready = self.runners.get(&id).filter(|runner| runner.ready && !runner.drains);
        ready.is_some_and(|runner| self.hosted(id).len() < runner.slots)
    }

    fn actor(&mut self, id: ActorId) -> &mut Actor {
        self.actors.get_mut(&id).expect("only actors that were created are spoken of")
    }

    fn waits(&mut self, id: ActorId) {
        let since = self.queue.last().map_or(self.now, |(last, _)| self.now.max(*last));
        self.stand(id, Stands::Waits { since });
    }

    fn stand(&mut self, id: ActorId, stands: Stands) {
        let actor = self.actors.get_mut(&id).expect("only actors that were created are spoken of");
        if let Stands::Waits { since } = std::mem::replace(&mut actor.stands, stands) {
            self.queue.remove(&(since, id));
        }
        if let Stands::Waits { since } = stands {
            self.queue.insert((since, id));
        }
        if stands == Stands::Gone {
            actor.set_alarm(None);
        }
    }

    /// The first reason to stop counts, but for the wish that it ends.
    fn stop(&mut self, id: ActorId, why: Stop) {
        if let Stands::Hosted { stops, .. } = &mut self.actor(id).stands
            && (stops.is_none() || why == Stop::End)
        {
            *stops = Some(why);
        }
    }

    fn end(&mut self, id: ActorId, end: End) {
        let now = self.now;
        match self.actor(id).follows(end, now) {
            Follows::Waits => self.waits(id),
            Follows::Sleeps => self.stand(id, Stands::Sleeps),
            Follows::Rests { earliest, latest } => self.stand(id, Stands::Rests { earliest, latest }),
            Follows::Gone => self.stand(id, Stands::Gone),
        }
    }
}

impl Actor {
    const fn set_alarm(&mut self, alarm: Option<Wall>) {
        (self.alarm, self.rings) = (alarm, false);
    }

    const fn is_doomed(&self) -> bool {
        matches!(self.stands, Stands::Gone | Stands::Hosted { stops: Some(Stop::End), .. })
    }
}
