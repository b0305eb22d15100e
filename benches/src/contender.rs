//! Who runs the same workload: a world of ours, tokio, madsim.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

/// Where the echo of a contender with nodes listens.
const ECHO_PORT: u16 = 7;

/// An executor with a clock and a network, as far as a workload asks.
pub trait Contender: 'static {
    /// How the table calls it.
    const NAME: &'static str;
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Runs a workload from nothing to its end, on a fresh thread where that is the contender's way.
    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F);
    /// Starts a task.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
    /// Waits.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;
    /// Starts a server on another node (tokio: on loopback), and connects to it. `serve` gets its one connection.
    fn connect<F>(serve: fn(Self::Stream) -> F) -> impl Future<Output = Self::Stream> + Send
    where
        F: Future<Output = ()> + Send + 'static;
}

thread_local! {
    /// The world of this thread's run: a workload that knows no world still gets a second node.
    static WORLD: std::cell::RefCell<Option<sim::World>> = const { std::cell::RefCell::new(None) };
}

/// A world of `sim`: handshakes, windows, decisions and digest on.
#[derive(Debug)]
pub enum Ours {}

impl Contender for Ours {
    const NAME: &'static str = "sim";
    type Stream = runtime::TcpStream;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        let options = sim::Options { polls_max: u64::MAX, ..sim::Options::seed(1) };
        let script = async move |world: sim::World| {
            WORLD.with(|place| *place.borrow_mut() = Some(world));
            workload().await;
            WORLD.with(|place| *place.borrow_mut() = None);
        };
        sim::Sim::new(options).run(script).expect_ok();
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(runtime::spawn("bench", task));
    }

    async fn sleep(duration: Duration) {
        runtime::sleep(duration).await;
    }

    async fn connect<F>(serve: fn(Self::Stream) -> F) -> Self::Stream
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (listening, heard) = tokio::sync::oneshot::channel();
        let address = WORLD.with(|place| {
            let place = place.borrow();
            let server = place.as_ref().expect("inside a run").node("server");
            let listening = std::cell::Cell::new(Some(listening));
            server.boot(move || {
                let listening = listening.take().expect("the server boots once");
                async move {
                    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, ECHO_PORT));
                    let listener = runtime::TcpListener::bind(any).await.expect("a free port");
                    listening.send(()).expect("the client waits");
                    let (stream, _) = listener.accept().await.expect("a connection");
                    serve(stream).await;
                }
            });
            SocketAddr::from((server.ip(), ECHO_PORT))
        });
        heard.await.expect("the server listens");
        runtime::TcpStream::connect(address).await.expect("accepted")
    }
}

/// Tokio with one thread: time that jumps, and the kernel's loopback.
#[derive(Debug)]
pub enum Tokio {}

#[expect(clippy::disallowed_methods, reason = "plain tokio is what is compared with")]
impl Contender for Tokio {
    const NAME: &'static str = "tokio";
    type Stream = tokio::net::TcpStream;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime").block_on(workload());
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn connect<F>(serve: fn(Self::Stream) -> F) -> Self::Stream
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = tokio::net::TcpListener::bind(LOOPBACK).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        drop(tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("set");
            serve(stream).await;
        }));
        let stream = tokio::net::TcpStream::connect(address).await.expect("accepted");
        stream.set_nodelay(true).expect("set");
        stream
    }
}

/// madsim's executor, clock and network.
#[derive(Debug)]
pub enum Madsim {}

impl Contender for Madsim {
    const NAME: &'static str = "madsim";
    type Stream = madsim::net::TcpStream;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        on_fresh_thread(move || {
            let runtime = madsim::runtime::Runtime::with_seed_and_config(1, madsim::Config::default());
            runtime.block_on(workload());
        });
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(madsim::task::spawn(task));
    }

    async fn sleep(duration: Duration) {
        madsim::time::sleep(duration).await;
    }

    async fn connect<F>(serve: fn(Self::Stream) -> F) -> Self::Stream
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let server = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), ECHO_PORT));
        let handle = madsim::runtime::Handle::current();
        let (listening, heard) = tokio::sync::oneshot::channel();
        let node = handle.create_node().name("server").ip(server.ip()).build();
        drop(node.spawn(async move {
            let listener = madsim::net::TcpListener::bind(server).await.expect("a free port");
            listening.send(()).expect("the client waits");
            let (stream, _) = listener.accept().await.expect("a connection");
            serve(stream).await;
        }));
        let client = handle.create_node().name("client").ip(IpAddr::from([10, 0, 0, 2])).build();
        let connecting = client.spawn(async move {
            heard.await.expect("the server listens");
            madsim::net::TcpStream::connect(server).await
        });
        connecting.await.expect("the client lives").expect("accepted")
    }
}

const LOOPBACK: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// madsim keeps its context in thread-locals; a fresh thread is also what a run of ours costs.
#[expect(clippy::disallowed_methods, reason = "outside every world")]
fn on_fresh_thread(body: impl FnOnce() + Send + 'static) {
    std::thread::spawn(body).join().expect("the workload ends");
}

/// What an echo or ping needs of a stream's errors: none are expected.
pub(crate) fn fine<T>(outcome: io::Result<T>) -> T {
    outcome.expect("nothing breaks in a benchmark")
}
