//! madsim.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Contender, PORT};

thread_local! {
    /// The node that connects, once the server listens.
    static CLIENT: std::cell::RefCell<Option<madsim::runtime::NodeHandle>> = const { std::cell::RefCell::new(None) };
}

/// madsim's executor, clock and network.
#[derive(Debug)]
pub enum Madsim {}

impl Contender for Madsim {
    const NAME: &'static str = "madsim";
    type Stream = Flushed;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        on_fresh_thread(move || {
            let runtime = madsim::runtime::Runtime::with_seed_and_config(1, madsim::Config::default());
            runtime.block_on(workload());
            CLIENT.with(|client| *client.borrow_mut() = None);
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
        let server = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), PORT));
        let known = CLIENT.with(|client| client.borrow().clone());
        let client = match known {
            Some(client) => client,
            None => listen(server, serve).await,
        };
        let connecting = client.spawn(async move { madsim::net::TcpStream::connect(server).await });
        Flushed::new(connecting.await.expect("the client lives").expect("accepted"))
    }
}

/// Makes both nodes, and waits until the server listens.
async fn listen<F>(address: SocketAddr, serve: fn(Flushed) -> F) -> madsim::runtime::NodeHandle
where
    F: Future<Output = ()> + Send + 'static,
{
    let handle = madsim::runtime::Handle::current();
    let (listening, heard) = tokio::sync::oneshot::channel();
    let server = handle.create_node().name("server").ip(address.ip()).build();
    drop(server.spawn(async move {
        let listener = madsim::net::TcpListener::bind(address).await.expect("a free port");
        listening.send(()).expect("the client waits");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            drop(madsim::task::spawn(serve(Flushed::new(stream))));
        }
    }));
    heard.await.expect("the server listens");
    let client = handle.create_node().name("client").ip(IpAddr::from([10, 0, 0, 2])).build();
    CLIENT.with(|place| *place.borrow_mut() = Some(client.clone()));
    client
}

/// A stream of madsim that passes on a flush only if something was written since the last: hyper flushes in every
/// poll, madsim makes a packet of every flush, and each packet wakes the peer.
#[derive(Debug)]
pub struct Flushed {
    stream: madsim::net::TcpStream,
    written: bool,
}

impl Flushed {
    const fn new(stream: madsim::net::TcpStream) -> Self {
        Self { stream, written: false }
    }
}

impl AsyncRead for Flushed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, out)
    }
}

impl AsyncWrite for Flushed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.written = true;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if std::mem::replace(&mut self.written, false) {
            Pin::new(&mut self.stream).poll_flush(context)
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// madsim keeps its context in thread-locals; a fresh thread is also what a run of ours costs.
#[expect(clippy::disallowed_methods, reason = "outside every world")]
fn on_fresh_thread(body: impl FnOnce() + Send + 'static) {
    std::thread::spawn(body).join().expect("the workload ends");
}
