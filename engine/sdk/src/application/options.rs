//! What an application is made with.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use machines::runner;
use machines::runner::startup::spawn::HEALTH_WAIT;
use protocol::id::RunnerId;
use protocol::view::{Nobody, Witness};

use crate::endpoint::Endpoint;
use crate::pool::PoolOptions;
use crate::view::View;

/// The URL of an engine on this machine, at upstream's port.
pub const LOCAL_ENGINE: &str = "http://127.0.0.1:6420";

/// Changes how a pool is configured, after everything else.
pub type Tune = Arc<dyn Fn(&mut PoolOptions) + Send + Sync>;

/// What an application is made with.
#[derive(Clone)]
pub struct ApplicationOptions {
    /// Which engine. Default: embedded where that is built in, else the one at [`LOCAL_ENGINE`].
    pub engine: EngineChoice,
    /// Name of the namespace. Default `default`.
    pub namespace: String,
    /// Name of the pool. Default `default`.
    pub pool: String,
    /// Credentials. Default none.
    pub token: Option<String>,
    /// Version of the application; runners of higher versions replace those of lower ones. Default 1.
    pub version: u32,
    /// Actors hosted at one time at most. Default 10 000.
    pub total_slots: u32,
    /// How long a shutdown may take before it cuts off, at least 1 s. Default: what the engine says a stop of an actor
    /// may take; 30 min if it has not said so.
    pub grace: Option<Duration>,
    /// The endpoint of serverless mode.
    pub serving: Serving,
    /// The last word on how a pool is configured. Default none.
    pub tune_pool: Option<Tune>,
    /// Timings; their slots are replaced.
    pub timings: runner::Options,
    /// Who is told facts. Default nobody.
    pub witness: Arc<dyn Witness>,
    /// Shows how the sessions stand. Default a view of its own.
    pub view: View,
    /// Called when the engine knows the runner, each time by another id. Must return at once. Default nobody.
    pub on_ready: Option<Arc<dyn Fn(RunnerId) + Send + Sync>>,
}

/// Which engine an application works with.
#[derive(Clone, Debug)]
pub enum EngineChoice {
    /// One that runs somewhere.
    Connect(Endpoint),
    /// One in this process.
    #[cfg(feature = "embedded")]
    Embedded(Box<Embedded>),
    /// One in a process of its own, found or spawned.
    Spawn(SpawnOptions),
}

/// An engine in this process. It ends with the application, after its service.
#[cfg(feature = "embedded")]
#[derive(Clone, Debug)]
pub struct Embedded {
    /// What it is opened with. Its store is a folder: there is none in memory.
    pub options: host::Options,
}

#[cfg(feature = "embedded")]
impl Embedded {
    /// The defaults of an engine, with its store in this folder: it listens on `127.0.0.1:6420`.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { options: host::Options::new(data) }
    }

    /// The same, at another address. Port 0 takes a free one.
    #[must_use]
    pub const fn bind(mut self, address: SocketAddr) -> Self {
        self.options.bind = address;
        self
    }
}

/// The store in `./data`, as `rehearsal-engine serve` has it.
#[cfg(feature = "embedded")]
impl Default for Embedded {
    fn default() -> Self {
        Self::new("data")
    }
}

/// An engine in a process of its own. One that listens there already is used, and never ended.
#[derive(Clone, Debug)]
pub struct SpawnOptions {
    /// Where it listens: a loopback address with a port. Default [`LOCAL_ENGINE`].
    pub endpoint: Endpoint,
    /// The binary. Default: `rehearsal-engine` beside this process's own binary, then on the PATH. Nothing is downloaded.
    pub binary: Option<PathBuf>,
    /// The folder of its store. Default `data`.
    pub data: PathBuf,
    /// Where its output goes, appended. Default nowhere.
    pub log: Option<PathBuf>,
    /// Whether it outlives the application, to serve the next one. Default no: what was created is taken down. It is in a
    /// process group of its own either way, and outlives an application that is killed; the next one finds it.
    pub keep: bool,
    /// How long a child may take to be healthy; then it is ended. Default 10 s (upstream).
    pub health_wait: Duration,
}

impl Default for SpawnOptions {
    fn default() -> Self {
        let endpoint = local();
        let data = PathBuf::from("data");
        Self { endpoint, binary: None, data, log: None, keep: false, health_wait: HEALTH_WAIT }
    }
}

/// The endpoint of serverless mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Where it listens; none, the default, if requests come through [`super::Application::handle`]. Port 0 takes a free
    /// one.
    pub listen: Option<SocketAddr>,
    /// Where its paths begin. Default `/api/rivet` (upstream).
    pub base_path: String,
    /// URL under which the engine reaches it. Default: the address it listens on.
    pub url: Option<String>,
    /// Whether the engine is told of it. Default yes, if there is a URL.
    pub configure: bool,
    /// Runners at one time at most. Default 1000.
    pub runners_max: usize,
}

impl Default for Serving {
    fn default() -> Self {
        let base_path = "/api/rivet".to_owned();
        Self { listen: None, base_path, url: None, configure: true, runners_max: 1000 }
    }
}

impl Default for EngineChoice {
    #[cfg(feature = "embedded")]
    fn default() -> Self {
        Self::Embedded(Box::default())
    }

    #[cfg(not(feature = "embedded"))]
    fn default() -> Self {
        Self::Connect(local())
    }
}

impl Default for ApplicationOptions {
    fn default() -> Self {
        let timings = runner::Options::default();
        Self {
            engine: EngineChoice::default(),
            namespace: "default".to_owned(),
            pool: "default".to_owned(),
            token: None,
            version: 1,
            total_slots: timings.total_slots,
            grace: None,
            serving: Serving::default(),
            tune_pool: None,
            timings,
            witness: Arc::new(Nobody),
            view: View::default(),
            on_ready: None,
        }
    }
}

fn local() -> Endpoint {
    LOCAL_ENGINE.parse().expect("our own URL is an endpoint")
}

/// Without the token.
impl fmt::Debug for ApplicationOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationOptions")
            .field("engine", &self.engine)
            .field("namespace", &self.namespace)
            .field("pool", &self.pool)
            .field("serving", &self.serving)
            .finish_non_exhaustive()
    }
}
