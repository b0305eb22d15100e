//! madsim's streams and listeners behind the face of a world's.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use madsim::net::{TcpListener, TcpStream};
use madsim::task::NodeId;
use runtime::KeepAlive;
use runtime::world::{Listener, Socket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::node::NodeState;
use super::shared;

/// A connected stream.
///
/// madsim delivers what was flushed, and each flush is a packet that wakes the peer, even an empty one. So each write
/// is flushed at once, and nothing else is.
pub(super) struct Stream {
    /// Only ever reached through `&mut`: madsim's stream is not `Sync`, and a socket has to be.
    stream: Mutex<TcpStream>,
    local: SocketAddr,
    peer: SocketAddr,
    node: NodeId,
    /// Which process of the node: what a former one writes, as it is dropped, reaches nobody.
    process: u64,
}

impl Stream {
    /// Of the node that asks.
    pub(super) fn connected(stream: TcpStream) -> io::Result<Self> {
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        let node = madsim::plugin::node();
        let process = process(node).ok_or(io::ErrorKind::BrokenPipe)?;
        count(node, |state| state.streams += 1);
        Ok(Self { stream: Mutex::new(stream), local, peer, node, process })
    }

    fn is_fenced(&self) -> bool {
        process(self.node) != Some(self.process)
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(self.get_mut().stream.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        count(self.node, |state| state.streams -= 1);
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, out)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_fenced() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut stream = self.inner();
        let count = ready!(stream.as_mut().poll_write(context, data))?;
        ready!(stream.poll_flush(context))?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(context)
    }
}

impl Socket for Stream {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
    fn set_linger(&self, _linger: Option<Duration>) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "madsim has no SO_LINGER"))
    }
    fn set_user_timeout(&self, _timeout: Option<Duration>) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "madsim has no TCP_USER_TIMEOUT"))
    }
    fn set_keep_alive(&self, _terms: Option<KeepAlive>) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "madsim has no SO_KEEPALIVE"))
    }
}

/// Which process of a node runs, while there is a run.
fn process(node: NodeId) -> Option<u64> {
    shared::try_with(|shared| shared.try_with_node(node, |state| state.process)).flatten()
}

/// Counts what a node holds, while there is a run.
fn count(node: NodeId, by: impl FnOnce(&mut NodeState)) {
    let _unless_the_run_is_over = shared::try_with(|shared| shared.try_with_node(node, by));
}

type Accepting = Pin<Box<dyn Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send>>;

/// A listening socket.
pub(super) struct Listening {
    listener: Arc<TcpListener>,
    address: SocketAddr,
    node: NodeId,
    /// The accept under way: madsim's takes a millisecond, so it outlives a poll.
    accepting: Mutex<Option<Accepting>>,
}

impl Listening {
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let node = madsim::plugin::node();
        count(node, |state| state.listeners += 1);
        Ok(Self { listener: Arc::new(listener), address, node, accepting: Mutex::new(None) })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        count(self.node, |state| state.listeners -= 1);
    }
}

impl Listener for Listening {
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Socket>, SocketAddr)>> {
        let mut accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = accepting.get_or_insert_with(|| {
            let listener = Arc::clone(&self.listener);
            Box::pin(async move { listener.accept().await })
        });
        let accepted = ready!(under_way.as_mut().poll(context));
        *accepting = None;
        let (stream, peer) = accepted?;
        Poll::Ready(Ok((Box::new(Stream::connected(stream)?), peer)))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
