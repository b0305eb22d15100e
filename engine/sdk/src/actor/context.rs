//! An actor's world: who it is, and what it may ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use machines::runner::input::InstanceEvent;
use protocol::id::{ActorId, Generation};
use protocol::time::Wall;
use protocol::wire::ActorConfig;

use super::{AbortSignal, AlarmError, Kv};
use crate::instance::Voice;

/// An actor's world. Clones are cheap and mean the same instance; one that outlives it can do nothing any more.
#[derive(Clone, Debug)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: ActorConfig,
    voice: Voice,
    stopping: AbortSignal,
    sleep_asked: AtomicBool,
    destroy_asked: AtomicBool,
}

impl Context {
    pub(crate) fn new(config: ActorConfig, voice: Voice, stopping: AbortSignal) -> Self {
        Self(Arc::new(Inner {
            config,
            voice,
            stopping,
            sleep_asked: AtomicBool::new(false),
            destroy_asked: AtomicBool::new(false),
        }))
    }

    /// The actor's id, the same through its life.
    #[must_use]
    pub fn actor_id(&self) -> ActorId {
        self.0.voice.actor()
    }

    /// Its name: under which the registry knows its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    /// Its key, unique among the living actors of its name.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.config.key.as_deref()
    }

    /// Counts the starts of this actor.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.0.voice.generation()
    }

    /// What its creator gave it.
    #[must_use]
    pub fn input(&self) -> Option<&Bytes> {
        self.0.config.input.as_ref()
    }

    /// Its storage.
    #[must_use]
    pub fn kv(&self) -> Kv {
        Kv::new(self.0.voice.clone())
    }

    /// Asks to sleep: the engine stops this generation, and wakes the next one on a request or an alarm. Calls after
    /// the first change nothing.
    pub fn sleep(&self) {
        if !self.0.sleep_asked.swap(true, Ordering::AcqRel) {
            self.0.voice.say(InstanceEvent::Sleep);
        }
    }

    /// Asks to be destroyed: the engine stops this generation and forgets the actor, its storage included. Calls after
    /// the first change nothing.
    pub fn destroy(&self) {
        if !self.0.destroy_asked.swap(true, Ordering::AcqRel) {
            self.0.voice.say(InstanceEvent::Destroy);
        }
    }

    /// Replaces the alarm, which wakes the actor when it sleeps at that time; none clears it. Returns when the engine has
    /// stored it: from then on it survives every crash.
    ///
    /// # Errors
    /// [`AlarmError`].
    pub async fn set_alarm(&self, at: Option<Wall>) -> Result<(), AlarmError> {
        Ok(self.0.voice.set_alarm(at.map(Wall::to_wire)).await?)
    }

    /// Fires when this instance is asked to stop, in order or not.
    #[must_use]
    pub fn abort_signal(&self) -> &AbortSignal {
        &self.0.stopping
    }
}
