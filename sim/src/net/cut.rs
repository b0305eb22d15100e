//! Faults on one connection, from in between: RST, FIN or silence.

use crate::core::{Core, Due};
use crate::effects::Effect;
use crate::net::conn::{Conn, Life, Phase, Side};
use crate::net::travel::travel;
use crate::net::way::Carries;
use crate::net::{ConnKey, Fabric, NetDue};

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cut {
    /// Both ends get RST, the near one at once, the other one latency later. What was under way is lost.
    Reset,
    /// Both ends get FIN behind what was under way, and RST if they go on writing: a proxy closed the connection.
    Fin,
    /// Nothing passes any more, either way, for ever: a middlebox forgot the connection. Nobody is told.
    Silence,
}

/// A connection, as a nemesis sees it.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(crate) key: ConnKey,
    /// The node that connected.
    pub from: String,
    /// The node that accepts.
    pub to: String,
    /// The port connected to.
    pub port: u16,
    /// The how-manieth connection from `from` to `to` and that port, from zero.
    pub ordinal: u32,
    /// Whether both ends know it, neither has closed it, and nothing has cut it.
    pub live: bool,
    /// Bytes written so far: by the opener, by the acceptor.
    pub sent: [u64; 2],
    /// Bytes read so far: by the acceptor, by the opener.
    pub read: [u64; 2],
    /// The first bytes the opener wrote (at most 256): a request line, say.
    pub head: Vec<u8>,
    /// The first bytes of what the opener wrote since the acceptor last wrote: the latest request line of a connection
    /// that is kept alive.
    pub recent: Vec<u8>,
}

impl Connection {
    /// Whether it carries, or last carried, a request that begins with `prefix`.
    #[must_use]
    pub fn carries(&self, prefix: &str) -> bool {
        self.recent.starts_with(prefix.as_bytes())
    }
}

/// Whether something may still pass: both kernels know it, and nothing has cut it.
pub(crate) fn is_open(conn: &Conn) -> bool {
    let known = conn.ends.iter().all(|end| end.life != Life::Dead);
    conn.phase == Phase::Open && known && !conn.silenced && !conn.severed
}

fn is_live(conn: &Conn) -> bool {
    is_open(conn) && conn.ends.iter().all(|end| end.life == Life::Live && end.held)
}

/// Whether that side's kernel still takes bytes from it.
pub(crate) fn takes_bytes(conn: &Conn, side: Side) -> bool {
    is_open(conn) && conn.ends[side as usize].life == Life::Live
}

/// Whether the first segment from that side reaches beyond the byte to be cut at.
#[inline]
pub(crate) fn is_cut_ahead(conn: &Conn, side: Side) -> bool {
    let way = &conn.ways[side as usize];
    way.cut_at.is_some_and(|(offset, _)| {
        let first = way.segments.front().map(|first| first.carries);
        matches!(first, Some(Carries::Data(end)) if end > offset) && takes_bytes(conn, side.other())
    })
}

fn felt_if(core: &Core, is_felt: bool, effect: Effect) {
    if is_felt {
        core.felt(effect);
    }
}

impl Fabric {
    /// All connections that somebody may still notice.
    pub(crate) fn connections(&self) -> Vec<Connection> {
        let describe = |key: ConnKey| {
            let conn = self.conns.get(key)?;
            Some(Connection {
                key,
                from: self.paths.name(conn.ends[0].node).to_owned(),
                to: self.paths.name(conn.ends[1].node).to_owned(),
                port: conn.port,
                ordinal: conn.ordinal,
                live: is_live(conn),
                sent: [conn.ways[0].written, conn.ways[1].written],
                read: [conn.ways[0].read, conn.ways[1].read],
                head: conn.head.clone(),
                recent: conn.recent.clone(),
            })
        };
        self.conns.keys().into_iter().filter_map(describe).collect()
    }

    /// Cuts a connection; `near` is the end that feels it first. `false`: an end knows it no more, or it was cut before.
    pub(crate) fn cut(&mut self, core: &Core, key: ConnKey, cut: Cut, near: Side) -> bool {
        let Some(conn) = self.conns.get_mut(key) else { return false };
        if !is_open(conn) {
            return false;
        }
        core.fault(|| format!("cut {} by {cut:?} near {near:?}", conn.ways[0].label));
        let is_felt = conn.queued || conn.ends.iter().any(|end| end.held);
        if let Some(watch) = &mut conn.watch {
            watch.release(&mut self.taps); // nothing falls on it any more
        }
        match cut {
            Cut::Silence => conn.silenced = true,
            Cut::Reset => {
                felt_if(core, is_felt, Effect::CutReset);
                conn.severed = true;
                for side in Side::BOTH {
                    let way = conn.way(side);
                    way.segments.clear();
                    if let Some(armed) = way.armed.take() {
                        core.unschedule(armed);
                    }
                }
                let after = travel(core, conn.way(near));
                core.schedule(after, Due::Net(NetDue::Reset(key, near.other())));
                self.reset(core, key, near);
            }
            Cut::Fin => {
                felt_if(core, is_felt, Effect::CutFin);
                conn.severed = true;
                let ends = Side::BOTH.map(|side| {
                    let under_way = conn.ways[side as usize].segments.iter();
                    let mut under_way = under_way.map(|segment| segment.carries);
                    conn.ends[side as usize].fin_arrived || under_way.any(|carries| carries == Carries::Fin)
                });
                for side in Side::BOTH.into_iter().filter(|side| !ends[*side as usize]) {
                    self.send(core, key, side, Carries::Fin, 0);
                }
            }
        }
        true
    }

    /// That side said something on a connection that was severed, and whoever closed it in between knows it no more: the
    /// answer is RST, there and back.
    pub(crate) fn answered_from_between(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let after = travel(core, conn.way(side)).saturating_mul(2);
        core.schedule(after, Due::Net(NetDue::Reset(key, side)));
    }

    /// The first segment from that side would arrive, and reaches beyond the byte to be cut at: the bytes up to there
    /// do, and the cut falls.
    pub(crate) fn cut_inside(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let way = conn.way(side);
        let Some((offset, cut)) = way.cut_at.take() else { return };
        way.arrived = offset.max(way.arrived);
        if cut != Cut::Silence {
            way.segments.clear();
        }
        self.wakes.extend(conn.end(side.other()).reader.take());
        self.cut_fell(core, key, side, offset);
        self.cut(core, key, cut, side.other());
        if cut == Cut::Silence {
            self.stall(core, key, side);
        }
    }
}
