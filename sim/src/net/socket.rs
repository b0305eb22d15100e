//! What inhabitants hold: sockets and listeners, as numbers that find their world through the thread.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use runtime::KeepAlive;
use runtime::world::{Listener, Socket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::core;
use crate::net::ConnKey;
use crate::net::conn::{Life, Side};
use crate::node::NodeId;
use crate::points::PointKind;
use crate::registry::WorldId;

/// One end of a connection, held by a process.
pub(crate) struct SimSocket {
    world: WorldId,
    key: ConnKey,
    side: Side,
    local: SocketAddr,
    peer: SocketAddr,
}

impl SimSocket {
    fn new(core: &core::Core, key: ConnKey, side: Side) -> Self {
        let net = core.net.borrow();
        let conn = net.conns.get(key).expect("a held connection is kept");
        let (local, peer) = (conn.ends[side as usize].address, conn.ends[side.other() as usize].address);
        Self { world: core.id, key, side, local, peer }
    }
}

impl AsyncRead for SimSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        core::with(self.world, |core| {
            core.net(|net| net.read(core, self.key, self.side, out, context.waker()))
        })
    }
}

impl AsyncWrite for SimSocket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        core::with(self.world, |core| {
            core.net(|net| net.write(core, self.key, self.side, bytes, context.waker()))
        })
    }

    /// Nothing waits to be flushed, so a flush costs nothing.
    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        core::with(self.world, |core| core.net(|net| net.shutdown(core, self.key, self.side)));
        Poll::Ready(Ok(()))
    }
}

impl Socket for SimSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
    /// As `getpeername`: a closed socket has no peer.
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        let connected = core::is_here(self.world)
            && core::with(self.world, |core| {
                let net = core.net.borrow();
                let end = net.conns.get(self.key).map(|conn| &conn.ends[self.side as usize]);
                end.is_some_and(|end| end.life == Life::Live && !end.is_closed())
            });
        if connected { Ok(self.peer) } else { Err(io::ErrorKind::NotConnected.into()) }
    }
    /// `l_linger` counts whole seconds.
    fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        core::with(self.world, |core| {
            core.net(|net| {
                if let Some(conn) = net.conns.get_mut(self.key) {
                    conn.end(self.side).linger_zero = linger.is_some_and(|linger| linger.as_secs() == 0);
                }
            });
        });
        Ok(())
    }
    /// The kernel counts whole milliseconds; none of them is its default.
    fn set_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Duration::from_millis(timeout.as_millis() as u64));
        let timeout = timeout.filter(|timeout| !timeout.is_zero());
        core::with(self.world, |core| {
            core.net(|net| {
                if let Some(conn) = net.conns.get_mut(self.key) {
                    conn.end(self.side).user_timeout = timeout;
                    net.patience_changed(core, self.key, self.side);
                }
            });
        });
        Ok(())
    }
    fn set_keep_alive(&self, terms: Option<KeepAlive>) -> io::Result<()> {
        core::with(self.world, |core| {
            core.net(|net| net.set_keep_alive(core, self.key, self.side, terms));
        });
        Ok(())
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        if core::is_here(self.world) {
            core::with(self.world, |core| core.net(|net| net.let_go(core, self.key, self.side)));
        }
    }
}

/// A listening socket, held by a process.
pub(crate) struct SimListener {
    pub(crate) world: WorldId,
    pub(crate) node: NodeId,
    pub(crate) address: SocketAddr,
    pub(crate) serial: u64,
}

impl Listener for SimListener {
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Socket>, SocketAddr)>> {
        core::with(self.world, |core| {
            let taken =
                core.net(|net| net.accept(self.node, self.address.port(), self.serial, context.waker()));
            taken.map_ok(|key| {
                let socket = SimSocket::new(core, key, Side::Acceptor);
                core.meet_connection(PointKind::Accept, self.node, key, Side::Acceptor);
                let peer = socket.peer;
                (Box::new(socket) as Box<dyn Socket>, peer)
            })
        })
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        if core::is_here(self.world) {
            let port = self.address.port();
            core::with(self.world, |core| {
                core.net(|net| net.close_listener(core, self.node, port, self.serial));
            });
        }
    }
}

/// A connection being opened. Dropping it takes the attempt back.
pub(crate) struct Connecting {
    pub(crate) world: WorldId,
    pub(crate) node: NodeId,
    pub(crate) to: SocketAddr,
    pub(crate) key: Option<ConnKey>,
}

impl Future for Connecting {
    type Output = io::Result<Box<dyn Socket>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        core::with(self.world, |core| {
            let key = match self.key {
                Some(key) => key,
                None if core.with_node(self.node, |state| state.fenced) => {
                    return Poll::Ready(Err(io::ErrorKind::NetworkDown.into()));
                }
                None => match core.net(|net| net.connect(core, self.node, self.to)) {
                    Ok(key) => {
                        let key = *self.key.insert(key);
                        core.meet_connection(PointKind::Connect, self.node, key, Side::Opener);
                        key
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                },
            };
            let opened = core.net(|net| net.poll_open(core, key, context.waker()));
            opened.map(|opened| {
                self.key = None; // from here on the socket, if there is one, is what holds it
                opened.map(|()| Box::new(SimSocket::new(core, key, Side::Opener)) as Box<dyn Socket>)
            })
        })
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        if let Some(key) = self.key.take()
            && core::is_here(self.world)
        {
            core::with(self.world, |core| core.net(|net| net.let_go(core, key, Side::Opener)));
        }
    }
}
