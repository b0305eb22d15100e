//! The control plane: which actors exist, in which state, on which runner; which runners live; how many serverless
//! streams are held open.
//!
//! The state is durable by construction. One step reads, decides, and appends to `out` first its writes
//! ([`Effect::Put`], [`Effect::Delete`], [`Effect::Kv`], …), then what is to be performed. The driver applies the
//! writes of one or many steps in one transaction, and performs the rest, in order, only after that commit is
//! durable. After a failed commit it performs nothing, throws the machine away and restores a new one.
//! What is performed may be performed twice, so everything here is derived again from stored records after a crash:
//! commands are resent while their event is missing, streams are reopened while the desired count is missed.
//!
//! What it is not: it holds no KV contents and no actor input (it authorises, the driver stores), no client request
//! (that is [`crate::gateway`]).

mod actors;
mod call;
mod check;
mod configs;
mod create;
mod delete;
mod disowned;
pub mod effect;
mod events;
mod evict;
mod expire;
mod frame;
mod generation;
mod hash;
mod health;
mod init;
pub mod input;
mod kv;
mod linger;
mod list;
mod metadata;
mod names;
mod namespaces;
pub mod options;
mod orphan;
mod phase;
mod placement;
mod pool;
mod purge;
mod reading;
pub mod record;
mod records;
mod reschedule;
mod resend;
mod restore;
mod roster;
mod runner;
mod runners;
mod session;
mod show;
mod sleep;
mod step;
mod stop;
mod stream;
mod tend;
#[cfg(test)]
mod tests;
mod timers;
mod unnamed;
mod upgrade;
mod view;
mod wake;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

pub use effect::Effect;
pub use input::Input;
pub use options::Options;
pub use placement::{Index, Seat, Stand, Stands};
use protocol::id::{ActorId, ConnId, FetchId, NamespaceId, RunnerId, RunnerKey, StreamId};
use protocol::time::{Mono, Now, Wall};
pub use record::{Record, Text};
pub use restore::RestoreError;

use self::actors::Actors;
use self::metadata::Fetch;
use self::placement::Haunts;
use self::pool::{Pool, PoolKey};
use self::roster::Roster;
use self::runners::RunnerPosition;
use self::session::Session;
use self::step::Step;
use self::stream::Stream;
use self::timers::Timers;
use crate::route::Route;

/// The control plane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Control {
    options: Options,
    /// The latest reading of both clocks.
    now: Now,
    /// Whether nothing may be stored.
    reading: bool,
    namespaces: BTreeMap<NamespaceId, record::Namespace>,
    namespace_names: BTreeMap<String, NamespaceId>,
    actor_names: BTreeMap<(NamespaceId, String), String>,
    actors: Actors,
    runners: Roster,
    runner_keys: BTreeMap<(PoolKey, RunnerKey), RunnerId>,
    /// In list order.
    listed_runners: BTreeMap<NamespaceId, BTreeSet<RunnerPosition>>,
    /// Where earlier generations of an actor linger.
    haunts: BTreeMap<ActorId, Haunts>,
    /// What lost runners hosted, by the key under which their process may come back.
    departed: BTreeMap<(PoolKey, RunnerKey), record::Departed>,
    /// When this process last noted that it lives; stored.
    heartbeat: Option<Wall>,
    sessions: BTreeMap<ConnId, Session>,
    pools: BTreeMap<PoolKey, Pool>,
    streams: BTreeMap<StreamId, Stream>,
    next_stream: StreamId,
    /// Applications that are being asked for their metadata.
    fetches: BTreeMap<FetchId, Fetch>,
    /// How many of these callers wait for.
    metadata_calls: usize,
    next_fetch: FetchId,
    /// Actors the gateway watches, with the route it was last told.
    watches: BTreeMap<ActorId, Option<Route>>,
    /// Those of them that nobody waits for.
    observed: BTreeSet<ActorId>,
    /// How long things may take.
    thresholds: Timers<Mono>,
    /// Dates: what is to be done when people's clocks say so.
    appointments: Timers<Wall>,
}

impl Control {
    /// One step. Writes are appended to `out` before what is to be performed after their commit. Costs the logarithm
    /// of what is there, times what the step changes.
    ///
    /// # Panics
    /// When the monotonic clock went back, or an invariant does not hold.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        assert!(now.mono >= self.now.mono, "the monotonic clock never goes back");
        self.now = now;
        let mut step = Step::default();
        match input {
            Input::Tick => {}
            Input::Api { ticket, call } => self.call(&mut step, ticket, call),
            Input::Watch { actor } => self.watch(&mut step, actor),
            Input::Observe { actor } => self.observe(actor),
            Input::Disowned { actor, generation, conn } => self.disowned(&mut step, actor, generation, conn),
            Input::Unwatch { actor } => self.unwatch(actor),
            Input::SocketOpened { conn, namespace, key } => self.open(&mut step, conn, &namespace, key),
            Input::Frame { conn, frame } => self.frame(&mut step, conn, frame),
            Input::FrameInvalid { conn } => self.invalid_frame(&mut step, conn),
            Input::SocketClosed { conn } => self.closed(&mut step, conn),
            Input::StreamOpened { stream } => self.stream_opened(stream),
            Input::StreamInit { stream, runner } => self.stream_init(&mut step, stream, runner),
            Input::StreamPing { stream } => self.stream_ping(&mut step, stream),
            Input::Metadata { fetch, told } => self.told(&mut step, fetch, told),
            Input::StreamEnded { stream, end } => self.stream_ended(&mut step, stream, end),
        }
        self.finish(step, out);
    }

    /// When to send [`Input::Tick`] at the latest, and why. An alarm is on the wall clock; it is told by the
    /// monotonic clock as both stood at the last step.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let threshold = self.thresholds.first().map(|(at, due)| (at, due.reason()));
        // What is stored waits until it can be changed.
        let appointment = self
            .appointments
            .first()
            .filter(|_| !self.reading)
            .map(|(at, due)| (self.now.mono + at.since(self.now.wall), due.reason()));
        threshold.into_iter().chain(appointment).min()
    }

    /// What every step ends with: due deadlines, waiting actors, missing streams, changed routes; then the outbox.
    fn finish(&mut self, mut step: Step, out: &mut Vec<Effect>) {
        if self.reading {
            return self.finish_reading(step, out);
        }
        self.expire(&mut step);
        self.settle(&mut step);
        self.forget_surplus(&mut step);
        self.tell_routes(&mut step);
        if !step.records.is_empty() || !step.writes.is_empty() {
            self.beat_along(&mut step);
        }
        for key in step.records {
            out.push(match self.record(&key) {
                Some(record) => Effect::Put(key, Box::new(record)),
                None => Effect::Delete(key),
            });
        }
        out.append(&mut step.writes);
        out.append(&mut step.performs);
    }
}
