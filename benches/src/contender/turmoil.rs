//! turmoil.

use std::cell::RefCell;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use turmoil::net::{TcpListener, TcpStream};

use super::{Contender, PORT};

/// Longer than any workload: a simulation of turmoil ends with an error beyond its bound.
const DURATION: Duration = Duration::from_secs(86_400);

type Serve = Box<dyn Fn(TcpStream) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

thread_local! {
    /// What the server does with a connection: hosts are made before the workload begins.
    static SERVE: RefCell<Option<Serve>> = const { RefCell::new(None) };
}

/// turmoil: a tokio runtime per host, all of them stepped each millisecond; latencies as in `sim`.
#[derive(Debug)]
pub enum Turmoil {}

#[expect(clippy::disallowed_methods, reason = "turmoil's hosts are tokio runtimes")]
impl Contender for Turmoil {
    const NAME: &'static str = "turmoil";
    type Stream = TcpStream;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        let mut builder = turmoil::Builder::new();
        builder.rng_seed(1).simulation_duration(DURATION).tcp_capacity(1024);
        builder.min_message_latency(Duration::from_micros(100)).max_message_latency(Duration::from_millis(1));
        let mut sim = builder.build();
        sim.host("server", || async {
            let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
            let listener = TcpListener::bind(any).await?;
            loop {
                let (stream, _) = listener.accept().await?;
                let serving = SERVE.with(|serve| serve.borrow().as_ref().expect("somebody connects")(stream));
                drop(tokio::spawn(serving));
            }
        });
        sim.client("client", async move {
            workload().await;
            Ok(())
        });
        sim.run().expect("the workload ends");
        SERVE.with(|serve| *serve.borrow_mut() = None);
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
        SERVE.with(|place| *place.borrow_mut() = Some(Box::new(move |stream| Box::pin(serve(stream)))));
        TcpStream::connect(("server", PORT)).await.expect("accepted")
    }
}
