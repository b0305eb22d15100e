//! Whether runners of a pool can be started: what their streams report, with hysteresis.
//!
//! Reports are gathered for a moment and counted in their order: a failure is the pool's error until three starts in a
//! row have gone well, or nobody has tried one for a minute. The error is stored, since whoever asks after a restart is to
//! be told as well; that reports wait to be counted is not. What the gateway makes of it is told by the route of actors
//! that wait in the pool ([`super::watch`]); when the next start is tried is not decided here, but in [`super::tend`].

use protocol::error::RunnerPoolError;
use protocol::mark;

use super::Control;
use super::pool::{Pool, PoolKey};
use super::record::{Key, PoolHealth};
use super::restore::RestoreError;
use super::step::Step;
use super::timers::Due;
use crate::route::Route;

/// How one start went.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Report {
    /// Its runner is connected.
    Success,
    /// It failed.
    Failure(RunnerPoolError),
}

/// How a pool does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Health {
    /// Stored while there is an error.
    stored: Option<PoolHealth>,
    /// What waits to be counted.
    reports: Vec<Report>,
    /// What routes of actors that wait were last told.
    mood: Mood,
}

/// What whoever waits in a pool may hope for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Mood {
    /// Its runners can be started, as far as is known.
    #[default]
    Sound,
    /// They could not, none has been since, and another is tried, or will be soon.
    Struggling,
    /// They could not, time and again, and none is being tried.
    Failing,
}

impl Mood {
    /// The route of an actor that waits.
    pub(super) const fn route(self) -> Route {
        match self {
            Self::Sound => Route::Waiting,
            Self::Struggling => Route::Struggling,
            Self::Failing => Route::Failing,
        }
    }
}

impl Health {
    /// Why its runners cannot be started.
    pub(super) fn error(&self) -> Option<&RunnerPoolError> {
        self.stored.as_ref().map(|stored| &stored.error)
    }

    pub(super) const fn stored(&self) -> Option<&PoolHealth> {
        self.stored.as_ref()
    }

    pub(super) const fn mood(&self) -> Mood {
        self.mood
    }
}

impl Control {
    /// A start went well or failed; it is counted with those of the same moment.
    pub(super) fn report(&mut self, step: &mut Step, key: &PoolKey, report: Report) {
        let (most, debounce) = (self.options.reports_max, self.options.report_debounce);
        let health = &mut self.pool_mut(key).health;
        if report == Report::Success && health.stored.is_none() && health.reports.is_empty() {
            return; // it changes nothing
        }
        health.reports.push(report);
        match health.reports.len() {
            1 => self.thresholds.set(Due::Reports(key.clone()), self.now.mono + debounce),
            count if count >= most => self.count_reports(step, key),
            _ => {}
        }
    }

    /// Counts what was reported, in its order.
    pub(super) fn count_reports(&mut self, step: &mut Step, key: &PoolKey) {
        let (enough, now) = (self.options.successes_to_clear, self.now.wall);
        self.thresholds.clear(Due::Reports(key.clone()));
        let health = &mut self.pool_mut(key).health;
        let before = health.stored.clone();
        for report in std::mem::take(&mut health.reports) {
            match (report, &mut health.stored) {
                (Report::Failure(error), stored) => {
                    *stored = Some(PoolHealth { error, since: now, successes: 0 });
                }
                (Report::Success, Some(stored)) if stored.successes + 1 < enough => stored.successes += 1,
                (Report::Success, stored @ Some(_)) => {
                    mark!("control.pool_error_cleared");
                    *stored = None;
                }
                (Report::Success, None) => {}
            }
        }
        let (is, was) = (health.stored.is_some(), before.is_some());
        if health.stored != before {
            step.changed(key.health_record());
        }
        match (was, is) {
            (false, true) => self.start_tried(key),
            (_, false) => self.thresholds.clear(Due::Aged(key.clone())),
            (true, true) => {}
        }
        step.pools.insert(key.clone());
    }

    /// A start is tried, or was: from here on an error ages anew.
    pub(super) fn start_tried(&mut self, key: &PoolKey) {
        if self.pools[key].health.stored.is_some() {
            self.thresholds.set(Due::Aged(key.clone()), self.now.mono + self.options.pool_error_age);
        }
    }

    /// What was known says nothing any more: the pool's starts go elsewhere, or nobody has tried one for long.
    pub(super) fn forget_health(&mut self, step: &mut Step, key: &PoolKey) {
        let health = &mut self.pool_mut(key).health;
        health.reports.clear();
        if health.stored.take().is_some() {
            step.changed(key.health_record());
        }
        self.thresholds.clear(Due::Reports(key.clone()));
        self.thresholds.clear(Due::Aged(key.clone()));
        step.pools.insert(key.clone());
    }

    /// Enters what was stored.
    pub(super) fn restore_health(
        &mut self,
        step: &mut Step,
        key: Key,
        health: PoolHealth,
    ) -> Result<(), RestoreError> {
        let Key::PoolHealth(namespace, name) = key.clone() else {
            return Err(RestoreError::ForeignKey(key));
        };
        self.admit(&key, &key, namespace)?;
        let pool = PoolKey { namespace, name: name.into() };
        // An error of a pool that has no configuration could never be taken back.
        let known = self.pools.get_mut(&pool).filter(|known| known.config.is_some());
        match known {
            Some(known) => known.health.stored = Some(health),
            None => step.changed(key),
        }
        if self.pools.contains_key(&pool) {
            self.start_tried(&pool);
            step.pools.insert(pool);
        }
        Ok(())
    }

    fn mood(&self, key: &PoolKey, pool: &Pool) -> Mood {
        let waits = self.thresholds.get(&Due::Retry(key.clone())).is_some();
        match &pool.health.stored {
            None => Mood::Sound,
            // Shown until more have gone well; whoever waits need not be turned away for it.
            Some(stored) if stored.successes > 0 => Mood::Sound,
            Some(_) if waits && pool.coming.is_empty() && pool.failures >= self.options.known_failures => {
                Mood::Failing
            }
            Some(_) => Mood::Struggling,
        }
    }

    /// Where the pool's mood has changed, the routes of those who wait in it are told anew.
    pub(super) fn tell_mood(&mut self, step: &mut Step, key: &PoolKey) {
        let Some(pool) = self.pools.get(key) else { return };
        let mood = self.mood(key, pool);
        if mood != pool.health.mood {
            step.routes.extend(pool.pending.iter().map(|(_, actor)| *actor));
            self.pool_mut(key).health.mood = mood;
        }
    }

    /// Panics where what is kept of a pool's health does not fit together.
    pub(super) fn check_health(&self, key: &PoolKey, pool: &Pool) {
        let health = &pool.health;
        assert_eq!(health.mood, self.mood(key, pool), "the mood of {key:?} was told");
        let counts = self.thresholds.get(&Due::Reports(key.clone())).is_some();
        assert_eq!(counts, !health.reports.is_empty(), "reports of {key:?} will be counted");
        let ages = self.thresholds.get(&Due::Aged(key.clone())).is_some();
        assert_eq!(ages, health.stored.is_some(), "an error of {key:?} ages");
        assert!(health.stored.is_none() || pool.config.is_some(), "{key:?} has starts that can fail");
    }
}
