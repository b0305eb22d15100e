//! Telling the engine where the pool's application is: the driver of `machines::runner::configure`.
//!
//! One task makes the requests; whoever asks [`Pool::ready`] shares its outcome. It never stands in the way of a
//! request that is being served: an engine that is told about a pool asks the application back before it answers.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use machines::runner::configure::{Configure, Effect, Input, Options, Outcome};
use parking_lot::Mutex;
use protocol::api::{RunnerConfigBody, ServerlessBody, UpgradeBody, UpsertRunnerConfig};
use runtime::{Instant, JoinHandle};
use tokio::sync::{mpsc, oneshot};

use crate::client::{Client, ClientError};
use crate::clock;
use crate::endpoint::Endpoint;
use crate::shutdown::Shutdown;

pub use machines::runner::configure::{Failure, Standing};

/// A serverless pool as the engine shall know it. Defaults are upstream's.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// The engine.
    pub endpoint: Endpoint,
    /// Name of the namespace. Default `default`.
    pub namespace: String,
    /// Name of the pool. Default `default`.
    pub pool: String,
    /// Credentials. Default none.
    pub token: Option<String>,
    /// Base URL of the application as the engine reaches it, such as `http://127.0.0.1:6440/api/rivet`.
    pub url: String,
    /// Headers the engine sends with each request to it. Default none.
    pub headers: BTreeMap<String, String>,
    /// Seconds one `/start` lives. Default 3600.
    pub request_lifespan: u32,
    /// Seconds before its end in which its actors move away; the engine's default if none.
    pub drain_grace_period: Option<u32>,
    /// Actors one runner hosts at once. Default 1.
    pub slots_per_runner: u32,
    /// Runners kept without need. Default 0.
    pub min_runners: u32,
    /// Runners at once at most. Default 100 000.
    pub max_runners: u32,
    /// Runners kept beyond need. Default 0.
    pub runners_margin: u32,
    /// Milliseconds between the engine's looks at `/metadata`. Default 1000.
    pub metadata_poll_interval: u64,
    /// Whether runners of an older version drain when a newer one appears. Default yes.
    pub drain_on_version_upgrade: bool,
    /// Whether its runners connect by themselves: then there is no URL, and nothing above but the last one counts.
    pub normal: bool,
    /// When to try again, and when to tell that it failed.
    pub timings: Options,
}

impl PoolOptions {
    /// The defaults, for an engine and an application.
    #[must_use]
    pub fn new(endpoint: Endpoint, url: impl Into<String>) -> Self {
        Self {
            endpoint,
            namespace: "default".to_owned(),
            pool: "default".to_owned(),
            token: None,
            url: url.into(),
            headers: BTreeMap::new(),
            request_lifespan: 3600,
            drain_grace_period: None,
            slots_per_runner: 1,
            min_runners: 0,
            max_runners: 100_000,
            runners_margin: 0,
            metadata_poll_interval: 1000,
            drain_on_version_upgrade: true,
            normal: false,
            timings: Options::default(),
        }
    }

    fn body(&self) -> UpsertRunnerConfig {
        if self.normal {
            let normal = UpgradeBody {
                drain_on_version_upgrade: Some(self.drain_on_version_upgrade),
                ..UpgradeBody::default()
            };
            return UpsertRunnerConfig::of(RunnerConfigBody {
                normal: Some(normal),
                ..RunnerConfigBody::default()
            });
        }
        UpsertRunnerConfig::of(RunnerConfigBody {
            serverless: Some(ServerlessBody {
                url: self.url.clone(),
                headers: Some(self.headers.clone()),
                request_lifespan: self.request_lifespan,
                drain_grace_period: self.drain_grace_period,
                slots_per_runner: Some(self.slots_per_runner),
                min_runners: Some(self.min_runners),
                max_runners: Some(self.max_runners),
                runners_margin: Some(self.runners_margin),
                metadata_poll_interval: Some(self.metadata_poll_interval),
                drain_on_version_upgrade: Some(self.drain_on_version_upgrade),
                ..ServerlessBody::default()
            }),
            ..RunnerConfigBody::default()
        })
    }
}

/// A pool whose configuration is being looked after, until it is dropped or told to stop.
#[derive(Debug)]
pub struct Pool {
    wants: mpsc::UnboundedSender<Wish>,
    standing: Arc<Mutex<Standing>>,
    task: JoinHandle<()>,
}

type Waiter = oneshot::Sender<Result<(), Failure>>;

/// What is asked of the task.
#[derive(Debug)]
enum Wish {
    /// Tell when it is configured.
    Ready(Waiter),
    /// The engine may have forgotten it.
    Again,
}
type Attempt = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Begins to configure a pool, and keeps it configured until `shutdown` asks to stop. What is wrong with the options
/// themselves is told without a single request.
pub fn configure_pool(options: PoolOptions, shutdown: Shutdown) -> Pool {
    let (wants, wanted) = mpsc::unbounded_channel();
    let standing = Arc::new(Mutex::new(Standing::Idle));
    let driver = Driver {
        machine: Configure::new(options.timings.clone()),
        client: Client::rare(options.endpoint.clone(), options.namespace.clone(), options.token.clone()),
        options: Arc::new(options),
        attempt: None,
        waiters: Vec::new(),
        standing: Arc::clone(&standing),
        begun: runtime::now(),
    };
    let task = runtime::spawn("pool configuration", driver.run(wanted, shutdown));
    Pool { wants, standing, task }
}

impl Pool {
    /// Waits until the engine knows the pool, or it is clear that it will not for now: the last failure after the
    /// deadline (attempts go on), or at once one that cannot pass.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn ready(&self) -> Result<(), Failure> {
        let (waiter, told) = oneshot::channel();
        self.wants.send(Wish::Ready(waiter)).map_err(|_| Failure::Stopped)?;
        told.await.unwrap_or(Err(Failure::Stopped))
    }

    /// Asserts it anew now, not only from time to time: the engine may have forgotten it (it knows no such pool, or its
    /// store is a new one).
    pub fn assert_anew(&self) {
        // One that was stopped asserts nothing.
        self.wants.send(Wish::Again).ok();
    }

    /// How the configuration stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.lock().clone()
    }

    /// Waits for the end of its task, after a shutdown was asked for.
    pub async fn ended(self) {
        let Self { wants, task, .. } = self;
        drop(wants);
        // A task that panicked has said so.
        task.await.ok();
    }
}

struct Driver {
    machine: Configure,
    client: Client,
    options: Arc<PoolOptions>,
    attempt: Option<(u64, Attempt)>,
    waiters: Vec<Waiter>,
    standing: Arc<Mutex<Standing>>,
    begun: Instant,
}

impl Driver {
    async fn run(mut self, mut wanted: mpsc::UnboundedReceiver<Wish>, shutdown: Shutdown) {
        self.step(Input::Want);
        loop {
            runtime::select! {
                () = shutdown.draining() => break,
                () = clock::deadline(self.machine.next_deadline()) => self.step(Input::Tick),
                (attempt, outcome) = ended(&mut self.attempt) => {
                    let jitter = runtime::entropy::u64("pool/retry");
                    let done = outcome == Outcome::Done;
                    self.step(Input::Ended { attempt, outcome, jitter });
                    if !done {
                        self.log(attempt);
                    }
                }
                want = wanted.recv() => match want {
                    Some(Wish::Ready(waiter)) => {
                        self.waiters.push(waiter);
                        self.step(Input::Want);
                    }
                    Some(Wish::Again) => self.step(Input::Forgotten),
                    // Nobody holds the pool any more.
                    None => break,
                },
            }
        }
        self.step(Input::Stop);
    }

    /// One failed attempt is usual while engine and application come up together.
    fn log(&self, attempt: u64) {
        let next = self.machine.next_deadline().map(|(at, _)| at.since(clock::now().mono));
        let (pool, elapsed) = (&self.options.pool, self.begun.elapsed());
        let Some(err) = self.machine.last_failure() else { return };
        if attempt > 1 {
            tracing::warn!(%pool, attempt, ?elapsed, ?next, %err, "the pool is not configured yet");
        } else {
            tracing::debug!(%pool, attempt, ?elapsed, ?next, %err, "the pool is not configured yet");
        }
    }

    fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Attempt { attempt } => {
                    let work = attempt_once(self.client.clone(), Arc::clone(&self.options));
                    self.attempt = Some((attempt, Box::pin(work)));
                }
                Effect::Cancel { attempt } => {
                    self.attempt = self.attempt.take().filter(|(id, _)| *id != attempt)
                }
                Effect::Settled(outcome) => {
                    if let Err(error) = &outcome {
                        tracing::warn!(pool = %self.options.pool, err = %error, "the pool is not configured");
                    }
                    for waiter in self.waiters.drain(..) {
                        // One that waits no more does not want to know.
                        drop(waiter.send(outcome.clone()));
                    }
                }
            }
        }
        *self.standing.lock() = self.machine.standing();
    }
}

async fn ended(attempt: &mut Option<(u64, Attempt)>) -> (u64, Outcome) {
    let Some((id, work)) = attempt else {
        return std::future::pending().await;
    };
    let ended = (*id, work.await);
    *attempt = None;
    ended
}

/// Asks which datacenters there are, then configures the pool.
async fn attempt_once(client: Client, options: Arc<PoolOptions>) -> Outcome {
    if let Err(error) = options.body().into_config() {
        return Outcome::Invalid { message: error.to_string() };
    }
    match client.datacenters().await {
        Ok(known) if known.datacenters.is_empty() => return Outcome::NoDatacenter,
        Ok(_) => {}
        Err(error) => return outcome(error),
    }
    match client.put_runner_config(&options.pool, &options.body()).await {
        Ok(_) => Outcome::Done,
        Err(error) => outcome(error),
    }
}

fn outcome(error: ClientError) -> Outcome {
    match error {
        ClientError::Unreachable { source } | ClientError::Broken { source } => {
            Outcome::Unreachable { message: source.to_string() }
        }
        ClientError::Engine { status, body, retry_after } => {
            Outcome::Status { status, code: format!("{}.{}", body.group, body.code), retry_after }
        }
        // An intermediary's error page.
        ClientError::Undecodable { status, reason } if !(200..300).contains(&status) => {
            Outcome::Status { status, code: reason, retry_after: None }
        }
        ClientError::Undecodable { reason, .. } => Outcome::Undecodable { message: reason },
        ClientError::TooLarge { limit } => {
            Outcome::Undecodable { message: format!("an answer of more than {limit} bytes") }
        }
        ClientError::Invalid { what } => Outcome::Invalid { message: format!("{what} cannot be sent") },
    }
}
