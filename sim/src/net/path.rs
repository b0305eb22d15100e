//! Who reaches whom: hosts, addresses, names, blocked paths, latencies, ports.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use crate::core::Core;
use crate::effects::Effect;
use crate::net::bandwidth::Bandwidths;
use crate::net::conn::{Conn, Side};
use crate::net::port::Ports;
use crate::node::NodeId;
use crate::options::{Latency, Network};

/// The most bytes of a segment between two hosts: what Ethernet's 1,500 leave behind IPv4 (20), TCP (20) and its
/// timestamps (12).
const MSS: u32 = 1_448;
/// And within a host: what the largest IPv4 packet (65,535) leaves; the loopback device's 65,536 do not fit one.
const MSS_LOOPBACK: u32 = 65_483;

/// A host, as the network sees it.
struct Host {
    name: String,
    ip: Ipv4Addr,
    /// Its kernel runs. A host without a process refuses; one without power is silent.
    up: bool,
    pub(crate) ports: Ports,
}

/// Who reaches whom.
pub(crate) struct Paths {
    hosts: Vec<Host>,
    /// Further names, each with the nodes it resolves to.
    aliases: BTreeMap<String, Vec<NodeId>>,
    /// By the script.
    blocked: BTreeSet<(NodeId, NodeId)>,
    /// By strikes at points, until they end.
    struck: BTreeSet<(NodeId, NodeId)>,
    /// Both are empty, as they nearly always are.
    all_open: bool,
    latencies: BTreeMap<(NodeId, NodeId), Latency>,
    pub(crate) bandwidths: Bandwidths,
}

impl Paths {
    pub(crate) const fn new(options: &Network) -> Self {
        Self {
            hosts: Vec::new(),
            aliases: BTreeMap::new(),
            blocked: BTreeSet::new(),
            struck: BTreeSet::new(),
            all_open: true,
            latencies: BTreeMap::new(),
            bandwidths: Bandwidths::new(options.bandwidth),
        }
    }

    pub(crate) fn add_host(&mut self, name: &str, ip: Ipv4Addr) {
        self.hosts.push(Host { name: name.to_owned(), ip, up: true, ports: Ports::new() });
    }

    pub(crate) fn set_up(&mut self, node: NodeId, up: bool) {
        self.hosts[node.index()].up = up;
    }

    /// Whether the node's kernel runs; not so for an address without a host.
    #[inline]
    pub(crate) fn is_up(&self, node: NodeId) -> bool {
        self.hosts.get(node.index()).is_some_and(|host| host.up)
    }

    pub(crate) fn name(&self, node: NodeId) -> &str {
        self.hosts.get(node.index()).map_or("nowhere", |host| &host.name)
    }

    pub(crate) fn ip(&self, node: NodeId) -> Ipv4Addr {
        self.hosts[node.index()].ip
    }

    /// The node behind an address, seen from `from`. `None`: nobody has it.
    pub(crate) fn node_at(&self, from: NodeId, ip: IpAddr) -> Option<NodeId> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from);
        }
        let place = self.hosts.iter().position(|host| IpAddr::V4(host.ip) == ip)?;
        Some(NodeId(place as u16))
    }

    /// Gives a further name to nodes.
    pub(crate) fn alias(&mut self, name: &str, nodes: Vec<NodeId>) {
        self.aliases.insert(name.to_owned(), nodes);
    }

    /// What a name resolves to, seen from `from`.
    pub(crate) fn resolve(&self, from: NodeId, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(ip) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(vec![ip]);
        }
        if name == "localhost" {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        }
        if let Some(nodes) = self.aliases.get(name) {
            return Ok(nodes.iter().map(|node| IpAddr::V4(self.ip(*node))).collect());
        }
        match self.hosts.iter().find(|host| host.name == name) {
            Some(host) => Ok(vec![IpAddr::V4(host.ip)]),
            None => {
                let from = self.name(from);
                let text =
                    format!("failed to lookup address information: {name} is not known (asked on {from})");
                Err(io::Error::new(io::ErrorKind::NotFound, text))
            }
        }
    }

    /// The node's ports; none for an address without a host.
    pub(crate) fn ports(&mut self, node: NodeId) -> Option<&mut Ports> {
        self.hosts.get_mut(node.index()).map(|host| &mut host.ports)
    }

    /// The directions that strikes block, in place of those of before.
    pub(crate) fn set_struck(&mut self, struck: BTreeSet<(NodeId, NodeId)>) {
        self.struck = struck;
        self.count_blocks();
    }

    /// Blocks or opens one direction. Within a node nothing can be blocked.
    pub(crate) fn set_blocked(&mut self, from: NodeId, to: NodeId, blocked: bool) {
        if blocked && from != to {
            self.blocked.insert((from, to));
        } else {
            self.blocked.remove(&(from, to));
        }
        self.count_blocks();
    }

    /// Opens all directions.
    pub(crate) fn unblock_all(&mut self) {
        self.blocked.clear();
        self.struck.clear();
        self.count_blocks();
    }

    fn count_blocks(&mut self) {
        self.all_open = self.blocked.is_empty() && self.struck.is_empty();
    }

    #[inline]
    pub(crate) fn is_open(&self, from: NodeId, to: NodeId) -> bool {
        self.all_open || !(self.blocked.contains(&(from, to)) || self.struck.contains(&(from, to)))
    }

    /// Whether what that side sends passes, as far as the network is concerned.
    #[inline]
    pub(crate) fn passes(&self, conn: &Conn, side: Side) -> bool {
        let (from, to) = (conn.ends[side as usize].node, conn.ends[side.other() as usize].node);
        !conn.silenced && self.is_open(from, to)
    }

    /// Whether it also finds a host there.
    #[inline]
    pub(crate) fn reaches(&self, conn: &Conn, side: Side) -> bool {
        self.passes(conn, side) && self.is_up(conn.ends[side.other() as usize].node)
    }

    /// Something that this side sent is lost. It is felt where the path is to blame; a host without power feels nothing.
    pub(crate) fn lost(&self, core: &Core, conn: &Conn, side: Side) {
        if conn.silenced {
            core.felt(Effect::CutSilence);
        } else if !self.passes(conn, side) {
            core.felt(Effect::Blocked);
        }
    }

    pub(crate) fn set_latency(&mut self, from: NodeId, to: NodeId, latency: Latency) {
        self.latencies.insert((from, to), latency);
    }

    /// The most bytes of a segment.
    pub(crate) fn mss(from: NodeId, to: NodeId) -> u32 {
        if from == to { MSS_LOOPBACK } else { MSS }
    }

    pub(crate) fn latency(&self, options: &Network, from: NodeId, to: NodeId) -> Latency {
        if from == to {
            return Latency::Constant(options.loopback);
        }
        self.latencies.get(&(from, to)).copied().unwrap_or(options.latency)
    }
}
