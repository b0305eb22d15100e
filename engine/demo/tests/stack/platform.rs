//! The parts of the stack, as a test starts and ends them.

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use host::access::TokenSource;
use protocol::api::{RunnerConfigBody, UpgradeBody, UpsertRunnerConfig};
use protocol::id::ActorId;
use protocol::view::{Fact, Witness};
use runtime::{JoinHandle, TcpListener};
use sdk::{
    Client, Endpoint, Pool, PoolOptions, RunEnd, RunError, RunnerOptions, ServerlessOptions, Stop,
    configure_pool,
};

/// Longer than any of the stack's own bounds that a test meets.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test in the tokio world, on one thread.
pub(crate) fn test(body: impl Future<Output = ()>) {
    runtime::process::block_on(Some(NonZeroUsize::MIN), async {
        runtime::timeout(PATIENCE, body).await.expect("the test ends in time");
    })
    .unwrap();
}

/// Everything that became true, in its order.
#[derive(Clone, Default)]
pub(crate) struct Facts(Arc<Mutex<Vec<Fact>>>);

impl Witness for Facts {
    fn tell(&self, fact: &Fact) {
        self.0.lock().unwrap().push(fact.clone());
    }
}

impl Facts {
    pub(crate) fn count(&self, of: impl Fn(&Fact) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|fact| of(fact)).count()
    }
}

pub(crate) struct Engine {
    pub(crate) address: SocketAddr,
    stop: Stop,
    task: JoinHandle<Result<(), host::RunError>>,
}

impl Engine {
    pub(crate) async fn start(data: &Path, address: Option<SocketAddr>) -> Self {
        Self::start_with(data, address, None).await
    }

    /// The same, where calls need a token.
    pub(crate) async fn start_with(
        data: &Path,
        address: Option<SocketAddr>,
        tokens: Option<TokenSource>,
    ) -> Self {
        let bind = address.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
        let options = host::Options { bind, tokens, ..host::Options::new(data) };
        let engine = host::Engine::open(options).await.unwrap();
        let address = engine.local_addr();
        let (stop, shutdown) = sdk::shutdown();
        let task = runtime::spawn("engine", engine.run(async move { shutdown.draining().await }));
        Self { address, stop, task }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        format!("http://{}", self.address).parse().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.endpoint(), "default", None)
    }

    pub(crate) fn client_as(&self, token: &str) -> Client {
        Client::new(self.endpoint(), "default", Some(token.to_owned()))
    }

    /// Makes the pool `default` one whose runners connect by themselves.
    pub(crate) async fn normal_pool(&self) {
        let normal = RunnerConfigBody { normal: Some(UpgradeBody::default()), ..RunnerConfigBody::default() };
        self.client().put_runner_config("default", &UpsertRunnerConfig::of(normal)).await.unwrap();
    }

    pub(crate) async fn stop(self) -> SocketAddr {
        self.stop.drain();
        self.task.await.unwrap().unwrap();
        self.address
    }
}

/// A normal runner with the demo's actors.
pub(crate) struct Normal {
    stop: Stop,
    task: JoinHandle<Result<RunEnd, RunError>>,
}

impl Normal {
    pub(crate) fn start(engine: &Engine) -> Self {
        Self::start_with(engine, Facts::default())
    }

    pub(crate) fn start_with(engine: &Engine, facts: Facts) -> Self {
        let options = RunnerOptions { witness: Arc::new(facts), ..RunnerOptions::new(engine.endpoint()) };
        Self::run(options)
    }

    /// With a token.
    pub(crate) fn start_as(engine: &Engine, token: &str) -> Self {
        Self::run(RunnerOptions { token: Some(token.to_owned()), ..RunnerOptions::new(engine.endpoint()) })
    }

    fn run(options: RunnerOptions) -> Self {
        let (stop, shutdown) = sdk::shutdown();
        let task = runtime::spawn("runner", async move { demo::registry().run(options, shutdown).await });
        Self { stop, task }
    }

    /// Waits for an end that nobody asked for.
    pub(crate) async fn ended(self) -> Result<RunEnd, RunError> {
        self.task.await.unwrap()
    }

    pub(crate) async fn end(self) -> Result<RunEnd, RunError> {
        self.stop.drain();
        self.task.await.unwrap()
    }
}

/// A serverless application with the demo's actors, and its pool in the engine.
pub(crate) struct Serverless {
    pub(crate) service: sdk::Serverless,
    pool: Pool,
    stop: Stop,
    task: JoinHandle<()>,
}

impl Serverless {
    pub(crate) async fn start(engine: &Engine) -> Self {
        Self::start_as(engine, None).await
    }

    /// The same, with a token for its pool; its runners get theirs from the engine.
    pub(crate) async fn start_as(engine: &Engine, token: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}/api/rivet", listener.local_addr().unwrap());
        let (stop, shutdown) = sdk::shutdown();
        let service = sdk::Serverless::new(demo::registry(), ServerlessOptions::default(), shutdown.clone());
        let serving = service.clone();
        let task = runtime::spawn("application", async move { serving.serve(listener).await });
        let pool =
            configure_pool(PoolOptions { token, ..PoolOptions::new(engine.endpoint(), url) }, shutdown);
        pool.ready().await.unwrap();
        Self { service, pool, stop, task }
    }

    pub(crate) async fn end(self) {
        self.stop.drain();
        self.task.await.unwrap();
        self.pool.ended().await;
        assert_eq!(self.service.runners(), 0);
    }
}

/// The counter of this key.
pub(crate) async fn counter(client: &Client, key: &str) -> ActorId {
    client.actors("counter").get_or_create(key).actor_id().await.unwrap()
}

/// Increments by one, through the gateway.
pub(crate) async fn count(client: &Client, actor: ActorId) -> i64 {
    client.by_id(actor).call(demo::counter::INCREMENT, 1).await.unwrap()
}
