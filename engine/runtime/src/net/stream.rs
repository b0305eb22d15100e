//! A connected byte stream.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::KeepAlive;
use crate::world::{self, Socket};

/// A connected byte stream. `poll_shutdown` closes the sending half only; dropping it closes both, with FIN, or with
/// RST if data is unread or linger is zero.
pub struct TcpStream(Ground);

enum Ground {
    Tokio(tokio::net::TcpStream),
    World(Box<dyn Socket>),
}

impl TcpStream {
    /// Connects to `address`, with `TCP_NODELAY` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionRefused`], [`io::ErrorKind::TimedOut`] (after minutes, as the system's settings say:
    /// bound it with [`crate::timeout`]), and what else the system says.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let answer = world::current().map(|world| world.connect(address));
        match answer {
            Some(answer) => Ok(Self::from_world(answer.await?)),
            None => Self::from_tokio(on_tokio::connect(address).await?),
        }
    }

    pub(super) fn from_tokio(stream: tokio::net::TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(Ground::Tokio(stream)))
    }

    pub(super) fn from_world(socket: Box<dyn Socket>) -> Self {
        Self(Ground::World(socket))
    }

    /// This end's address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Ground::Tokio(stream) => stream.local_addr(),
            Ground::World(socket) => socket.local_addr(),
        }
    }

    /// The other end's address.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotConnected`] after a reset, and what else the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Ground::Tokio(stream) => stream.peer_addr(),
            Ground::World(socket) => socket.peer_addr(),
        }
    }

    /// `TCP_NODELAY`, which is on from the start. A world sends at once in any case.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match &self.0 {
            Ground::Tokio(stream) => stream.set_nodelay(nodelay),
            Ground::World(_) => Ok(()),
        }
    }

    /// `SO_LINGER`: zero makes the drop send RST and throw away what was not sent; `None` is the kernel's default.
    /// Other values block the dropping thread for as long on a real socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        match &self.0 {
            Ground::Tokio(stream) => socket2::SockRef::from(stream).set_linger(linger),
            Ground::World(socket) => socket.set_linger(linger),
        }
    }

    /// `TCP_USER_TIMEOUT`: how long sent bytes may stay without acknowledgement before the connection times out; `None`
    /// is the kernel's default, a quarter of an hour. It finds a peer that is gone without a word, as long as something
    /// is sent. Systems that do not have it (RFC 5482 is optional) keep their own bound.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match &self.0 {
            #[cfg(target_os = "linux")]
            Ground::Tokio(stream) => socket2::SockRef::from(stream).set_tcp_user_timeout(timeout),
            #[cfg(not(target_os = "linux"))]
            Ground::Tokio(_) => Ok(()),
            Ground::World(socket) => socket.set_user_timeout(timeout),
        }
    }

    /// `SO_KEEPALIVE`: an idle end asks whether its peer is there, on these terms; `None`, the default, asks nothing.
    /// It finds a peer that is gone without a word although nothing is sent.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for terms that the kernel refuses ([`KeepAlive`]), and what else the system says.
    pub fn set_keep_alive(&self, terms: Option<KeepAlive>) -> io::Result<()> {
        let terms = terms.map(KeepAlive::checked).transpose()?;
        match &self.0 {
            Ground::Tokio(stream) => {
                let socket = socket2::SockRef::from(stream);
                match terms {
                    Some(terms) => socket.set_tcp_keepalive(&terms.to_socket2()),
                    None => socket.set_keepalive(false),
                }
            }
            Ground::World(socket) => socket.set_keep_alive(terms),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tokio world: these are its sockets")]
mod on_tokio {
    pub(super) async fn connect(address: std::net::SocketAddr) -> std::io::Result<tokio::net::TcpStream> {
        tokio::net::TcpStream::connect(address).await
    }
}

impl AsyncRead for TcpStream {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Ground::Tokio(stream) => Pin::new(stream).poll_read(context, out),
            Ground::World(socket) => Pin::new(socket).poll_read(context, out),
        }
    }
}

impl AsyncWrite for TcpStream {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Ground::Tokio(stream) => Pin::new(stream).poll_write(context, data),
            Ground::World(socket) => Pin::new(socket).poll_write(context, data),
        }
    }
    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Ground::Tokio(stream) => Pin::new(stream).poll_flush(context),
            Ground::World(socket) => Pin::new(socket).poll_flush(context),
        }
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Ground::Tokio(stream) => Pin::new(stream).poll_shutdown(context),
            Ground::World(socket) => Pin::new(socket).poll_shutdown(context),
        }
    }
    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Ground::Tokio(stream) => Pin::new(stream).poll_write_vectored(context, data),
            Ground::World(socket) => Pin::new(socket).poll_write_vectored(context, data),
        }
    }
    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Ground::Tokio(stream) => stream.is_write_vectored(),
            Ground::World(socket) => socket.is_write_vectored(),
        }
    }
}

impl hyper::rt::Read for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        hyper::rt::Read::poll_read(Pin::new(&mut TokioIo::new(self)), context, out)
    }
}

impl hyper::rt::Write for TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(self, context, data)
    }
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(self, context)
    }
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(self, context)
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write_vectored(self, context, data)
    }
    fn is_write_vectored(&self) -> bool {
        AsyncWrite::is_write_vectored(self)
    }
}

/// So that hyper-util's pooling client can keep it.
impl Connection for TcpStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl std::fmt::Debug for TcpStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("TcpStream");
        if let (Ok(local), Ok(peer)) = (self.local_addr(), self.peer_addr()) {
            shown.field("local", &local).field("peer", &peer);
        }
        shown.finish_non_exhaustive()
    }
}
