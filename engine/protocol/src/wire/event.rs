//! Events: what happened to an actor on its runner, numbered per actor and generation.

use serde::{Deserialize, Serialize};

use crate::id::{ActorId, Generation};

/// A place in the stream of events, or of commands, of one generation of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// The actor.
    pub actor_id: ActorId,
    /// Its generation.
    pub generation: Generation,
    /// Counts from 0 within the generation.
    pub index: i64,
}

/// An event with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventWrapper {
    /// Where in the stream it belongs.
    pub checkpoint: Checkpoint,
    /// What happened.
    pub inner: Event,
}

/// What happened to an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum Event {
    /// The actor asks the engine to be stopped.
    ActorIntent {
        /// What for.
        intent: ActorIntent,
    },
    /// The actor runs, or does not any more.
    ActorStateUpdate {
        /// Its state.
        state: ActorState,
    },
    /// Replaces the actor's alarm.
    SetAlarm {
        /// When to wake, wall clock milliseconds; none clears the alarm.
        alarm_ts: Option<i64>,
    },
}

/// What an actor wants to be stopped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ActorIntent {
    /// To sleep until it is needed.
    Sleep,
    /// To be destroyed.
    Stop,
}

/// Whether an actor runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ActorState {
    /// It was started. RivetKit says so before the actor has loaded its state.
    Running,
    /// It has stopped; the last event of its generation.
    Stopped {
        /// How. RivetKit 2.2.1 says [`StopCode::Error`] on a normal sleep too: decide by the intent.
        code: StopCode,
        /// User text about the end.
        message: Option<String>,
    },
}

/// How an actor stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StopCode {
    /// In order.
    Ok,
    /// By a failure.
    Error,
}
