//! Serverless streams: requested, opened, live, drained, ended. They live only as long as this process.
//!
//! What one is, is in [`state`]; how many there are is decided in [`super::tend`].

mod state;

use protocol::error::{RunnerPoolError, UserText};
use protocol::id::{RunnerId, StreamId};
use protocol::mark;
use protocol::view::Fact;

pub(super) use state::{Fate, Stage, Stream};

use super::Control;
use super::effect::{Effect, StreamTarget};
use super::health::Report;
use super::input::StreamEnd;
use super::pool::PoolKey;
use super::record::Key;
use super::step::Step;
use super::timers::Due;

impl Control {
    /// Requests one more stream for the pool.
    pub(super) fn open_stream(&mut self, step: &mut Step, key: &PoolKey) -> StreamId {
        let target = self.target(key).expect("only a serverless pool opens streams");
        let id = self.next_stream;
        self.next_stream = id.next();
        let pool = self.pool_mut(key);
        pool.streams += 1;
        pool.unanswered += 1;
        pool.active.insert(id);
        pool.idle.insert(id);
        pool.coming.insert(id);
        let wave = pool.wave;
        let config = pool.serverless().expect("only a serverless pool opens streams");
        let (lifespan, grace) = (config.lifespan(), config.drain_grace());
        let stream = Stream {
            pool: key.clone(),
            target: target.clone(),
            grace,
            wave,
            stage: Stage::Dialing,
            fate: Fate::Wanted,
            idle_version: None,
        };
        self.streams.insert(id, stream);
        let now = self.now.mono;
        self.thresholds.set(Due::Stream(id), now + self.options.stream_timeout);
        // The drain happens within the request's life, as the application's platform counts it.
        let usable = lifespan.saturating_sub(grace).max(lifespan / 2);
        self.thresholds.set(Due::Lifespan(id), now + usable);
        step.perform(Effect::OpenStream { stream: id, target });
        self.start_tried(key);
        step.fact(Fact::StreamOpened { stream: id });
        id
    }

    /// Where streams of the pool go.
    pub(super) fn target(&self, key: &PoolKey) -> Option<StreamTarget> {
        let config = self.pools.get(key)?.serverless()?;
        Some(StreamTarget {
            namespace: self.namespaces[&key.namespace].name.clone(),
            pool: key.name.to_string(),
            url: config.url.clone(),
            headers: config.headers.clone(),
            slots: config.slots_per_runner,
        })
    }

    /// The response head.
    pub(super) fn stream_opened(&mut self, id: StreamId) {
        let timeout = self.now.mono + self.options.stream_timeout;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.stage == Stage::Dialing && !matches!(stream.fate, Fate::Closing { .. }) {
            stream.stage = Stage::Open;
            self.thresholds.set(Due::Stream(id), timeout);
        }
    }

    /// The Init event: the runner behind the stream.
    pub(super) fn stream_init(&mut self, step: &mut Step, id: StreamId, runner: RunnerId) {
        let Some(stream) = self.streams.get(&id) else { return };
        if matches!(stream.fate, Fate::Closing { .. }) {
            return;
        }
        if stream.runner() == Some(runner) {
            self.stream_ping(step, id);
            return;
        }
        let pool = stream.pool.clone();
        let fits = stream.runner().is_none()
            && self
                .runners
                .get(&runner)
                .is_some_and(|known| known.stream.is_none() && PoolKey::of_runner(&known.record) == pool);
        if !fits {
            mark!("control.stream_names_no_runner");
            let message = "the init event names no runner that is connected and without a stream".into();
            let error = RunnerPoolError::ServerlessInvalidSsePayload { message, raw_payload: None };
            self.fail_stream(step, id, error, "payload");
            return;
        }
        let now = self.now.mono;
        let stream = self.streams.get_mut(&id).expect("it was there above");
        stream.stage = Stage::Live { runner, since: now };
        let host = self.runner_mut(runner);
        host.stream = Some(id);
        host.record.serverless = true;
        let drains = host.record.draining.is_some();
        if drains {
            self.leave_to_runner(step, id);
        }
        self.thresholds.set(Due::Stream(id), now + self.options.stream_timeout);
        step.changed(Key::Runner(runner));
        self.pool_mut(&pool).unanswered -= 1;
        self.set_unnamed(runner, false);
        self.report(step, &pool, Report::Success);
        self.rank(runner);
        self.succeed_orphan(&pool);
        step.pools.insert(pool);
    }

    /// Any other event: the stream is alive.
    pub(super) fn stream_ping(&mut self, step: &mut Step, id: StreamId) {
        let now = self.now.mono;
        let Some(stream) = self.streams.get(&id) else { return };
        // Before its Init, pings do not put the timeout off: an application whose runner never connects has failed.
        if stream.runner().is_none() || matches!(stream.fate, Fate::Closing { .. }) {
            return;
        }
        let (pool, stable) = (stream.pool.clone(), stream.lived(now, self.options.stream_stable));
        self.thresholds.set(Due::Stream(id), now + self.options.stream_timeout);
        if stable && self.pools[&pool].failures > 0 {
            self.recover(step, &pool);
        }
    }

    /// It ended.
    pub(super) fn stream_ended(&mut self, step: &mut Step, id: StreamId, end: StreamEnd) {
        let Some(stream) = self.streams.get(&id) else { return };
        let (pool, fate, runner) = (stream.pool.clone(), stream.fate, stream.runner());
        let stable = stream.lived(self.now.mono, self.options.stream_stable);
        let wave = stream.wave;
        let reason = match fate {
            Fate::Closing { reason } => reason,
            Fate::Wanted | Fate::Draining | Fate::Replaced => end.name(),
        };
        if fate == Fate::Wanted {
            if stable {
                self.recover(step, &pool);
            } else {
                self.note_failure(step, &pool, wave, error(end));
            }
        }
        self.end_stream(id);
        self.streams.remove(&id);
        self.pool_mut(&pool).streams -= 1;
        if runner.is_none() {
            self.pool_mut(&pool).unanswered -= 1;
            self.await_late_runners(&pool);
        }
        step.fact(Fact::StreamEnded { stream: id, reason });
        step.pools.insert(pool);
        if let Some(runner) = runner {
            self.stream_left(step, id, runner);
        }
    }

    /// What the end of its stream means for a runner: an instance whose request has ended may be frozen or killed by
    /// its platform at any moment, so it gets nothing new and its actors move; without a socket it is gone.
    fn stream_left(&mut self, step: &mut Step, id: StreamId, runner: RunnerId) {
        let Some(host) = self.runners.get_mut(&runner) else { return };
        if host.stream != Some(id) {
            return;
        }
        host.stream = None;
        if host.conn.is_some() {
            mark!("control.stream_ended_before_socket");
            self.drain_runner(step, runner);
        } else if host.seen {
            self.lose_runner(step, runner);
        }
    }

    /// Gives up a stream that was wanted, as a failure of its pool.
    pub(super) fn fail_stream(
        &mut self,
        step: &mut Step,
        id: StreamId,
        error: RunnerPoolError,
        reason: &'static str,
    ) {
        let stream = &self.streams[&id];
        if stream.fate == Fate::Wanted {
            let (pool, wave) = (stream.pool.clone(), stream.wave);
            self.note_failure(step, &pool, wave, error);
        }
        self.close_stream(step, id, reason);
    }

    /// Closes a stream; its end still follows.
    pub(super) fn close_stream(&mut self, step: &mut Step, id: StreamId, reason: &'static str) {
        let stream = self.streams.get_mut(&id).expect("an indexed stream exists");
        if matches!(stream.fate, Fate::Closing { .. }) {
            return;
        }
        stream.fate = Fate::Closing { reason };
        step.pools.insert(stream.pool.clone());
        self.end_stream(id);
        step.perform(Effect::CloseStream { stream: id });
    }

    fn end_stream(&mut self, id: StreamId) {
        for due in [Due::Stream(id), Due::Lifespan(id), Due::Drained(id)] {
            self.thresholds.clear(due);
        }
        let key = self.streams[&id].pool.clone();
        let pool = self.pool_mut(&key);
        pool.active.remove(&id);
        pool.idle.remove(&id);
        pool.coming.remove(&id);
        pool.scout.take_if(|scout| *scout == id);
        self.file_idle(id, None);
    }

    /// Brings the stream's place in its pool up to date.
    pub(super) fn file_stream(&mut self, id: StreamId) {
        let stream = &self.streams[&id];
        let (key, active) = (stream.pool.clone(), stream.fate == Fate::Wanted);
        let hosts = stream.runner().and_then(|runner| self.runners.get(&runner));
        let idle = active && hosts.is_none_or(|runner| runner.actors.is_empty());
        let coming = active && self.is_coming(stream);
        let version = hosts.filter(|_| idle).map(|runner| runner.record.version);
        let pool = self.pool_mut(&key);
        for (index, belongs) in
            [(&mut pool.active, active), (&mut pool.idle, idle), (&mut pool.coming, coming)]
        {
            if belongs {
                index.insert(id)
            } else {
                index.remove(&id)
            };
        }
        if !coming {
            pool.scout.take_if(|scout| *scout == id);
        }
        self.file_idle(id, version);
    }

    fn file_idle(&mut self, id: StreamId, version: Option<u32>) {
        let stream = self.streams.get_mut(&id).expect("an indexed stream exists");
        let before = std::mem::replace(&mut stream.idle_version, version);
        if before == version {
            return;
        }
        let key = stream.pool.clone();
        let index = &mut self.pool_mut(&key).idle_versions;
        if let Some(before) = before {
            index.remove(&(before, id));
        }
        if let Some(version) = version {
            index.insert((version, id));
        }
    }

    /// Whether its runner may still be going to offer slots for the first time: it has not connected, or its session's
    /// barrier has not passed.
    pub(super) fn is_coming(&self, stream: &Stream) -> bool {
        let Some(runner) = stream.runner() else { return true };
        let conn = self.runners.get(&runner).and_then(|runner| runner.conn);
        conn.is_some_and(|conn| !self.sessions[&conn].is_ready())
    }

    /// The stream's next step did not come in time.
    pub(super) fn stream_timed_out(&mut self, step: &mut Step, id: StreamId) {
        mark!("control.stream_timed_out");
        let seconds = self.options.stream_timeout.as_secs();
        let what = match self.streams[&id].stage {
            Stage::Dialing => "no response",
            Stage::Open => "no runner was connected",
            Stage::Live { .. } => "no ping",
        };
        let message = UserText::new(&format!("{what} within {seconds} s"));
        self.fail_stream(step, id, RunnerPoolError::ServerlessConnectionError { message }, "timeout");
    }
}

/// The end of a stream that was wanted, as users see it.
fn error(end: StreamEnd) -> RunnerPoolError {
    match end {
        StreamEnd::Closed | StreamEnd::Clean => RunnerPoolError::ServerlessStreamEndedEarly,
        StreamEnd::Http { status, body } => {
            RunnerPoolError::ServerlessHttpError { status_code: status, body: UserText::new(&body) }
        }
        StreamEnd::Connection { message } => {
            RunnerPoolError::ServerlessConnectionError { message: UserText::new(&message) }
        }
        StreamEnd::Payload { message } => RunnerPoolError::ServerlessInvalidSsePayload {
            message: UserText::new(&message),
            raw_payload: None,
        },
    }
}
