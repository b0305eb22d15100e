//! TCP and names.
//!
//! Streams carry tokio's `AsyncRead` and `AsyncWrite` and hyper's `rt` traits alike. `TCP_NODELAY` is on at both ends.

mod keep_alive;
mod listener;
mod stream;

pub use keep_alive::KeepAlive;
pub use listener::TcpListener;
pub use stream::TcpStream;

use std::io;
use std::net::SocketAddr;

use crate::world;

/// Connects to the first address that accepts, in order.
///
/// # Errors
/// What the last one said; [`io::ErrorKind::NotFound`] if there is none.
pub async fn connect_any(addresses: impl IntoIterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Resolves `host` (a name or an address) as `getaddrinfo` would, at least one address if it succeeds.
///
/// # Errors
/// What the resolver says; [`io::ErrorKind::NotFound`] if it says nothing.
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let answer = world::current().map(|world| world.resolve(host, port));
    let addresses = match answer {
        Some(answer) => answer.await?,
        None => tokio::net::lookup_host((host, port)).await?.collect(),
    };
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")));
    }
    Ok(addresses)
}
