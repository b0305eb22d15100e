//! The engine: opened from its data folder, run until it is told to stop.
//!
//! What works while it runs is a [`mod@core`]: both machines with their drivers, the sockets, the streams, the
//! connections. It is thrown away as a whole, and made anew from the store, when a commit fails.

pub(crate) mod core;
mod error;
mod public_url;
mod running;
mod view;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use runtime::TcpListener;

pub use error::{OpenError, RunError};
pub use view::View;

use crate::Options;
use crate::store::Store;
use running::Running;

/// An engine that listens and has its store, and does not run yet.
#[derive(Debug)]
pub struct Engine {
    options: Arc<Options>,
    store: Store,
    listener: Arc<TcpListener>,
    address: SocketAddr,
    view: View,
}

impl Engine {
    /// Opens the store, reads it, and listens.
    ///
    /// # Errors
    /// [`OpenError`], one clear line each.
    pub async fn open(mut options: Options) -> Result<Self, OpenError> {
        if !options.bind.ip().is_loopback() && !options.insecure {
            return Err(OpenError::Insecure { bind: options.bind });
        }
        options.public_url = match options.public_url {
            Some(text) => Some(public_url::normal(&text)?),
            None if options.bind.ip().is_unspecified() => {
                return Err(OpenError::NoPublicUrl { bind: options.bind });
            }
            None => None,
        };
        let store = Store::open(&options.data).await?;
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
        Ok(Self {
            options: Arc::new(options),
            store,
            listener: Arc::new(listener),
            address,
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
        let Self { options, mut store, listener, address: _, view } = self;
        let mut shutdown = pin!(shutdown);
        loop {
            let mut running = Running::start(&options, &public_url, store, &listener, &view).await?;
            let failure = runtime::select! {
                () = shutdown.as_mut() => None,
                failure = running.failure() => Some(failure),
            };
            match failure {
                None => {
                    drop(listener);
                    return running.stop().await.map_err(RunError::from);
                }
                Some(error) => {
                    protocol::mark!("engine_core_restarted");
                    tracing::error!(%error, "the store failed; the engine starts again from what it holds");
                    running.abandon().await;
                    options.witness.restarted();
                    store = runtime::select! {
                        () = shutdown.as_mut() => return Ok(()),
                        opened = Store::open(&options.data) => opened?,
                    };
                }
            }
        }
    }
}
