//! Where points come from, and what happens at one that is struck.
//!
//! What the agenda holds is matched without a wildcard, so whatever will ever be due is either a point or is said to be
//! none; what a process does at once (connect, accept, write, sync, boot) calls in from its own place.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::core::{Core, Due};
use crate::net::conn::Side;
use crate::net::cut::{Cut, is_open};
use crate::net::{ConnKey, NetDue};
use crate::node::{Fall, NodeId, Status};
use crate::points::fault::PointFault;
use crate::points::relief::Relief;
use crate::points::{Link, Point, PointKind, Struck};

/// Where a point is.
#[derive(Clone, Copy, Debug)]
struct Place {
    kind: PointKind,
    node: NodeId,
    conn: Option<(ConnKey, Side)>,
}

/// Whom a strike reaches: taken when the point is met, since the first of two may end the connection.
#[derive(Clone, Copy, Debug)]
struct Target {
    place: Place,
    /// The other node of the connection, if it is on one.
    peer: Option<NodeId>,
}

impl Core {
    /// Something is about to happen.
    pub(crate) fn meet_due(&self, due: &Due) {
        let place = match due {
            Due::Timer { node, .. } => Some(Place { kind: PointKind::Timer, node: *node, conn: None }),
            Due::Net(due) => self.place_of(*due),
            Due::Relief(_) => None,
        };
        if let Some(place) = place {
            self.meet(place);
        }
    }

    /// Where something of the network is due. `None`: nobody is there whom it concerns.
    fn place_of(&self, due: NetDue) -> Option<Place> {
        // The side that it happens to.
        let (kind, key, side) = match due {
            NetDue::Segment(key, sender) => (PointKind::Segment, key, sender.other()),
            NetDue::Window(key, side, ..) | NetDue::Reset(key, side) => (PointKind::Segment, key, side),
            NetDue::Syn(key) => (PointKind::Segment, key, Side::Acceptor),
            NetDue::SynAck(key) | NetDue::Refusal(key) => (PointKind::Segment, key, Side::Opener),
            NetDue::SynRetry(key) => (PointKind::Timer, key, Side::Opener),
            NetDue::Again(key, side)
            | NetDue::GiveUp(key, side)
            | NetDue::Probe(key, side)
            | NetDue::KeepAlive(key, side)
            | NetDue::Forget(key, side) => (PointKind::Timer, key, side),
        };
        let net = self.net.borrow();
        let conn = net.conns.get(key)?;
        let node = conn.ends[side as usize].node;
        let happens = match kind {
            // What is lost on its way arrives nowhere.
            PointKind::Segment => net.paths.reaches(conn, side.other()),
            PointKind::Connect
            | PointKind::Accept
            | PointKind::DiskWrite
            | PointKind::DiskSync
            | PointKind::Timer
            | PointKind::BootStep => net.paths.is_up(node),
        };
        happens.then_some(Place { kind, node, conn: Some((key, side)) })
    }

    /// A process has begun to connect, or has taken a connection.
    pub(crate) fn meet_connection(&self, kind: PointKind, node: NodeId, key: ConnKey, side: Side) {
        if self.points.are_on() {
            self.has_booted(node);
            self.meet(Place { kind, node, conn: Some((key, side)) });
        }
    }

    /// A process that listens or connects boots no more.
    pub(crate) fn has_booted(&self, node: NodeId) {
        if self.points.are_on() {
            self.with_node(node, |state| state.boots = false);
        }
    }

    /// A task of this node was polled.
    pub(crate) fn meet_poll(&self, node: NodeId) {
        if node != NodeId::SCRIPT && self.with_node(node, |state| state.boots && !state.fenced) {
            self.meet(Place { kind: PointKind::BootStep, node, conn: None });
        }
    }

    /// A process is about to write, or to sync.
    pub(crate) fn meet_operation(&self, kind: PointKind, node: NodeId) {
        if self.points.are_on() && self.with_node(node, |state| !state.fenced) {
            self.meet(Place { kind, node, conn: None });
        }
    }

    fn meet(&self, place: Place) {
        let (mut point, due) = {
            let mut state = self.points.state.borrow_mut();
            let (ordinal, instant) = state.count(place.kind, self.now.get(), self.tasks.polls());
            let due = state.due(place.kind, ordinal);
            let records = state.recorded.len() < state.record_max;
            let kernels = state.kernels;
            let expires = place.kind == PointKind::Timer && place.conn.is_some();
            state.kernels += u64::from(place.kind == PointKind::Segment || expires);
            if !records && due.is_empty() {
                return;
            }
            let point = self.describe_point(place, ordinal, instant, kernels);
            if records {
                state.recorded.push(point.clone());
            }
            (point, due)
        };
        if due.is_empty() {
            return;
        }
        let target = Target { place, peer: self.peer_at(place) };
        for (number, strike) in due.iter().enumerate() {
            if number > 0 {
                point = self.describe_again(place, point);
            }
            // The same once more does no more.
            if strike.fault.applies(&point) && !due[..number].contains(strike) {
                self.strike(strike.fault, target, &point);
            } else {
                self.points.state.borrow_mut().missed.push(*strike);
            }
        }
    }

    fn peer_at(&self, place: Place) -> Option<NodeId> {
        let (key, side) = place.conn?;
        let net = self.net.borrow();
        let conn = net.conns.get(key).expect("a point's connection is there when it is met");
        Some(conn.ends[side.other() as usize].node)
    }

    /// The point, as an earlier strike at it has left it.
    fn describe_again(&self, place: Place, before: Point) -> Point {
        let mut point = self.describe_point(place, before.ordinal, before.instant, before.kernels);
        // A process that is to fall inside this operation does nothing any more.
        let operates = matches!(place.kind, PointKind::DiskWrite | PointKind::DiskSync);
        point.runs &= !(operates && self.with_node(place.node, |state| state.drive.disk.falls_next()));
        // A connection that both kernels have forgotten was between the same nodes.
        point.link = point.link.or_else(|| before.link.map(|link| Link { open: false, ..link }));
        point
    }

    fn describe_point(&self, place: Place, ordinal: u64, instant: u64, kernels: u64) -> Point {
        let net = self.net.borrow();
        let conn = place.conn.and_then(|(key, _)| net.conns.get(key));
        let link = conn.map(|conn| Link {
            from: net.paths.name(conn.ends[0].node).to_owned(),
            to: net.paths.name(conn.ends[1].node).to_owned(),
            port: conn.port,
            ordinal: conn.ordinal,
            open: is_open(conn),
            head: conn.head.clone(),
        });
        let (node, runs) = self.with_node(place.node, |state| {
            (state.name.to_string(), state.status == Status::Running && !state.fenced)
        });
        let guest = place.node != NodeId::SCRIPT;
        Point { kind: place.kind, ordinal, at: self.elapsed(), node, guest, runs, link, instant, kernels }
    }

    fn strike(&self, fault: PointFault, target: Target, point: &Point) {
        let place = target.place;
        let struck = Struck { fault, point: point.clone(), until: None };
        self.fault(|| struck.to_string());
        let relief = match fault {
            PointFault::Kill => self.fell_there(place, Fall::Kill),
            PointFault::PowerOff => self.fell_there(place, Fall::PowerOff),
            PointFault::Fin => self.cut_there(place, Cut::Fin),
            PointFault::Reset => self.cut_there(place, Cut::Reset),
            PointFault::BlackHole => Some(match target.peer {
                Some(peer) => Relief::Path(place.node, peer),
                None => Relief::Host(place.node, self.nodes.borrow().len() as u16),
            }),
            PointFault::DiskError => {
                self.with_node(place.node, |state| state.drive.disk.fail_operation());
                None
            }
            PointFault::Pause => Some(Relief::Process(place.node)),
        };
        let until = relief.map(|relief| self.begin_relief(relief));
        self.points.state.borrow_mut().struck.push(Struck { until, ..struck });
        let waiting = self.points.waiters.borrow_mut().take_all();
        for waker in waiting {
            waker.wake();
        }
    }

    /// The node falls: at once, or inside what its process is doing.
    fn fell_there(&self, place: Place, how: Fall) -> Option<Relief> {
        match place.kind {
            PointKind::DiskWrite | PointKind::DiskSync => {
                self.with_node(place.node, |state| state.drive.crash_in(0, how, true));
            }
            PointKind::Connect | PointKind::Accept => {
                self.with_node(place.node, |state| {
                    state.fenced = true;
                    state.falls = Some(how);
                });
                self.falling.set(true);
                self.fence_network(place.node);
            }
            PointKind::Segment | PointKind::Timer | PointKind::BootStep => self.fall(place.node, how),
        }
        None
    }

    fn cut_there(&self, place: Place, cut: Cut) -> Option<Relief> {
        let (key, side) = place.conn.expect("a cut applies to a connection");
        let was_open = self.net(|net| net.cut(self, key, cut, side));
        assert!(was_open, "a cut applies to a connection that is open");
        None
    }
}

/// Until more has struck than was heard of.
pub(crate) struct NextStruck<'a> {
    pub(crate) core: &'a Core,
    pub(crate) heard: usize,
    pub(crate) waits: Option<u64>,
}

impl Future for NextStruck<'_> {
    type Output = Struck;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Struck> {
        let Self { core, heard, waits } = &mut *self;
        if let Some(struck) = core.points.state.borrow().struck.get(*heard) {
            return Poll::Ready(struck.clone());
        }
        let old = core.points.waiters.borrow_mut().wait(waits, context.waker());
        drop(old);
        Poll::Pending
    }
}

impl Drop for NextStruck<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.waits {
            let old = self.core.points.waiters.borrow_mut().leave(number);
            drop(old);
        }
    }
}
