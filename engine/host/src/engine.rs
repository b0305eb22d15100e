//! The engine: opened from its data folder, run until it is told to stop.
//!
//! What works while it runs is a [`mod@core`]: both machines with their drivers, the sockets, the streams, the
//! connections. It is thrown away as a whole, and made anew from the store, when a commit fails.

pub(crate) mod core;
mod error;
mod examine;
mod public_url;
pub(crate) mod recovery;
mod running;
mod view;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use machines::control::record::{Key, Record};
use machines::durability::Durability;
use runtime::TcpListener;

pub use error::{OpenError, RunError};
pub use examine::examine;
pub use public_url::masked;
pub use view::View;

use crate::Options;
use crate::access::Door;
use crate::metrics::Metrics;
use crate::outbound::Dialler;
use crate::store::Store;
use running::{Running, Shared};

/// An engine that listens and has its store, and does not run yet.
#[derive(Debug)]
pub struct Engine {
    options: Arc<Options>,
    store: Store,
    /// What is in it.
    records: Vec<(Key, Record)>,
    listener: Arc<TcpListener>,
    address: SocketAddr,
    door: Door,
    dialler: Dialler,
    metrics: Metrics,
    view: View,
}

impl Engine {
    /// Opens the store, listens, and reads the store. Whoever connects waits until it runs.
    ///
    /// # Errors
    /// [`OpenError`], one clear line each.
    pub async fn open(mut options: Options) -> Result<Self, OpenError> {
        examine::bind(&options)?;
        options.public_url = examine::public_url(&options)?;
        let door = Door::new(options.tokens.as_ref()).await?;
        let dialler = examine::dialler(&options).await?;
        let store = options.store().open_tidy().await?;
        let listening = match TcpListener::bind(options.bind).await {
            Ok(listener) => listener.local_addr().map(|address| (listener, address)),
            Err(error) => Err(error),
        };
        let (listener, address) = match listening {
            Ok(listening) => listening,
            Err(source) => {
                store.close().await;
                return Err(OpenError::Bind { bind: options.bind, source });
            }
        };
        let (store, records) = running::read(store).await?;
        Ok(Self {
            options: Arc::new(options),
            store,
            records,
            listener: Arc::new(listener),
            address,
            door,
            dialler,
            metrics: Metrics::default(),
            view: View::default(),
        })
    }

    /// Where it listens, with the port that port 0 became.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL it is reached under, as it tells others.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.options.public_url.clone().unwrap_or_else(|| format!("http://{}", self.address))
    }

    /// A look at its machines while it runs.
    #[must_use]
    pub fn view(&self) -> View {
        self.view.clone()
    }

    /// Runs until `shutdown` ends, then stops in order: no new connections, the requests in flight are answered, the
    /// runners are told to come back later, the store is closed.
    ///
    /// # Errors
    /// [`RunError`] when the store failed and cannot be opened again, or holds what no engine has written.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let public_url: Arc<str> = self.public_url().into();
        let Self { options, mut store, mut records, listener, address: _, door, dialler, metrics, view } =
            self;
        let shared = Shared { public_url, door, dialler, metrics, view };
        let mut shutdown = pin!(shutdown);
        let location = options.store();
        let mut durability = Durability::new(options.durability.clone());
        loop {
            let mut running =
                Running::start(&options, &shared, store, records, durability, &listener).await?;
            let ended = runtime::select! {
                () = shutdown.as_mut() => None,
                ended = running.ended() => Some(ended),
            };
            let Some(ended) = ended else {
                drop(listener);
                return running.stop().await.map_err(RunError::from);
            };
            running.abandon().await;
            shared.metrics.restarted();
            options.witness.restarted();
            durability = ended.durability;
            store = match ended.store {
                Ok(store) => {
                    protocol::mark!("engine_writes_again");
                    store
                }
                Err(error) => {
                    protocol::mark!("engine_core_restarted");
                    tracing::error!(%error, "the store failed; the engine starts again from what it holds");
                    runtime::select! {
                        () = shutdown.as_mut() => return Ok(()),
                        found = recovery::recover(&location, &mut durability, error) => found?,
                    }
                }
            };
            (store, records) = running::read(store).await?;
        }
    }
}
