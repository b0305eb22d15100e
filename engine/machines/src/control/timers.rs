//! Deadlines in order: the earliest is found without looking at all actors, runners and streams.
//!
//! There is one table per clock. What a deadline means when it comes is decided in [`super::expire`].

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{ActorId, ConnId, FetchId, RunnerId, RunnerKey, StreamId};

use super::pool::PoolKey;

/// What a deadline is about. Each has at most one deadline at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Due {
    /// The Init of a socket must have come.
    Init(ConnId),
    /// The next ping of a session.
    Ping(ConnId),
    /// The session takes no new actors any more.
    Stale(ConnId),
    /// The session's runner is lost.
    Silent(ConnId),
    /// A runner without session is lost.
    Gone(RunnerId),
    /// What a lost runner hosted can be forgotten.
    Departed(PoolKey, RunnerKey),
    /// What lingers on a runner must have answered the stop that was sent again.
    Faded(RunnerId),
    /// The next actors leave a runner.
    Evict(RunnerId),
    /// A runner that has drained should have left.
    Stays(RunnerId),
    /// A stream must have named the runner.
    Unnamed(RunnerId),
    /// The next heartbeat.
    Heartbeat,
    /// The stream must have made its next step.
    Stream(StreamId),
    /// The stream's request is old enough to be replaced.
    Lifespan(StreamId),
    /// The stream's runner has had its time to drain.
    Drained(StreamId),
    /// The pool may open streams again.
    Retry(PoolKey),
    /// The pool's application is asked for its metadata.
    Poll(PoolKey),
    /// An application must have told its metadata.
    Fetch(FetchId),
    /// The reports of starts in the pool are counted.
    Reports(PoolKey),
    /// The pool's error has become too old to say anything.
    Aged(PoolKey),
    /// The actor must have started or stopped, or its backoff is over.
    Phase(ActorId),
    /// The actor's alarm.
    Alarm(ActorId),
    /// The next destroyed actors are forgotten.
    Purge,
}

impl Due {
    /// Stable name, for people and traces.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Init(_) => "runner init",
            Self::Ping(_) => "runner ping",
            Self::Stale(_) => "runner not eligible",
            Self::Silent(_) => "runner silent",
            Self::Gone(_) => "runner gone",
            Self::Departed(..) => "runner forgotten",
            Self::Faded(_) => "lingering actors",
            Self::Evict(_) => "actor eviction",
            Self::Stays(_) => "drained runner",
            Self::Unnamed(_) => "unnamed runner",
            Self::Heartbeat => "heartbeat",
            Self::Stream(_) => "stream timeout",
            Self::Lifespan(_) => "stream lifespan",
            Self::Drained(_) => "stream drain",
            Self::Retry(_) => "stream retry",
            Self::Poll(_) => "metadata poll",
            Self::Fetch(_) => "metadata timeout",
            Self::Reports(_) => "pool reports",
            Self::Aged(_) => "pool error",
            Self::Phase(_) => "actor deadline",
            Self::Alarm(_) => "actor alarm",
            Self::Purge => "destroyed actors",
        }
    }
}

/// Deadlines of one clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Timers<T: Ord> {
    at: BTreeMap<Due, T>,
    order: BTreeSet<(T, Due)>,
}

impl<T: Copy + Ord> Default for Timers<T> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<T: Copy + Ord> Timers<T> {
    /// Replaces the deadline of this subject.
    pub(super) fn set(&mut self, due: Due, at: T) {
        if let Some(old) = self.at.insert(due.clone(), at) {
            if old == at {
                return;
            }
            let was = self.order.remove(&(old, due.clone()));
            assert!(was, "a deadline is in both tables");
        }
        self.order.insert((at, due));
    }

    /// Forgets the deadline of this subject, if it has one.
    pub(super) fn clear(&mut self, due: Due) {
        if let Some(old) = self.at.remove(&due) {
            let was = self.order.remove(&(old, due));
            assert!(was, "a deadline is in both tables");
        }
    }

    /// Sets or clears.
    pub(super) fn put(&mut self, due: Due, at: Option<T>) {
        match at {
            Some(at) => self.set(due, at),
            None => self.clear(due),
        }
    }

    /// The deadline of this subject.
    pub(super) fn get(&self, due: &Due) -> Option<T> {
        self.at.get(due).copied()
    }

    /// The earliest deadline.
    pub(super) fn first(&self) -> Option<(T, &Due)> {
        self.order.first().map(|(at, due)| (*at, due))
    }

    /// Takes the earliest deadline out if it has come.
    pub(super) fn pop(&mut self, now: T) -> Option<Due> {
        if self.order.first()?.0 > now {
            return None;
        }
        let (_, due) = self.order.pop_first()?;
        self.at.remove(&due);
        Some(due)
    }

    /// All subjects, in order.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &Due> {
        self.at.keys()
    }

    /// Panics where the two tables differ.
    pub(super) fn check(&self) {
        assert_eq!(self.at.len(), self.order.len(), "each deadline is in both tables");
        for (at, due) in &self.order {
            assert!(self.at.get(due) == Some(at), "each deadline is in both tables");
        }
    }
}
