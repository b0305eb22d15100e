//! The application of a pool that misbehaves on purpose: what a start of a runner is answered with is told by the script.
//!
//! Sound, it is what any application is. Spoilt, its endpoint fails in one of the ways in which endpoints do; its metadata
//! are right all the while, as those of an application whose start is broken.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use model::evidence::PoolNews;
use parking_lot::Mutex;
use runtime::TcpListener;
use runtime::http::Timer;
use sdk::{Serverless, ServerlessOptions};

use super::client::ACTOR_BOUND;
use super::dawdle::Whims;
use super::{APPLICATION_PORT, ODD_KEYS};
use crate::ledger::Ledger;
use crate::world::{Node, World};

/// Within which an error shows, from the moment at which the engine can know it.
const SHOWS: Duration = Duration::from_secs(3);

/// How long the engine waits for a response, for an Init event, or for the next ping.
const SILENCE: Duration = Duration::from_secs(10);

/// The way there and back, by which two measure a silence differently.
const ROUND: Duration = Duration::from_millis(100);

/// The type of an event stream.
const EVENTS: &str = "text/event-stream";

/// Between two pings of a stream without a runner.
const PING: Duration = Duration::from_secs(1);

/// How a start is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// It is answered with this status, and a body that is longer than what is shown of it.
    Status(u16),
    /// It is taken and never answered.
    Hang,
    /// It is answered with a stream that ends at once.
    Empty,
    /// It is answered with a page.
    WrongType,
    /// Its first event is no base64.
    NoBase64,
    /// Its first event is base64 of nothing that anybody knows.
    NoMessage,
    /// It is answered with pings, and never with a runner.
    OnlyPings,
    /// It goes well, and its stream breaks off after so long.
    Cut(Duration),
}

impl Spoil {
    /// How long after the start the engine can know that it was spoilt.
    const fn known_after(self) -> Duration {
        match self {
            Self::Status(_) | Self::Empty | Self::WrongType | Self::NoBase64 | Self::NoMessage => {
                Duration::ZERO
            }
            Self::Hang | Self::OnlyPings => SILENCE,
            Self::Cut(after) => after,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    spoil: Option<Spoil>,
    /// From when on whoever asks must know that starts fail, if an error shows by then.
    known: Option<Duration>,
    /// Whether the engine showed an error when it was asked last.
    shown: bool,
    /// Starts that were spoilt.
    spoilt: u32,
    /// What became of starts, since somebody asked last.
    news: Vec<(Duration, PoolNews)>,
}

/// The application.
#[derive(Clone)]
pub struct Odd {
    node: Node,
    world: World,
    ledger: Ledger,
    whims: Whims,
    lives: Arc<AtomicU32>,
    state: Arc<Mutex<State>>,
}

impl Odd {
    /// Its node; nothing runs yet.
    #[must_use]
    pub fn new(ledger: &Ledger, whims: &Whims) -> Self {
        let world = ledger.world();
        Self {
            node: world.node("odd"),
            world: world.clone(),
            ledger: ledger.clone(),
            whims: whims.clone(),
            lives: Arc::default(),
            state: Arc::default(),
        }
    }

    /// Its node.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Spoils starts from here on, or none. Who waits while they are served again is no longer refused soon, since one
    /// start that goes well gives hope to all.
    pub fn spoil(&self, spoil: Option<Spoil>) {
        if spoil.is_none() {
            self.ledger.extend(ODD_KEYS, ACTOR_BOUND);
        }
        let known = spoil.map(|spoil| self.world.elapsed() + spoil.known_after() + SHOWS);
        let mut state = self.state.lock();
        (state.spoil, state.known) = (spoil, known);
    }

    /// How many starts were spoilt, as the engine can know.
    #[must_use]
    pub fn spoilt(&self) -> u32 {
        self.state.lock().spoilt
    }

    /// The engine shows an error of its pool, or none.
    pub fn shown(&self, shown: bool) {
        self.state.lock().shown = shown;
    }

    /// Whether starts have failed for long enough that everybody knows, and the engine says so.
    #[must_use]
    pub fn is_known_to_fail(&self) -> bool {
        let state = self.state.lock();
        state.shown && state.known.is_some_and(|known| known <= self.world.elapsed())
    }

    /// What became of starts since somebody asked last.
    #[must_use]
    pub fn news(&self) -> Vec<(Duration, PoolNews)> {
        std::mem::take(&mut self.state.lock().news)
    }

    /// Starts it.
    pub fn boot(&self) {
        let odd = self.clone();
        self.node.boot(move || {
            let odd = odd.clone();
            async move { odd.serve().await }
        });
    }

    async fn serve(self) {
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, APPLICATION_PORT));
        let listener = TcpListener::bind(address).await.expect("the port is the application's alone");
        let witness = self.ledger.witness(&self.node.name(), &self.lives);
        let (_stop, shutdown) = sdk::shutdown();
        let options = ServerlessOptions { witness, ..ServerlessOptions::default() };
        let sound = Serverless::new(self.whims.registry(), options, shutdown);
        let offset = uptime().saturating_sub(self.world.elapsed());
        let teller = Teller { state: Arc::clone(&self.state), offset };
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            let (sound, teller) = (sound.clone(), teller.clone());
            drop(runtime::spawn("odd connection", async move {
                let service = service_fn(|request: Request<Incoming>| answer(&sound, &teller, request));
                let connection = http1::Builder::new()
                    .timer(Timer)
                    .auto_date_header(false)
                    .serve_connection(stream, service);
                // However it ends, the engine says what it makes of it.
                drop(connection.await);
            }));
        }
    }
}

fn uptime() -> Duration {
    runtime::now().saturating_since(runtime::Instant::from_nanos(0))
}

/// Whoever tells what became of starts.
#[derive(Clone)]
struct Teller {
    state: Arc<Mutex<State>>,
    offset: Duration,
}

impl Teller {
    fn tell(&self, what: PoolNews) {
        let mut state = self.state.lock();
        state.spoilt += u32::from(matches!(what, PoolNews::Spoilt | PoolNews::Silent));
        state.news.push((uptime().saturating_sub(self.offset), what));
    }
}

/// Silence towards the engine, until it is tired of it. One that it ends earlier spoils nothing: the start was given up. At
/// that moment or so it may be either, and the engine says which.
struct Silence {
    teller: Teller,
    begun: runtime::Instant,
}

impl Drop for Silence {
    fn drop(&mut self) {
        let lasted = runtime::now().saturating_since(self.begun);
        if lasted > SILENCE + ROUND {
            self.teller.tell(PoolNews::Spoilt);
        } else if lasted + ROUND >= SILENCE {
            self.teller.tell(PoolNews::Silent);
        }
    }
}

async fn answer(
    sound: &Serverless,
    teller: &Teller,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if !request.uri().path().ends_with("/start") {
        return Ok(sound.handle(&request).map(Body::Sound));
    }
    teller.tell(PoolNews::Tried);
    let spoil = teller.state.lock().spoil;
    let Some(spoil) = spoil else { return Ok(sound.handle(&request).map(Body::Sound)) };
    let whole = |status: u16, kind: &'static str, text: &str| {
        teller.tell(PoolNews::Spoilt);
        with(status, kind, Body::Whole(Some(Bytes::copy_from_slice(text.as_bytes()))))
    };
    let silence = || Silence { teller: teller.clone(), begun: runtime::now() };
    Ok(match spoil {
        Spoil::Status(status) => whole(status, "text/plain", &"ü".repeat(1500)),
        Spoil::Empty => whole(200, EVENTS, ""),
        Spoil::WrongType => whole(200, "text/html", "<p>It works!</p>"),
        Spoil::NoBase64 => whole(200, EVENTS, "data: %%%\n\n"),
        Spoil::NoMessage => whole(200, EVENTS, "data: AAAAAAAA\n\n"),
        Spoil::Hang => {
            let _silence = silence();
            std::future::pending().await
        }
        Spoil::OnlyPings => with(200, EVENTS, Body::Pings(wait(Duration::ZERO), silence())),
        Spoil::Cut(after) => {
            let (teller, after) = (teller.clone(), wait(after));
            sound.handle(&request).map(|body| Body::Cut(body, after, teller))
        }
    })
}

fn with(status: u16, kind: &'static str, body: Body) -> Response<Body> {
    let status = StatusCode::from_u16(status).expect("a status that HTTP knows");
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
    answer.body(body).expect("a valid answer")
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

fn wait(span: Duration) -> Wait {
    Box::pin(runtime::sleep(span))
}

/// What it answers with.
enum Body {
    Sound(sdk::serverless::Body),
    Whole(Option<Bytes>),
    Pings(Wait, #[expect(dead_code, reason = "it tells by being dropped")] Silence),
    Cut(sdk::serverless::Body, Wait, Teller),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let sound = |body: &mut sdk::serverless::Body, context: &mut Context<'_>| {
            let frame = hyper::body::Body::poll_frame(Pin::new(body), context);
            frame.map(|frame| frame.map(|frame| Ok(frame.unwrap_or_else(|never| match never {}))))
        };
        match &mut *self {
            Self::Sound(body) => sound(body, context),
            Self::Whole(bytes) => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Pings(next, _) => {
                ready!(next.as_mut().poll(context));
                *next = wait(PING);
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"event: ping\ndata:\n\n")))))
            }
            Self::Cut(body, after, teller) => match after.as_mut().poll(context) {
                Poll::Ready(()) => {
                    teller.tell(PoolNews::BrokenOff);
                    Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())))
                }
                Poll::Pending => sound(body, context),
            },
        }
    }
}
