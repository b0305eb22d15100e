//! What laws may know: facts, as they become true, and views, as things stand.
//!
//! Machines fill them, drivers pass them on, `model` reads them. They hold no machine state: only ids, counts and
//! reasons. A fact of the control plane is told after the commit that made it true.

use serde::{Deserialize, Serialize};

use crate::id::{ActorId, ConnId, Generation, RequestId, RunnerId, StreamId, Ticket};

/// Something that has just become true.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Control: a generation was assigned to a runner.
    Placed {
        /// The actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// The runner.
        runner: RunnerId,
    },
    /// Control: the Running event of a generation was taken.
    Running {
        /// The actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
    },
    /// Control: a generation has ended and lost every right.
    Ended {
        /// The actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// How.
        how: GenerationEnd,
    },
    /// Control: an actor is gone for ever.
    Destroyed {
        /// The actor.
        actor: ActorId,
    },
    /// Control: a KV request that changes something was committed.
    KvCommitted {
        /// The actor.
        actor: ActorId,
        /// The generation that asked.
        generation: Generation,
        /// The session that asked.
        conn: ConnId,
    },
    /// Control: a runner's session is open.
    RunnerConnected {
        /// The runner.
        runner: RunnerId,
        /// The session.
        conn: ConnId,
        /// Its pool.
        pool: String,
        /// Its version.
        version: u32,
    },
    /// Control: a runner is drained, since one of a newer version is there and well.
    RunnerOvertaken {
        /// The runner.
        runner: RunnerId,
        /// The newest version.
        newest: u32,
    },
    /// Control: a runner's session is gone; its actors are kept for the grace.
    RunnerDisconnected {
        /// The runner.
        runner: RunnerId,
    },
    /// Control: a runner gets nothing new from here on, and is to go.
    RunnerDrains {
        /// The runner.
        runner: RunnerId,
    },
    /// Control: a runner is gone for ever.
    RunnerLost {
        /// The runner.
        runner: RunnerId,
    },
    /// Control: a serverless stream is requested.
    StreamOpened {
        /// The stream.
        stream: StreamId,
    },
    /// Control: a serverless stream has ended.
    StreamEnded {
        /// The stream.
        stream: StreamId,
        /// Stable name of the reason.
        reason: &'static str,
    },
    /// Gateway: a request was forwarded to a session.
    Forwarded {
        /// The request, the same for all its attempts; unique within the boot of its gateway.
        ticket: Ticket,
        /// The actor.
        actor: ActorId,
        /// The session.
        conn: ConnId,
        /// This attempt's id on the wire, the second half of [`Fact::Delivered`]'s.
        request: RequestId,
        /// Whether it may be carried out twice.
        safe: bool,
        /// How often this request was forwarded before.
        attempt: u32,
    },
    /// Runner: user code of a generation starts.
    InstanceStarted {
        /// The actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
    },
    /// Runner: user code of a generation has ended.
    InstanceStopped {
        /// The actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
    },
    /// Runner: a request was given to user code.
    Delivered {
        /// The actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// Its id, unique per gateway: gateway id then request id.
        request: [u8; 8],
    },
    /// Runner: a serverless event stream has ended.
    EventStreamEnded {
        /// The runner that it held open; none if that had no session yet.
        runner: Option<RunnerId>,
        /// Stable name of the one recorded reason.
        reason: &'static str,
    },
}

/// How a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GenerationEnd {
    /// Its runner said Stopped without an error, after a stop command or by itself.
    Stopped,
    /// Its runner said Stopped with an error.
    Crashed,
    /// Its runner was lost.
    RunnerLost,
    /// It did not start or stop in time.
    NoResponse,
}

/// Who is told facts. Called on the task that performs effects: it must return at once.
pub trait Witness: Send + Sync {
    /// A fact has become true.
    fn tell(&self, fact: &Fact);
    /// A transaction that changes the store is durable.
    fn committed(&self) {}
    /// The engine begins anew from its store, in the same process: what numbers meant before, such as those of
    /// connections and streams, they mean no longer.
    fn restarted(&self) {}
}

/// The witness of production: nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Witness for Nobody {
    fn tell(&self, _: &Fact) {}
}

/// How the control plane stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ControlView {
    /// Every actor that is not destroyed.
    pub actors: Vec<ActorView>,
    /// Every runner that is not lost.
    pub runners: Vec<RunnerView>,
    /// Every serverless pool.
    pub pools: Vec<PoolView>,
    /// Open runner sockets, without Init included.
    pub sockets: usize,
    /// Actors the gateway watches.
    pub watched: usize,
}

/// How much of everything the control plane holds. Unlike a view it does not grow with the number of actors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ControlCounts {
    /// Actors, by the stable name of their phase and stage.
    pub actors: Vec<(&'static str, usize)>,
    /// Runners with an open session.
    pub runners_connected: usize,
    /// Runners without, that may come back.
    pub runners_awaited: usize,
    /// Runners that are being drained.
    pub runners_draining: usize,
    /// Slots of runners that are in use.
    pub slots_used: usize,
    /// Slots of runners that are not, whether or not actors are given to them.
    pub slots_free: usize,
    /// Open runner sockets, without Init included.
    pub sockets: usize,
    /// Pools, by namespace and name.
    pub pools: Vec<PoolCounts>,
}

/// How much a pool holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolCounts {
    /// Namespace name.
    pub namespace: String,
    /// Pool name.
    pub pool: String,
    /// Streams it shall have.
    pub desired: usize,
    /// Streams it has, those being opened included, those being closed not.
    pub streams: usize,
    /// Actors that wait in it.
    pub pending: usize,
    /// Its runners.
    pub runners: usize,
    /// Whether its runners cannot be started.
    pub failing: bool,
}

/// How an actor stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActorView {
    /// The actor.
    pub actor: ActorId,
    /// Stable name of its phase and stage: `pending`, `starting`, `running`, `stopping`, `sleeping`, `backoff`.
    pub phase: &'static str,
    /// Its last generation.
    pub generation: Option<Generation>,
    /// The runner it is assigned to.
    pub runner: Option<RunnerId>,
}

/// How a runner stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunnerView {
    /// The runner.
    pub runner: RunnerId,
    /// Its session, if it is connected.
    pub conn: Option<ConnId>,
    /// Slots it has.
    pub total_slots: u32,
    /// Slots in use.
    pub used_slots: u32,
    /// Of these, held by ended generations whose Stopped was not read yet: each keeps its slot, so that no new
    /// generation of its actor is placed beside it.
    pub lingering_slots: u32,
    /// Whether it is being drained.
    pub draining: bool,
}

/// How a serverless pool stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolView {
    /// Namespace name.
    pub namespace: String,
    /// Pool name.
    pub pool: String,
    /// Streams it shall have.
    pub desired: u32,
    /// Streams it has, those being opened included, those being closed not.
    pub streams: u32,
}

/// How the gateway stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GatewayView {
    /// Requests held until their actor is ready, WebSockets to be included.
    pub waiting: usize,
    /// Requests forwarded and not answered, WebSockets not yet accepted included.
    pub forwarded: usize,
    /// WebSockets that are open.
    pub websockets: usize,
    /// Actors watched.
    pub watched: usize,
}

/// How a runner stands, seen from the application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Its id, once it had an Init.
    pub runner: Option<RunnerId>,
    /// Whether its session is open.
    pub connected: bool,
    /// Instances that run, start or stop.
    pub instances: usize,
    /// Events kept for replay.
    pub events: usize,
    /// KV requests without answer.
    pub kv: usize,
    /// Client requests given to instances.
    pub requests: usize,
}
