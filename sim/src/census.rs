//! What there is at a moment, node by node, so that "nothing left at rest" can be compared.

use std::collections::BTreeMap;

use crate::core::{Core, Due};
use crate::net::conn::{Life, Side};

/// What one node has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Tasks, by name.
    pub tasks: BTreeMap<&'static str, usize>,
    /// Timers that run.
    pub timers: usize,
    /// Listening sockets.
    pub listeners: usize,
    /// Sockets its process holds whose peer is there.
    pub sockets: usize,
    /// Sockets its process holds whose peer is gone (whether it knows or not).
    pub half_open: usize,
    /// Connections that wait to be accepted.
    pub queued: usize,
    /// Sockets its process has closed and its kernel still finishes.
    pub closing: usize,
    /// Bytes that were sent to it and not read.
    pub unread: u64,
    /// Files its process holds.
    pub files: usize,
}

impl Core {
    pub(crate) fn census(&self) -> BTreeMap<String, Census> {
        let mut all: Vec<_> = self.nodes.borrow().iter().map(|_| Census::default()).collect();
        for (_, node, name) in self.tasks.of(None) {
            *all[node.index()].tasks.entry(name).or_default() += 1;
        }
        for (_, due) in self.agenda.borrow().iter() {
            match due {
                Due::Timer { node, .. } => all[node.index()].timers += 1,
                Due::Net(_) | Due::Relief(_) => {}
            }
        }
        self.count_sockets(&mut all);
        let nodes = self.nodes.borrow();
        for (place, node) in nodes.iter().enumerate() {
            all[place].files = node.drive.disk.open_files();
        }
        nodes.iter().zip(all).map(|(node, census)| (node.name.to_string(), census)).collect()
    }

    fn count_sockets(&self, all: &mut [Census]) {
        let net = self.net.borrow();
        for (node, _) in net.listeners.keys() {
            all[node.index()].listeners += 1;
        }
        for key in net.conns.keys() {
            let Some(conn) = net.conns.get(key) else { continue };
            for side in Side::BOTH {
                let (end, peer) = (&conn.ends[side as usize], &conn.ends[side.other() as usize]);
                let Some(census) = all.get_mut(end.node.index()) else { continue };
                let way = &conn.ways[side.other() as usize];
                census.unread += if end.held { way.sent - way.read } else { 0 };
                match (end.held, end.life, peer.life) {
                    (true, Life::Live, Life::Live) if !conn.silenced => census.sockets += 1,
                    (true, ..) => census.half_open += 1,
                    (false, Life::Live, _) if conn.queued => census.queued += 1,
                    (false, Life::Live | Life::Orphan, _) => census.closing += 1,
                    (false, Life::Dead, _) => {}
                }
            }
        }
    }
}
