//! A client that stays: it calls actions, and hears of events.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use protocol::connection::{ActorSays, Envelope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{ActorError, Event};

/// What may wait for one client at most, in bytes; one that reads slower than that is disconnected. Ours: four of
/// upstream's largest messages.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Events that one client hears of at most. Ours.
const SUBSCRIPTIONS_MAX: usize = 1024;

/// A client that is connected to an actor. Clones are the same connection; what is said on one that is over is lost.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: String,
    params: Value,
    events: Mutex<BTreeSet<String>>,
    outbox: mpsc::UnboundedSender<Out>,
    waiting: AtomicUsize,
}

/// Something on its way to the client.
#[derive(Debug)]
pub(crate) enum Out {
    Say(Arc<str>),
    Close { code: u16, reason: String },
}

impl Connection {
    pub(crate) fn new(params: Value) -> (Self, mpsc::UnboundedReceiver<Out>) {
        let id: [u8; 16] = runtime::entropy::bytes("actor/connection");
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let (outbox, out) = mpsc::unbounded_channel();
        let events = Mutex::default();
        (Self(Arc::new(Inner { id, params, events, outbox, waiting: AtomicUsize::new(0) })), out)
    }

    /// Its id: 32 hexadecimal digits, another one for each connection.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What the client said of itself when it connected.
    ///
    /// # Errors
    /// `user.invalid_params` (status 400) if it is not what is expected.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, ActorError> {
        T::deserialize(&self.0.params).map_err(|error| ActorError::user("invalid_params", error.to_string()))
    }

    /// Tells this client alone of an event, whether it has asked to hear of it or not.
    ///
    /// # Errors
    /// An internal one if what is told is no JSON.
    pub fn send<T: Serialize>(&self, event: Event<T>, what: &T) -> Result<(), ActorError> {
        self.say(&told(event, what)?);
        Ok(())
    }

    /// Ends the connection, after what was said before. The reason is cut to 123 bytes.
    pub fn close(&self, code: u16, reason: &str) {
        // One that is over has ended.
        self.0.outbox.send(Out::Close { code, reason: reason.to_owned() }).ok();
    }

    pub(crate) fn say(&self, text: &Arc<str>) {
        let before = self.0.waiting.fetch_add(text.len(), Ordering::AcqRel);
        if before > WAITING_BYTES_MAX {
            protocol::mark!("sdk_connection_too_slow");
            return self.close(1011, "connection.too_slow");
        }
        self.0.outbox.send(Out::Say(Arc::clone(text))).ok();
    }

    /// So much does not wait any more.
    pub(crate) fn took(&self, bytes: usize) {
        self.0.waiting.fetch_sub(bytes, Ordering::AcqRel);
    }

    pub(crate) fn hears(&self, event: &str) -> bool {
        self.0.events.lock().contains(event)
    }

    /// Whether there was room for it.
    pub(crate) fn subscribe(&self, event: String, subscribe: bool) -> bool {
        let mut events = self.0.events.lock();
        if !subscribe {
            events.remove(&event);
            return true;
        }
        events.len() < SUBSCRIPTIONS_MAX && {
            events.insert(event);
            true
        }
    }
}

/// What is said of an event.
pub(super) fn told<T: Serialize>(event: Event<T>, what: &T) -> Result<Arc<str>, ActorError> {
    let args = serde_json::to_value(what).map_err(ActorError::internal)?;
    Ok(text(ActorSays::Event { name: event.name().to_owned(), args }))
}

/// A message, as it is sent.
pub(crate) fn text(body: ActorSays) -> Arc<str> {
    serde_json::to_string(&Envelope { body }).expect("a value of JSON is JSON").into()
}
