//! An actor's world: who it is, what it keeps, and what it may ask for.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use machines::instance::When;
use parking_lot::{Mutex, RwLock};
use protocol::id::{ActorId, Generation};
use protocol::time::Wall;
use protocol::wire::ActorConfig;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::{
    AbortSignal, ActorError, AlarmError, Awake, Connection, Event, Kv, SaveError, Schedule, StateMut,
    StateRef, connection, layout,
};
use crate::client::Client;
use crate::instance::schedules::Asked;
use crate::instance::{Ask, Voice};
use crate::sql::Database;

/// An actor's world, with a state of type `S`. Clones are cheap and mean the same instance; one that outlives it can do
/// nothing any more.
#[derive(Debug)]
pub struct Context<S> {
    core: Arc<Core>,
    state: Arc<RwLock<S>>,
    caller: Option<Connection>,
}

impl<S> Clone for Context<S> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), state: Arc::clone(&self.state), caller: self.caller.clone() }
    }
}

/// What does not depend on the type of the state.
#[derive(Debug)]
pub(crate) struct Core {
    config: ActorConfig,
    voice: Voice,
    stopping: AbortSignal,
    asks: mpsc::UnboundedSender<Ask>,
    client: Client,
    /// Whether a change of the state was told that no write has taken yet.
    dirty: AtomicBool,
    sql: OnceLock<Database>,
    /// Clients that are connected, by id.
    connections: Mutex<BTreeMap<String, Connection>>,
}

/// A connection that is one of its actor's until this is dropped.
pub(crate) struct Listed<'a> {
    core: &'a Core,
    connection: Connection,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.core.connections.lock().remove(self.connection.id());
    }
}

impl Core {
    pub(crate) fn new(
        config: ActorConfig,
        voice: Voice,
        stopping: AbortSignal,
        asks: mpsc::UnboundedSender<Ask>,
        client: Client,
    ) -> Self {
        Self {
            config,
            voice,
            stopping,
            asks,
            client,
            dirty: AtomicBool::new(false),
            sql: OnceLock::new(),
            connections: Mutex::default(),
        }
    }

    pub(crate) fn actor(&self) -> ActorId {
        self.voice.actor()
    }

    pub(crate) fn enter(&self, connection: &Connection) -> Listed<'_> {
        self.connections.lock().insert(connection.id().to_owned(), connection.clone());
        Listed { core: self, connection: connection.clone() }
    }

    /// Asks the instance for something; one that has ended does not listen.
    pub(crate) fn ask(&self, ask: Ask) {
        self.asks.send(ask).ok();
    }

    pub(super) const fn voice(&self) -> &Voice {
        &self.voice
    }

    pub(super) fn changed(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.ask(Ask::Changed);
        }
    }

    /// The state is about to be written as it is: what changes from here on is told anew.
    pub(crate) fn clean(&self) {
        self.dirty.store(false, Ordering::Release);
    }
}

impl<S> Context<S> {
    pub(super) const fn new(core: Arc<Core>, state: Arc<RwLock<S>>) -> Self {
        Self { core, state, caller: None }
    }

    /// The same for a call of this connection.
    pub(super) fn called_by(&self, caller: Option<Connection>) -> Self {
        Self { caller, ..self.clone() }
    }

    /// The actor's id, the same through its life.
    #[must_use]
    pub fn actor_id(&self) -> ActorId {
        self.core.voice.actor()
    }

    /// Its name: under which the registry knows its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.config.name
    }

    /// Its key, unique among the living actors of its name.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.core.config.key.as_deref()
    }

    /// Counts the starts of this actor.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.core.voice.generation()
    }

    /// What its creator gave it.
    #[must_use]
    pub fn input(&self) -> Option<&Bytes> {
        self.core.config.input.as_ref()
    }

    /// A look at its state.
    ///
    /// # Panics
    /// While its state is borrowed to be changed: by the same expression, or by code that runs elsewhere than in the
    /// actor's own calls.
    pub fn state(&self) -> StateRef<'_, S> {
        StateRef(self.state.try_read().expect("the state is not borrowed to be changed meanwhile"))
    }

    /// Its state, to change it. A change is written within [`Timings::save_interval`](super::Timings::save_interval), and
    /// before the actor sleeps; [`Self::save`] says when it is stored.
    ///
    /// # Panics
    /// While its state is borrowed otherwise, as for [`Self::state`].
    pub fn state_mut(&self) -> StateMut<'_, S> {
        let state = self.state.try_write().expect("the state is not borrowed otherwise meanwhile");
        StateMut { state, core: &self.core, touched: false }
    }

    /// Returns when its state, as it is now, is stored: from then on it survives every crash. Written at once; calls
    /// that come together share a write.
    ///
    /// # Errors
    /// [`SaveError`].
    pub async fn save(&self) -> Result<(), SaveError> {
        self.saved(When::Now).await
    }

    /// The same, written so long from now at the latest: for many small changes that are to share a write.
    ///
    /// # Errors
    /// [`SaveError`].
    pub async fn save_within(&self, span: Duration) -> Result<(), SaveError> {
        self.saved(When::Within(span)).await
    }

    async fn saved(&self, when: When) -> Result<(), SaveError> {
        let (answer, answered) = oneshot::channel();
        self.core.ask(Ask::Save { when, answer });
        answered.await.unwrap_or(Err(SaveError::Ended))
    }

    /// The clients that are connected at this moment, in no particular order.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.core.connections.lock().values().cloned().collect()
    }

    /// Who calls: in an action that was called on a connection.
    #[must_use]
    pub const fn connection(&self) -> Option<&Connection> {
        self.caller.as_ref()
    }

    /// Tells every client that is connected and has asked to hear of it, in the order in which it is called. Nobody is
    /// told later.
    ///
    /// # Errors
    /// An internal one if what is told is no JSON.
    pub fn broadcast<T: Serialize>(&self, event: Event<T>, what: &T) -> Result<(), ActorError> {
        let told = connection::told(event, what)?;
        for connection in self.connections() {
            if connection.hears(event.name()) {
                connection.say(&told);
            }
        }
        Ok(())
    }

    /// A client of the engine and the namespace that it lives in, by which it calls other actors, with its runner's
    /// credentials. It may call itself too: calls do not wait for each other. One that calls is awake until it has its
    /// answer.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.core.client
    }

    /// Its storage.
    #[must_use]
    pub fn kv(&self) -> Kv {
        Kv::below(layout::USER, self.core.voice.clone())
    }

    /// Its relational database, which the first call loads: an actor that never asks has none, and pays nothing.
    ///
    /// ```
    /// # use sdk::{ActorError, Context};
    /// async fn note(ctx: &Context<()>, text: String) -> Result<usize, ActorError> {
    ///     ctx.sql().execute("CREATE TABLE IF NOT EXISTS note (text TEXT)", ()).await?;
    ///     Ok(ctx.sql().execute("INSERT INTO note VALUES (?1)", [text]).await?)
    /// }
    /// ```
    #[must_use]
    pub fn sql(&self) -> &Database {
        self.core.sql.get_or_init(|| Database::open(self.core.voice.clone()))
    }

    /// Asks to sleep: the engine stops this generation, and wakes the next one on a request or an alarm. Calls after
    /// the first change nothing.
    pub fn sleep(&self) {
        self.core.ask(Ask::Sleep);
    }

    /// Asks to be destroyed: the engine stops this generation and forgets the actor, its storage included. Calls after
    /// the first change nothing.
    pub fn destroy(&self) {
        self.core.ask(Ask::Destroy);
    }

    /// Keeps the actor awake, and a stop waiting (within its grace), until what is returned is dropped.
    #[must_use = "it keeps the actor awake until it is dropped"]
    pub fn keep_awake(&self) -> Awake {
        Awake::new(Arc::clone(&self.core))
    }

    /// Goes on with something beside the call that asks for it. It does not keep the actor awake; a stop waits for it,
    /// within its grace. Once the actor has stopped it is dropped unbegun.
    pub fn wait_until(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.core.ask(Ask::Task(Box::pin(work)));
    }

    /// What it does later.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule::new(Arc::clone(&self.core))
    }

    /// Replaces the alarm, which wakes the actor when it sleeps at that time; none clears it. Returns when the engine has
    /// stored it: from then on it survives every crash. What is [scheduled](Self::schedule) wakes it beside that.
    ///
    /// # Errors
    /// [`AlarmError`].
    pub async fn set_alarm(&self, at: Option<Wall>) -> Result<(), AlarmError> {
        match self.core.ask_schedules(|answer| Asked::Alarm { at, answer }).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits so long, or until the instance is asked to stop. Returns whether it may go on.
    pub async fn pause(&self, span: Duration) -> bool {
        runtime::timeout(span, self.core.stopping.aborted()).await.is_err()
    }

    /// Fires when this instance is asked to stop, in order or not.
    #[must_use]
    pub fn abort_signal(&self) -> &AbortSignal {
        &self.core.stopping
    }
}
