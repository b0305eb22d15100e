//! How many streams a serverless pool has, and when it may open more.
//!
//! After the engine's boot the desired number is opened at once, although runners of its former life may come back:
//! their streams died with it, so each of them drains itself when it notices, or is lost soon ([`super::orphan`]). Waiting
//! for either would leave every actor without a place for that long.

use protocol::api::ServerlessConfig;
use protocol::error::{CloseReason, RunnerPoolError};
use protocol::id::{RunnerId, StreamId};
use protocol::mark;

use super::Control;
use super::health::Report;
use super::pool::{Pool, PoolKey};
use super::step::Step;
use super::stream::Fate;
use super::timers::Due;

impl Control {
    /// Opens missing streams and closes surplus ones.
    pub(super) fn tend(&mut self, step: &mut Step, key: &PoolKey) {
        while let Some(stream) = self.overtaken_stream(key) {
            self.replace_stream(step, stream, "version");
        }
        let Some(pool) = self.pools.get(key) else { return };
        let desired = pool.desired();
        let mut active = pool.active.len() - usize::from(pool.scout.is_some());
        // The newest without actors goes first: the older ones have proven themselves.
        while active > desired
            && let Some(stream) = self.surplus(key)
        {
            self.replace_stream(step, stream, "surplus");
            active -= 1;
        }
        if self.thresholds.get(&Due::Retry(key.clone())).is_none() {
            self.open_streams(step, key, active);
        }
    }

    /// The stream that can be spared most.
    fn surplus(&self, key: &PoolKey) -> Option<StreamId> {
        let pool = &self.pools[key];
        pool.idle.iter().rev().find(|stream| pool.scout != Some(**stream)).copied()
    }

    /// Opens what is missing between so many streams and the desired count, as far as more may be coming at once.
    pub(super) fn open_streams(&mut self, step: &mut Step, key: &PoolKey, active: usize) {
        let pool = &self.pools[key];
        let room = self.options.streams_coming_max.saturating_sub(pool.coming.len());
        for _ in (active..pool.desired()).take(room) {
            self.open_stream(step, key);
        }
    }

    /// While actors wait: an idle stream of a version that gets nothing any more. It takes a place among `max_runners`
    /// that the newest version could use.
    fn overtaken_stream(&self, key: &PoolKey) -> Option<StreamId> {
        let pool = self.pools.get(key).filter(|pool| pool.waiting() > 0)?;
        let newest = pool.index.newest()?;
        let (version, stream) = pool.idle_versions.first()?;
        (*version < newest).then_some(*stream)
    }

    /// Drains the runner of a stream that shall not stay, and closes the stream when it hosts nothing any more, or
    /// after the drain grace.
    pub(super) fn replace_stream(&mut self, step: &mut Step, id: StreamId, reason: &'static str) {
        let stream = self.streams.get_mut(&id).expect("an indexed stream exists");
        if stream.fate != Fate::Wanted {
            return;
        }
        stream.fate = Fate::Replaced;
        let runner = stream.runner();
        step.pools.insert(stream.pool.clone());
        self.file_stream(id);
        if let Some(runner) = runner {
            self.drain_runner(step, runner);
        }
        if runner.is_none_or(|runner| self.runners[&runner].actors.is_empty()) {
            self.close_stream(step, id, reason);
        } else {
            self.grant_grace(id);
        }
    }

    /// Its request is old enough: whatever still leaves its runner slowly leaves at once.
    pub(super) fn end_lifespan(&mut self, step: &mut Step, id: StreamId) {
        match self.streams[&id].runner().filter(|runner| self.runners[runner].evicting.is_some()) {
            Some(runner) => {
                mark!("control.lifespan_ends_slow_eviction");
                self.evict_all(step, runner);
            }
            None => self.replace_stream(step, id, "lifespan"),
        }
    }

    /// From here on its runner has the drain grace.
    pub(super) fn grant_grace(&mut self, id: StreamId) {
        let stream = &self.streams[&id];
        if matches!(stream.fate, Fate::Closing { .. }) {
            return;
        }
        let grace = stream.grace;
        self.thresholds.clear(Due::Lifespan(id));
        self.thresholds.set(Due::Drained(id), self.now.mono + grace);
    }

    /// The runner of this stream drains by its own wish, and has the drain grace to end the stream itself. One that did
    /// so right after it had come, time and again, is not opened again at once.
    pub(super) fn leave_to_runner(&mut self, step: &mut Step, id: StreamId) {
        let now = self.now.mono;
        let stream = self.streams.get_mut(&id).expect("a runner's stream exists");
        if stream.fate != Fate::Wanted {
            return;
        }
        stream.fate = Fate::Draining;
        let (pool, wave) = (stream.pool.clone(), stream.wave);
        let stable = stream.lived(now, self.options.stream_stable);
        self.grant_grace(id);
        if !stable {
            mark!("control.runner_stops_early");
            self.back_off(&pool, wave);
        }
        step.pools.insert(pool);
    }

    /// This runner hosts nothing any more: if the engine wanted it drained, it can go.
    pub(super) fn emptied(&mut self, step: &mut Step, id: RunnerId) {
        let Some(runner) = self.runners.get(&id) else { return };
        if !runner.actors.is_empty() {
            return;
        }
        match runner.stream {
            Some(stream) if self.streams[&stream].fate == Fate::Replaced => {
                self.close_stream(step, stream, "drained");
            }
            None if runner.record.serverless && runner.seen && runner.record.draining.is_some() => {
                // Its stream ended without the application noticing: only its socket can tell it to go.
                mark!("control.runner_dismissed");
                self.remove_runner(step, id, CloseReason::Eviction);
            }
            None if runner.record.draining.is_some() => {
                self.thresholds.set(Due::Stays(id), self.now.mono + self.options.lost_threshold);
            }
            Some(_) | None => {}
        }
    }

    /// A runner has drained, and is still there. It may be another process than the one that wanted to go, under the same
    /// key: it is asked to come back, and is then a runner like any other.
    pub(super) fn stays(&mut self, step: &mut Step, id: RunnerId) {
        let runner = &self.runners[&id];
        if runner.conn.is_none() || !runner.actors.is_empty() {
            return;
        }
        if runner.record.lingering.is_empty() {
            mark!("control.drained_runner_stays");
            self.remove_runner(step, id, CloseReason::GoingAway);
        } else {
            step.emptied.insert(id);
        }
    }

    /// Streams that go elsewhere than configured.
    pub(super) fn outdated(&self, key: &PoolKey) -> Vec<StreamId> {
        let endpoint = self.pools.get(key).and_then(Pool::serverless).map(ServerlessConfig::endpoint);
        let outdated = |id: &StreamId| {
            let stream = &self.streams[id].target;
            endpoint != Some((&stream.url, &stream.headers))
        };
        let active = self.pools.get(key).into_iter().flat_map(|pool| pool.active.iter().copied());
        active.filter(outdated).collect()
    }

    /// A stream of this wave failed: the next are opened after a delay that doubles with each failed wave.
    pub(super) fn note_failure(&mut self, step: &mut Step, key: &PoolKey, wave: u64, error: RunnerPoolError) {
        self.report(step, key, Report::Failure(error));
        self.back_off(key, wave);
    }

    fn back_off(&mut self, key: &PoolKey, wave: u64) {
        let (base, longest) = (self.options.stream_backoff_base, self.options.stream_backoff_max);
        let pool = self.pool_mut(key);
        if wave != pool.wave {
            mark!("control.stream_wave_counted_once");
            return;
        }
        pool.wave += 1;
        let factor = 2_u32.checked_pow(pool.failures).unwrap_or(u32::MAX);
        pool.failures = pool.failures.saturating_add(1);
        let delay = base.saturating_mul(factor).min(longest);
        self.thresholds.set(Due::Retry(key.clone()), self.now.mono + delay);
    }

    /// The application works: delays begin anew, and nothing waits any more.
    pub(super) fn recover(&mut self, step: &mut Step, key: &PoolKey) {
        let pool = self.pool_mut(key);
        pool.failures = 0;
        self.thresholds.clear(Due::Retry(key.clone()));
        step.pools.insert(key.clone());
    }
}
