//! Actors the tests host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderName, HeaderValue};
use parking_lot::Mutex;
use sdk::{Actor, ActorError, CloseInfo, Context, Registry, Request, Response, WebSocket};
use tokio::sync::Semaphore;

/// What the actors of one test share with it.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Requests that run at this moment.
    pub(crate) running: Arc<AtomicUsize>,
    /// Requests to `/gate` wait for a permit of it.
    pub(crate) gate: Arc<Semaphore>,
    /// Abort signals seen.
    pub(crate) aborts: Arc<AtomicUsize>,
    /// Actors dropped.
    pub(crate) dropped: Arc<AtomicUsize>,
    /// How WebSockets ended, as the actor was told.
    pub(crate) ends: Arc<Mutex<Vec<CloseInfo>>>,
}

impl Probe {
    pub(crate) fn new() -> Self {
        let zero = || Arc::new(AtomicUsize::new(0));
        Self {
            running: zero(),
            gate: Arc::new(Semaphore::new(0)),
            aborts: zero(),
            dropped: zero(),
            ends: Arc::default(),
        }
    }

    pub(crate) fn registry(&self) -> Registry {
        let (echo, saver, talker) = (self.clone(), self.clone(), self.clone());
        Registry::builder()
            .actor("talker", move || Talker(talker.clone()))
            .actor("echo", move || Echo(echo.clone()))
            .actor("saver", move || Saver(saver.clone()))
            .actor("broken", || Broken)
            .actor("bomb", || -> Broken { panic!("asked to") })
            .build()
            .unwrap()
    }
}

/// Answers with what it was asked.
struct Echo(Probe);

impl Drop for Echo {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl Actor for Echo {
    type State = ();

    async fn on_request(&self, ctx: &Context<()>, request: Request) -> Result<Response, ActorError> {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer(ctx, &request).await;
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

impl Echo {
    async fn answer(&self, ctx: &Context<()>, request: &Request) -> Result<Response, ActorError> {
        match request.path() {
            "/gate" => self.0.gate.acquire().await.unwrap().forget(),
            "/wait" => {
                request.abort_signal().aborted().await;
                self.0.aborts.fetch_add(1, Ordering::SeqCst);
            }
            "/sleep" => {
                ctx.sleep();
                ctx.sleep();
            }
            "/destroy" => ctx.destroy(),
            "/alarm" => ctx.set_alarm(Some(protocol::time::Wall(5_000))).await?,
            "/panic" => panic!("asked to"),
            "/forge" => {
                let code = HeaderValue::from_static("runner.actor_not_found");
                let forged = Response::text("mine").with_status(503);
                return Ok(forged.with_header(HeaderName::from_static("x-rivet-error"), code));
            }
            "/fail" => return Err(ActorError::internal("a secret")),
            "/user" => return Err(ActorError::user("too_small", "Try more.")),
            _ => {}
        }
        let query = request.query().unwrap_or("-");
        let body = String::from_utf8_lossy(request.body());
        Ok(Response::text(format!("{} {} {query} {body}", request.method(), request.path())))
    }
}

/// Saves when it stops.
struct Saver(Probe);

impl Actor for Saver {
    type State = ();

    async fn on_request(&self, ctx: &Context<()>, _: Request) -> Result<Response, ActorError> {
        ctx.kv().put("words", "spoken").await?;
        Ok(Response::text("ok"))
    }

    async fn on_sleep(&self, ctx: &Context<()>) {
        ctx.kv().put("last", "words").await.unwrap();
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// Says back what it hears.
struct Talker(Probe);

impl Actor for Talker {
    type State = ();

    async fn on_request(&self, _: &Context<()>, _: Request) -> Result<Response, ActorError> {
        Ok(Response::text("ok"))
    }

    async fn on_websocket(&self, _: &Context<()>, mut socket: WebSocket) {
        match socket.path() {
            "/refuse" => return socket.close(4003, "not you"),
            "/bye" => {
                socket.send("bye").await.unwrap();
                return socket.close(4000, "done");
            }
            "/deaf" => {
                socket.accept();
                socket.closed().await;
            }
            // Neither accepted nor refused.
            "/wait" => {
                socket.closed().await;
            }
            _ => {
                while let Some(message) = socket.recv().await {
                    socket.send(message).await.unwrap();
                }
            }
        }
        let end = socket.closed().await;
        assert!(socket.send("late").await.is_err(), "nothing is said on one that is over");
        self.0.ends.lock().push(end);
    }
}

/// Does not start.
struct Broken;

impl Actor for Broken {
    type State = ();

    async fn on_start(&self, _: &Context<()>) -> Result<(), ActorError> {
        Err(ActorError::internal("no luck today"))
    }

    async fn on_request(&self, _: &Context<()>, _: Request) -> Result<Response, ActorError> {
        unreachable!("it never started")
    }
}
