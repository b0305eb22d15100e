//! Middleboxes: what operators put between two nodes, and what it does to streams.
//!
//! A [`Proxy`] accepts connections on its own node, opens one to a target for each, and carries bytes both ways: whole,
//! in order, through bounded buffers, so that back-pressure passes, and so do half-close, resets and the want of a
//! listener (as a reset: the client is connected by then). What makes it a fault is told to it: it
//! [closes idle connections](Proxy::close_idle), [holds back small writes](Proxy::hold_back) (and with them
//! server-sent events), [resets after so many bytes](Proxy::reset_after), or [balances](Proxy::balance) over names that
//! it has resolved long ago. Each counts its [effects](crate::Effect) when somebody suffers them; one whose bound is
//! not reached does nothing.
//!
//! A proxy is ordinary code, written against [`runtime`] like any inhabitant's: a node boots it, and it falls, is
//! paused and parted like any other.
//!
//! ```
//! use std::time::Duration;
//! use sim::middlebox::{Goodbye, Proxy};
//!
//! let report = sim::Sim::seed(1).run(async |world: sim::World| {
//!     let proxy = Proxy::to(80, "server", 80).close_idle(Duration::from_secs(60), Goodbye::Fin);
//!     world.node("proxy").boot(move || proxy.clone().serve());
//! });
//! report.expect_ok();
//! ```
//!
//! It reads no protocol: what cuts inside an event or a frame is a [tap](crate::tap)'s plan. Next: `targets` (whom it
//! connects to), `relay` (one connection), `flow` (one direction of it).

mod felt;
mod flow;
mod relay;
mod targets;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use runtime::{TcpListener, TcpStream};

pub use targets::{Pick, Targets};

use relay::{Relay, reset};
use targets::Resolver;

/// How long it tries to connect to a target: nginx's `proxy_connect_timeout`.
const CONNECT: Duration = Duration::from_secs(60);

/// How long it waits after a failed accept, which means that it has run out of something. Ours.
const BREATH: Duration = Duration::from_millis(100);

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heading {
    /// From the client to the target.
    Up = 0,
    /// From the target to the client.
    Down = 1,
}

/// How a proxy ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Goodbye {
    /// Both ends get FIN, as from `close`; RST where they have sent what it has not read.
    Fin,
    /// Both ends get RST.
    Reset,
}

/// What is held back: bytes that are fewer than so many, for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// So many bytes pass on at once, with all that have come by then. Fewer wait; the end of the stream sends them on.
    pub bytes: usize,
    /// How long the first of them waits at most; `None`: for ever.
    pub time: Option<Duration>,
}

/// What a proxy does to each connection.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    idle: Option<(Duration, Goodbye)>,
    hold: [Option<Hold>; 2],
    carry: [Option<u64>; 2],
}

/// A TCP proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    port: u16,
    targets: Targets,
    rules: Rules,
}

impl Proxy {
    /// Listens on `port` and connects to that port of `host`, which it resolves for each connection.
    #[must_use]
    pub fn to(port: u16, host: &str, target: u16) -> Self {
        Self::balance(port, Targets::new([(host, target)]))
    }

    /// Listens on `port` and balances over targets.
    #[must_use]
    pub fn balance(port: u16, targets: Targets) -> Self {
        Self { port, targets, rules: Rules::default() }
    }

    /// Closes a connection in which nothing has moved for so long, either way.
    #[must_use]
    pub const fn close_idle(mut self, after: Duration, goodbye: Goodbye) -> Self {
        self.rules.idle = Some((after, goodbye));
        self
    }

    /// Holds back small writes that go this way.
    #[must_use]
    pub const fn hold_back(mut self, heading: Heading, hold: Hold) -> Self {
        self.rules.hold[heading as usize] = Some(hold);
        self
    }

    /// Resets a connection when more than so many bytes are to pass this way; these do, as far as the window of whoever
    /// they are for takes them: RST discards what its kernel has not sent.
    #[must_use]
    pub const fn reset_after(mut self, heading: Heading, bytes: u64) -> Self {
        self.rules.carry[heading as usize] = Some(bytes);
        self
    }

    /// Serves for as long as its node runs.
    ///
    /// # Panics
    /// If its port cannot be listened on: a mistake of the script.
    pub async fn serve(self) {
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.port));
        let listener = TcpListener::bind(address).await.expect("a proxy's port is its own");
        let mut resolver = Resolver::new(self.targets);
        loop {
            let Ok((client, _)) = listener.accept().await else {
                runtime::sleep(BREATH).await;
                continue;
            };
            match resolver.pick().await {
                Some(target) => drop(runtime::spawn("relay", carry(client, target, self.rules))),
                None => reset(client),
            }
        }
    }
}

/// One connection, from its client's to its end.
async fn carry(client: TcpStream, target: SocketAddr, rules: Rules) {
    match runtime::timeout(CONNECT, TcpStream::connect(target)).await {
        Ok(Ok(server)) => Relay::new(client, server, rules).run().await,
        Ok(Err(_)) | Err(_) => reset(client),
    }
}
