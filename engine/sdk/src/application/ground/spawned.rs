//! An engine in a process of its own: the driver of `machines::runner::startup::spawn`.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use machines::runner::startup::spawn::{Effect, Input, Options, Seen, Spawn};
use protocol::api::EngineHealth;
use runtime::process::{Child, Command};

use super::Cause;
use crate::application::SpawnOptions;
use crate::client::{Client, ClientError};
use crate::clock;
use crate::shutdown::Shutdown;

/// What the binary is called.
const BINARY: &str = "rehearsal-engine";

type Work<T> = Option<Pin<Box<dyn Future<Output = T> + Send>>>;

struct Driver<'a, F> {
    machine: Spawn,
    options: &'a SpawnOptions,
    client: Client,
    look: Work<(u32, Seen)>,
    spawning: Work<Result<Child, Cause>>,
    child: Option<Child>,
    up: Option<F>,
    gone: Option<Option<Cause>>,
}

/// Finds or spawns an engine, and keeps it until it is asked to end; then a child ends, unless it is to be kept.
pub(super) async fn live(
    options: &SpawnOptions,
    token: Option<String>,
    end: Shutdown,
    up: impl FnOnce() + Send,
) -> Option<Cause> {
    let endpoint = &options.endpoint;
    let port = endpoint.port();
    if !endpoint.is_loopback() || endpoint.is_secure() || port == 0 {
        return Some(Cause::InvalidEndpoint);
    }
    let mut driver = Driver {
        machine: Spawn::new(Options { port, keep: options.keep, health_wait: options.health_wait }),
        options,
        client: Client::rare(endpoint.clone(), String::new(), token),
        look: None,
        spawning: None,
        child: None,
        up: Some(up),
        gone: None,
    };
    driver.step(Input::Start);
    let mut asked = false;
    loop {
        if let Some(cause) = driver.gone {
            return cause;
        }
        runtime::select! {
            () = end.draining(), if !asked => {
                asked = true;
                driver.step(Input::End);
            }
            () = clock::deadline(driver.machine.next_deadline()) => driver.step(Input::Tick),
            (probe, seen) = done(&mut driver.look) => driver.step(Input::Probed { probe, seen }),
            spawned = done(&mut driver.spawning) => match spawned {
                Ok(child) => {
                    driver.child = Some(child);
                    driver.step(Input::Spawned(Ok(())));
                }
                Err(cause) => driver.step(Input::Spawned(Err(cause))),
            },
            () = exited(&mut driver.child) => driver.step(Input::Exited),
        }
    }
}

impl<F: FnOnce()> Driver<'_, F> {
    fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Probe { probe } => {
                    let client = self.client.clone();
                    self.look = Some(Box::pin(async move { (probe, seen(client.health().await)) }));
                }
                Effect::Spawn => self.spawning = Some(Box::pin(spawn(self.options.clone()))),
                Effect::Terminate => self.signal(Child::terminate),
                Effect::Kill => self.signal(Child::kill),
                Effect::Up => self.up.take().into_iter().for_each(|up| up()),
                Effect::Gone { cause } => self.gone = Some(cause),
            }
        }
    }

    fn signal(&self, send: impl FnOnce(&Child) -> io::Result<()>) {
        if let Some(Err(error)) = self.child.as_ref().map(send) {
            tracing::warn!(err = %error, "the engine cannot be signalled");
        }
    }
}

/// What a look means. What answers, but not as an engine does, is none.
fn seen(health: Result<EngineHealth, ClientError>) -> Seen {
    match health {
        Ok(health) if health.runtime == "engine" => Seen::Engine,
        Ok(_)
        | Err(ClientError::Undecodable { .. } | ClientError::TooLarge { .. } | ClientError::Broken { .. }) => {
            Seen::Foreign
        }
        Err(ClientError::Unreachable { .. } | ClientError::Engine { .. } | ClientError::Invalid { .. }) => {
            Seen::Nothing
        }
    }
}

async fn spawn(options: SpawnOptions) -> Result<Child, Cause> {
    if runtime::world::current().is_some() {
        return Err(Cause::Unsupported);
    }
    let program = match options.binary {
        Some(binary) => binary,
        None => runtime::disk::blocking(found).await.ok_or(Cause::BinaryNotFound)?,
    };
    let bind = format!("127.0.0.1:{}", options.endpoint.port());
    let arguments =
        ["serve".into(), "--bind".into(), OsString::from(bind), "--data".into(), options.data.into()];
    let command = Command { program, arguments: arguments.into(), log: options.log };
    let spawned = command.spawn().map_err(|error| {
        tracing::error!(program = %command.program.display(), err = %error, "no engine can be spawned");
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Cause::BinaryNotFound,
            _ => Cause::StartFailed,
        }
    })?;
    tracing::info!(pid = spawned.id(), program = %command.program.display(), "an engine was spawned");
    Ok(spawned)
}

/// The binary beside our own, then on the PATH.
fn found() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(BINARY)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).map(|folder| folder.join(BINARY)).collect();
    beside.into_iter().chain(on_path).find(|path| path.is_file())
}

/// Ends when what is under way ends; never if nothing is.
async fn done<T>(work: &mut Work<T>) -> T {
    let Some(running) = work else {
        return std::future::pending().await;
    };
    let done = running.await;
    *work = None;
    done
}

/// Ends when the child has ended, which is then forgotten.
async fn exited(child: &mut Option<Child>) {
    let Some(running) = child else {
        return std::future::pending().await;
    };
    match running.exited().await {
        Ok(status) => tracing::debug!(%status, "the engine's process has ended"),
        Err(error) => tracing::warn!(err = %error, "the engine's process cannot be watched"),
    }
    *child = None;
}
