//! What single plays write down beside what clients say and hear: recoveries, alarms, lives of actors, who speaks for whom.

use std::time::Duration;

use model::evidence::{AlarmSet, PoolNews, PoolSight, Recovery, Sight, Touch, TouchKind};
use protocol::id::ActorId;
use protocol::time::Mono;

use super::Ledger;

/// A recovery that is being waited for.
#[derive(Debug)]
#[must_use = "nobody learns how a recovery ends that is forgotten"]
pub struct Awaited(usize);

/// An alarm that is being set.
#[derive(Debug)]
pub struct Setting(usize);

/// Something that is being done with an actor.
#[derive(Debug)]
pub struct Touching(usize);

impl Ledger {
    /// From now on this key can recover.
    pub fn awaits(&self, key: &str, of: &'static str, bound: Duration) -> Awaited {
        let (from, mut evidence) = (self.now(), self.evidence.borrow_mut());
        let key = key.to_owned();
        evidence.recoveries.push(Recovery { key, of, from, bound, answered: None, until: from });
        Awaited(evidence.recoveries.len() - 1)
    }

    /// It has been asked until now, and was answered or not.
    pub fn recovered(&self, awaited: &Awaited, answered: bool) {
        let now = self.now();
        let recovery = &mut self.evidence.borrow_mut().recoveries[awaited.0];
        recovery.until = now;
        recovery.answered = answered.then_some(now);
    }

    /// How long each recovery took that ended in an answer.
    #[must_use]
    pub fn recoveries(&self) -> Vec<Duration> {
        let evidence = self.evidence.borrow();
        let took = |recovery: &Recovery| Some(recovery.answered?.since(recovery.from));
        evidence.recoveries.iter().filter_map(took).collect()
    }

    /// An actor is asked to set its alarm so many milliseconds from then, or to clear it.
    pub fn sets_alarm(&self, actor: ActorId, after: Option<i64>) -> Setting {
        let (invoked, mut evidence) = (self.now(), self.evidence.borrow_mut());
        evidence.alarms.push(AlarmSet { actor, invoked, acknowledged: None, after });
        Setting(evidence.alarms.len() - 1)
    }

    /// It said that it has.
    pub fn has_set(&self, setting: &Setting) {
        let now = self.now();
        self.evidence.borrow_mut().alarms[setting.0].acknowledged = Some(now);
    }

    /// Something is asked of an actor whose key is used again.
    pub fn touches(&self, actor: ActorId, what: TouchKind, invoked: Mono) -> Touching {
        let mut evidence = self.evidence.borrow_mut();
        evidence.touches.push(Touch { actor, what, invoked, done: None, unknown: None });
        Touching(evidence.touches.len() - 1)
    }

    /// It succeeded, or failed because there is no such actor.
    pub fn touched(&self, touching: &Touching, succeeded: bool, unknown: bool) {
        let now = self.now();
        let touch = &mut self.evidence.borrow_mut().touches[touching.0];
        touch.done = succeeded.then_some(now);
        touch.unknown = unknown.then_some(now);
    }

    /// Who speaks for whom, as they see it.
    pub fn saw_speakers(&self, sights: Vec<Sight>) {
        let now = self.now();
        self.evidence.borrow_mut().sights.push((now, sights));
    }

    /// Something was seen of a pool's error, at that moment of the run.
    pub fn saw_pool(&self, pool: &'static str, at: Duration, what: PoolNews) {
        let at = super::mono(at);
        self.evidence.borrow_mut().pools.push(PoolSight { pool, at, what });
    }
}
