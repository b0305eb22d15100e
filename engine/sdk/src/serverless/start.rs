//! One `/start`: a runner of its own, and the event stream that holds it open.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join;
use machines::runner;
use machines::runner::stream::{Stream, StreamEffect, StreamInput};
use protocol::id::RunnerId;
use protocol::view::Witness;
use protocol::wire::{PROTOCOL_VERSION, ToServerlessServer, encode_payload};
use runtime::Instant;
use tokio::sync::mpsc;

use super::active::Place;
use super::headers::Start;
use super::{Body, Inner};
use crate::clock;
use crate::session::target::fresh_key;
use crate::session::{self, Milestone, Settings, Target};
use crate::shutdown::{Shutdown, Stop, shutdown};

/// A ping, as it was seen on the wire.
const PING: &[u8] = b"event: ping\ndata: \n\n";

/// What is said before a stream ends whose runner has stopped, as upstream says it.
const STOPPING: &[u8] = b"event: stopping\ndata: \n\n";

/// Starts the runner and its stream, as one task; it keeps its place until both have ended.
pub(super) fn begin(inner: &Inner, start: Start, place: Place) -> Body {
    let (milestones, told) = mpsc::unbounded_channel();
    let timings = runner::Options { total_slots: start.total_slots, ..inner.options.timings.clone() };
    let settings = Settings {
        registry: inner.registry.clone(),
        target: Target {
            endpoint: start.endpoint,
            namespace: start.namespace,
            pool: start.pool,
            key: fresh_key(),
            version: inner.options.version,
            token: start.token,
        },
        options: timings.clone(),
        witness: Arc::clone(&inner.options.witness),
        view: inner.options.view.clone(),
        milestones,
    };
    let (stop, stopped) = shutdown();
    let process = inner.shutdown.clone();
    let runner = keep(settings, stop.clone(), stopped, process.clone());
    // One write at a time: the next one waits until this one was taken.
    let (events, body) = mpsc::channel(1);
    let driver = Driver {
        machine: Stream::new(timings),
        events: Some(events),
        writing: false,
        stop,
        witness: Arc::clone(&inner.options.witness),
        opened: runtime::now(),
    };
    let stream = driver.run(told, process);
    drop(runtime::spawn("serverless instance", async move {
        join(runner, stream).await;
        drop(place);
    }));
    Body::events(body)
}

/// Runs the runner to its end. It drains when its stream says so; a process that stops at once stops it too.
async fn keep(settings: Settings, stop: Stop, stopped: Shutdown, process: Shutdown) {
    let reason = runtime::select! {
        reason = session::run(settings, stopped) => reason,
        never = async {
            process.stopped().await;
            stop.now();
            std::future::pending().await
        } => never,
    };
    tracing::debug!(?reason, "a serverless runner has ended");
}

struct Driver {
    machine: Stream,
    /// The body's other end; none after the end.
    events: Option<mpsc::Sender<Bytes>>,
    /// Whether a write was not taken yet.
    writing: bool,
    stop: Stop,
    witness: Arc<dyn Witness>,
    opened: Instant,
}

impl Driver {
    async fn run(mut self, mut told: mpsc::UnboundedReceiver<Milestone>, process: Shutdown) {
        self.step(StreamInput::Tick);
        let mut asked_to_stop = false;
        while let Some(events) = self.events.clone() {
            runtime::select! {
                () = process.draining(), if !asked_to_stop => {
                    asked_to_stop = true;
                    self.step(StreamInput::Shutdown);
                }
                () = events.closed() => self.step(StreamInput::PeerClosed),
                milestone = told.recv() => self.milestone(milestone),
                () = clock::deadline(self.machine.next_deadline()) => self.step(StreamInput::Tick),
                taken = taken(&events), if self.writing => {
                    self.writing = false;
                    self.step(if taken { StreamInput::Written } else { StreamInput::WriteFailed });
                }
            }
        }
    }

    fn milestone(&mut self, milestone: Option<Milestone>) {
        match milestone {
            Some(Milestone::Ready(runner)) => self.step(StreamInput::Ready(runner)),
            Some(Milestone::StopThreshold(_)) => {}
            Some(Milestone::Lost) => self.step(StreamInput::Disconnected),
            Some(Milestone::Ended(reason)) => self.step(StreamInput::RunnerEnded(reason)),
            None => unreachable!("a runner tells its end before it goes, and that ends its stream"),
        }
    }

    fn step(&mut self, input: StreamInput) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            match effect {
                StreamEffect::WriteInit(runner) => self.write(init(runner)),
                StreamEffect::WritePing => self.write(Bytes::from_static(PING)),
                StreamEffect::End { reason, farewell } => {
                    if farewell {
                        self.write(Bytes::from_static(STOPPING));
                    }
                    self.events = None;
                    tracing::info!(
                        reason = reason.name(),
                        pings = self.machine.pings(),
                        duration = ?self.opened.elapsed(),
                        "an event stream has ended"
                    );
                }
                StreamEffect::DrainRunner => self.stop.drain(),
                StreamEffect::Fact(fact) => self.witness.tell(&fact),
            }
        }
    }

    fn write(&mut self, event: Bytes) {
        let events = self.events.as_ref().expect("nothing is written after the end");
        match events.try_send(event) {
            // A body that was dropped says so at the next look.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => self.writing = true,
            Err(mpsc::error::TrySendError::Full(_)) => unreachable!("one write at a time"),
        }
    }
}

/// Waits until what was written was taken; false if nobody takes it any more.
async fn taken(events: &mpsc::Sender<Bytes>) -> bool {
    events.reserve().await.is_ok()
}

/// The event that names the runner.
fn init(runner_id: RunnerId) -> Bytes {
    let message = ToServerlessServer::Init { runner_id, runner_protocol_version: PROTOCOL_VERSION };
    Bytes::from(format!("data: {}\n\n", encode_payload(&message)))
}
