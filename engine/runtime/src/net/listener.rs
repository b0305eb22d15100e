//! Accepting connections.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;

use super::TcpStream;
use crate::world::{self, Listener};

/// A listening socket. Dropping it closes it: connections that were not accepted are reset.
pub struct TcpListener(Ground);

enum Ground {
    Tokio(tokio::net::TcpListener),
    World(Box<dyn Listener>),
}

impl TcpListener {
    /// Listens on `address`; port 0 takes a free one. An address whose last connections are in TIME-WAIT can be taken
    /// again (`SO_REUSEADDR`, as tokio sets it).
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrInUse`], [`io::ErrorKind::AddrNotAvailable`], and what else the system says.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listening = world::current().map(|world| world.listen(address));
        Ok(Self(match listening {
            Some(listener) => Ground::World(listener?),
            None => Ground::Tokio(on_tokio::bind(address).await?),
        }))
    }

    /// Waits for the next established connection. Dropping the future loses none.
    ///
    /// # Errors
    /// What the system says. Running out of descriptors is one of them: wait a little before the next call.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.0 {
            Ground::Tokio(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((TcpStream::from_tokio(stream)?, peer))
            }
            Ground::World(listener) => {
                let (socket, peer) = poll_fn(|context| listener.poll_accept(context)).await?;
                Ok((TcpStream::from_world(socket), peer))
            }
        }
    }

    /// The bound address, with the port that port 0 became.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Ground::Tokio(listener) => listener.local_addr(),
            Ground::World(listener) => listener.local_addr(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tokio world: these are its sockets")]
mod on_tokio {
    pub(super) async fn bind(address: std::net::SocketAddr) -> std::io::Result<tokio::net::TcpListener> {
        tokio::net::TcpListener::bind(address).await
    }
}

impl std::fmt::Debug for TcpListener {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("TcpListener");
        if let Ok(address) = self.local_addr() {
            shown.field("local", &address);
        }
        shown.finish_non_exhaustive()
    }
}
