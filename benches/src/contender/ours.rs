//! A world of `sim`.

use std::cell::RefCell;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Contender, PORT};

thread_local! {
    /// The world of this thread's run: a workload that knows no world still gets a second node.
    static WORLD: RefCell<Option<sim::World>> = const { RefCell::new(None) };
    /// Where the server of this run listens, once it does.
    static SERVER: RefCell<Option<SocketAddr>> = const { RefCell::new(None) };
}

/// A world of `sim`: handshakes, windows, segments, decisions and digest on. Reads and writes take all they can, since those
/// of the others do: else one echo in two would be of more segments.
#[derive(Debug)]
pub enum Ours {}

impl Contender for Ours {
    const NAME: &'static str = "sim";
    type Stream = runtime::TcpStream;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        let net = sim::Network { partial: sim::Ratio::NEVER, ..sim::Network::default() };
        let options = sim::Options { polls_max: u64::MAX, net, ..sim::Options::seed(1) };
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
        let known = SERVER.with(|server| *server.borrow());
        let address = match known {
            Some(address) => address,
            None => listen(serve).await,
        };
        runtime::TcpStream::connect(address).await.expect("accepted")
    }
}

/// Boots the server, and waits until it listens.
async fn listen<F>(serve: fn(runtime::TcpStream) -> F) -> SocketAddr
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
                let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
                let listener = runtime::TcpListener::bind(any).await.expect("a free port");
                listening.send(()).expect("the client waits");
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    drop(runtime::spawn("serve", serve(stream)));
                }
            }
        });
        SocketAddr::from((server.ip(), PORT))
    });
    heard.await.expect("the server listens");
    SERVER.with(|server| *server.borrow_mut() = Some(address));
    address
}
