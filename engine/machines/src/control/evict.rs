//! How actors leave a runner that an upgrade overtook: at once, or a few at a time where the pool asks for it.
//!
//! The runner gets nothing new from the first moment. After `actor_eviction_delay` its actors are asked to stop, at
//! `actor_eviction_rate` a second, or faster where they would not all have left within `actor_eviction_period`; a
//! period of zero is all at once. How far this is is not stored: after a restart whoever is left leaves at once. A runner that
//! wants to go by itself, or whose request ends, does not wait for it either.

use std::time::Duration;

use protocol::api::Upgrade;
use protocol::id::{ActorId, RunnerId, StreamId};
use protocol::mark;

use super::Control;
use super::record::StopCause;
use super::step::Step;
use super::stream::Fate;
use super::timers::Due;

/// Between two batches at least, in seconds. Ours: a runner is not asked more often than once a second.
const INTERVAL_MIN: f64 = 1.0;

/// Actors of one batch at most, by the rate alone. Ours: more than any runner has.
const BATCH_MAX: f64 = 1e9;

/// How far the actors of a runner have left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Eviction {
    /// Between two batches.
    interval: Duration,
    /// Actors of one.
    batch: usize,
    /// The last that was asked to stop.
    passed: Option<ActorId>,
}

impl Eviction {
    /// Of so many actors, one at least; none if all leave at once.
    fn new(upgrade: &Upgrade, actors: usize) -> Option<Self> {
        let period = Duration::from_secs(upgrade.actor_eviction_period.into());
        if period.is_zero() {
            let later = upgrade.actor_eviction_delay > 0;
            return later.then_some(Self { interval: Duration::ZERO, batch: actors, passed: None });
        }
        let rate = upgrade.actor_eviction_rate.get();
        // Whole actors, in whatever time the rate gives them.
        let by_rate = (rate * INTERVAL_MIN).ceil().clamp(1.0, BATCH_MAX);
        let interval = Duration::try_from_secs_f64(by_rate / rate).unwrap_or(Duration::MAX).min(period);
        let share = u128::try_from(actors).expect("a count fits") * interval.as_millis();
        let in_time = usize::try_from(share.div_ceil(period.as_millis())).expect("no more than all");
        let by_rate =
            usize::try_from(Duration::from_secs(1).mul_f64(by_rate).as_secs()).unwrap_or(usize::MAX);
        Some(Self { interval, batch: in_time.max(by_rate), passed: None })
    }
}

impl Control {
    /// A newer version is well: this runner goes, as its pool's configuration says.
    pub(super) fn overtake(&mut self, step: &mut Step, id: RunnerId, upgrade: &Upgrade) {
        let runner = &self.runners[&id];
        let wanted = |stream: &StreamId| self.streams[stream].fate == Fate::Wanted;
        let stream = runner.stream.filter(wanted);
        let hosted = std::num::NonZero::new(runner.actors.len());
        let eviction = hosted.and_then(|actors| Eviction::new(upgrade, actors.get()));
        match (eviction, stream) {
            (Some(eviction), stream) => {
                mark!("control.evicted_slowly");
                if let Some(stream) = stream {
                    self.streams.get_mut(&stream).expect("a runner's stream exists").fate = Fate::Replaced;
                }
                self.retire_runner(step, id);
                self.runner_mut(id).evicting = Some(eviction);
                let delay = Duration::from_secs(upgrade.actor_eviction_delay.into());
                if delay.is_zero() {
                    self.evict(step, id);
                } else {
                    self.thresholds.set(Due::Evict(id), self.now.mono + delay);
                }
            }
            (None, Some(stream)) => self.replace_stream(step, stream, "version"),
            (None, None) => self.drain_runner(step, id),
        }
    }

    /// The next of them are asked to stop.
    pub(super) fn evict(&mut self, step: &mut Step, id: RunnerId) {
        let runner = &self.runners[&id];
        let eviction = runner.evicting.expect("a deadline's runner is being left");
        let after = eviction.passed.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let mut rest = runner.actors.range((after, std::ops::Bound::Unbounded)).copied();
        let batch: Vec<ActorId> = rest.by_ref().take(eviction.batch).collect();
        let more = rest.next().is_some();
        let passed = batch.last().copied();
        for actor in batch {
            self.stop(step, actor, StopCause::GoingAway);
        }
        if more {
            self.runner_mut(id).evicting = Some(Eviction { passed, ..eviction });
            self.thresholds.set(Due::Evict(id), self.now.mono + eviction.interval);
        } else {
            self.evicted(step, id);
        }
    }

    /// Asks whoever is left to stop, without further delay.
    pub(super) fn evict_all(&mut self, step: &mut Step, id: RunnerId) {
        let actors: Vec<ActorId> = self.runners[&id].actors.iter().copied().collect();
        for actor in actors {
            self.stop(step, actor, StopCause::GoingAway);
        }
        self.evicted(step, id);
    }

    /// All of them were asked: from here on the drain grace counts.
    fn evicted(&mut self, step: &mut Step, id: RunnerId) {
        let runner = self.runner_mut(id);
        if runner.evicting.take().is_none() {
            return;
        }
        let stream = runner.stream;
        self.thresholds.clear(Due::Evict(id));
        if let Some(stream) = stream {
            self.grant_grace(stream);
        }
        // Some may have gone since, and the last of them unnoticed.
        step.emptied.insert(id);
    }
}
