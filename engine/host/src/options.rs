//! What an engine is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use machines::{control, durability, gateway};
use protocol::limits::BODY_BYTES_MAX;
use protocol::view::{Nobody, Witness};

use crate::access::TokenSource;
use crate::store::{CACHE_BYTES, Location};

/// The port of upstream's engine is 6420; so is ours, so that applications find it.
const PORT: u16 = 6420;

/// What an engine is started with.
#[derive(Clone)]
pub struct Options {
    /// Where it listens. Default `127.0.0.1:6420`. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Whether it may listen beyond loopback although nothing authenticates its callers. Default no.
    pub insecure: bool,
    /// What authenticates its callers. Default nothing: whoever reaches it may do everything.
    pub tokens: Option<TokenSource>,
    /// Between two looks at a file of tokens. Default 5 s (ours: a token that must go is gone before one has looked).
    pub tokens_interval: Duration,
    /// Whether pools may have URLs that lead to this machine or into private networks. Default: if it listens on
    /// loopback, since then whoever configures pools is on this machine already.
    pub private_targets: Option<bool>,
    /// Certificates, in PEM, of authorities that vouch for applications beside those that this machine trusts.
    /// Default none.
    pub ca_file: Option<PathBuf>,
    /// The URL under which runners and clients reach it; told to serverless runners. Default `http://` and the address
    /// it listens on, which must be one that can be dialled then.
    pub public_url: Option<String>,
    /// The folder of its store.
    pub data: PathBuf,
    /// Memory the store may use for pages, in bytes. Default 64 MiB (ours).
    pub store_cache: usize,
    /// How often a store that takes no writes is tried, and how much it may hold.
    pub durability: durability::Options,
    /// Bounds of HTTP.
    pub limits: Limits,
    /// Timings and limits of the control plane.
    pub control: control::Options,
    /// Bounds of the gateway.
    pub gateway: gateway::Options,
    /// How long requests in flight may take to end when the engine stops. Default 5 s (ours: most supervisors kill
    /// after 10 s).
    pub drain_timeout: Duration,
    /// After how many steps a machine walks over its whole state. Default 4096; small worlds use 1.
    pub check_every: u32,
    /// Who is told facts. Default nobody.
    pub witness: Arc<dyn Witness>,
}

/// Bounds of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body of a request, in bytes. Default 20 MiB (upstream).
    pub body_bytes_max: usize,
    /// Bodies of all requests that have not ended, together, in bytes; more are refused with
    /// `guard.service_unavailable`. Default 1 GiB (ours): 51 of the largest.
    pub bodies_bytes_max: usize,
    /// How long the body of a request may take. Default 60 s (ours).
    pub body_timeout: Duration,
    /// How long the head of a request may take, and an idle connection is kept. Default 30 s (hyper).
    pub head_timeout: Duration,
    /// How long a client, or a runner, may take nothing of what is written to it. Default 60 s (ours).
    pub write_timeout: Duration,
    /// Largest head of a request in bytes. Default 64 KiB (ours), at least 8 KiB.
    pub head_bytes_max: usize,
    /// Header fields of a request at most. Default 100 (hyper).
    pub headers_max: usize,
    /// Connections at one time; more wait in the backlog. Default 10 000 (ours). Runner sockets are counted by the
    /// control plane.
    pub connections_max: usize,
    /// How long an API call may take. Default 30 s (ours).
    pub api_timeout: Duration,
    /// Pause after a connection could not be accepted. Default 100 ms (ours: the usual failure is that descriptors ran
    /// out, and some must be closed first).
    pub accept_pause: Duration,
    /// How long a runner may take to answer a close frame. Default 1 s (ours: it only has to read it).
    pub close_timeout: Duration,
    /// How long the control plane may take to say how it does. Default 2 s (ours: beyond it a client would not call it
    /// healthy either).
    pub health_timeout: Duration,
}

impl Options {
    /// The defaults, with the store in this folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            insecure: false,
            tokens: None,
            tokens_interval: Duration::from_secs(5),
            private_targets: None,
            ca_file: None,
            public_url: None,
            data: data.into(),
            store_cache: CACHE_BYTES,
            durability: durability::Options::default(),
            limits: Limits::default(),
            control: control::Options::default(),
            gateway: gateway::Options::default(),
            drain_timeout: Duration::from_secs(5),
            check_every: 4096,
            witness: Arc::new(Nobody),
        }
    }
}

impl Options {
    /// Where its store is.
    pub(crate) fn store(&self) -> Location {
        Location { folder: self.data.clone(), cache_bytes: self.store_cache }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: BODY_BYTES_MAX,
            bodies_bytes_max: 1024 * 1024 * 1024,
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            head_timeout: Duration::from_secs(30),
            head_bytes_max: 64 * 1024,
            headers_max: 100,
            connections_max: 10_000,
            api_timeout: Duration::from_secs(30),
            accept_pause: Duration::from_millis(100),
            close_timeout: Duration::from_secs(1),
            health_timeout: Duration::from_secs(2),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("bind", &self.bind)
            .field("public_url", &self.public_url)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}
