//! Points: the places of a run at which a fault can strike, so that one can be tried at every one of them.
//!
//! A run that is asked to record counts every segment that arrives, connect, accept, disk write, sync, timer and boot
//! step, and says of each where it was. A later run of the same seed is told "at the 17th sync: power off"
//! ([`Options::strikes`](crate::Options::strikes)); up to that point it is the same run. A run that is asked neither
//! counts nothing. What is *not* here: which pairs of point and fault are worth a run (a search decides that) and how
//! a felled node comes back (its script does). Next: `fault` for what can strike, `meet` for where points come from, `relief` for
//! strikes that end by themselves.

pub(crate) mod fault;
pub(crate) mod meet;
pub(crate) mod relief;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::points::fault::{PointFault, Strike};
use crate::points::relief::Relief;
use crate::waiters::Waiters;

/// What kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointKind {
    /// A segment is about to arrive at a host: bytes, a word about room, SYN, FIN, RST, or the answer to one.
    Segment,
    /// A process has begun to connect: its SYN is under way.
    Connect,
    /// A process has taken a connection.
    Accept,
    /// A process is about to write to its disk, or to change a file's length.
    DiskWrite,
    /// A process is about to sync.
    DiskSync,
    /// A timer is about to expire: a process's, or its kernel's.
    Timer,
    /// A task of a process that boots, which neither listens nor has begun to connect, has been polled. Where that
    /// ended the process, there is no such point.
    BootStep,
}

impl PointKind {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Segment,
        Self::Connect,
        Self::Accept,
        Self::DiskWrite,
        Self::DiskSync,
        Self::Timer,
        Self::BootStep,
    ];

    /// The name in tables and in strikes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Connect => "connect",
            Self::Accept => "accept",
            Self::DiskWrite => "disk-write",
            Self::DiskSync => "disk-sync",
            Self::Timer => "timer",
            Self::BootStep => "boot-step",
        }
    }
}

impl fmt::Display for PointKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// A text names no kind of point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no point is a {text:?}; there are {}", PointKind::ALL.map(PointKind::name).join(", "))]
pub struct UnknownPoint {
    /// The text.
    pub text: String,
}

impl FromStr for PointKind {
    type Err = UnknownPoint;

    fn from_str(text: &str) -> Result<Self, UnknownPoint> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| UnknownPoint { text: text.to_owned() })
    }
}

/// The connection that a point is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The node that connected.
    pub from: String,
    /// The node that accepts.
    pub to: String,
    /// The port connected to.
    pub port: u16,
    /// The how-manieth connection from `from` to `to` and that port, from zero.
    pub ordinal: u32,
    /// Whether both kernels know it and nothing has cut it.
    pub open: bool,
    /// The first bytes that the opener wrote (at most 256): a request line, say.
    pub head: Vec<u8>,
}

/// A point, as it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// What kind of place.
    pub kind: PointKind,
    /// The how-manieth of that kind, from zero.
    pub ordinal: u64,
    /// Virtual time.
    pub at: Duration,
    /// The node: where the segment arrives, whose process or kernel it is otherwise.
    pub node: String,
    /// Whether the node is one of the script's choosing, not the script's own.
    pub guest: bool,
    /// Whether a process runs on it.
    pub runs: bool,
    /// The connection, if it is on one.
    pub link: Option<Link>,
    /// Points with the same number share an instant: no task was polled between them, no work on a disk begun, and
    /// virtual time stood still.
    pub instant: u64,
    /// How much had happened in kernels, anywhere: segments that arrived, timers of connections that expired.
    pub kernels: u64,
}

impl Point {
    /// What a fault at this point cannot be told from at other points: where it is the same for two points of a run, a
    /// strike at either leads to the same run, but for the order of tasks that are ready. `None`: it is like no other.
    ///
    /// Within one instant nobody has acted, so all that has changed from one point to the next is what kernels did:
    /// segments have come, timers expired, tasks were woken. A process that is paused sees them when it goes on, so its pause
    /// is the same throughout. One that falls never saw a wake, but its kernel answers differently when bytes have
    /// come: its fall is the same as long as nothing but timers of processes expired. So is a path that is blocked. A write or a sync
    /// changes the disk, so a fall at it is like no other; a pause or a blocked path there is the same for all that
    /// one piece of work does with the disk, which speaks to nobody meanwhile. Whatever strikes a connection, or fails
    /// an operation, is like no other.
    #[must_use]
    pub fn likeness(&self, fault: PointFault) -> Option<Likeness> {
        let of = |kernels| Some(Likeness { node: self.node.clone(), fault, instant: self.instant, kernels });
        let disk = match self.kind {
            PointKind::DiskWrite | PointKind::DiskSync => true,
            PointKind::Timer if self.link.is_none() => false,
            PointKind::Timer
            | PointKind::Segment
            | PointKind::Connect
            | PointKind::Accept
            | PointKind::BootStep => {
                return (fault == PointFault::Pause).then(|| of(0)).flatten();
            }
        };
        match fault {
            PointFault::Pause => of(0),
            PointFault::BlackHole => of(self.kernels),
            PointFault::Kill | PointFault::PowerOff if !disk => of(self.kernels),
            PointFault::Kill
            | PointFault::PowerOff
            | PointFault::Fin
            | PointFault::Reset
            | PointFault::DiskError => None,
        }
    }
}

/// Equal for strikes that cannot be told apart: see [`Point::likeness`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likeness {
    node: String,
    fault: PointFault,
    instant: u64,
    kernels: u64,
}

/// A strike that has struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struck {
    /// What strikes.
    pub fault: PointFault,
    /// Where.
    pub point: Point,
    /// When it is over, in virtual time, for a fault that ends by itself.
    pub until: Option<Duration>,
}

impl fmt::Display for Struck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, point: Point { kind, ordinal, node, .. }, .. } = self;
        write!(out, "{fault} at {kind} {ordinal} of {node}")?;
        match &self.point.link {
            Some(Link { from, to, port, ordinal, .. }) => write!(out, " on {from}→{to}:{port}#{ordinal}"),
            None => Ok(()),
        }
    }
}

/// The points of a run.
pub(crate) struct Points {
    /// Somebody asked for them, and they still count.
    on: Cell<bool>,
    pub(crate) state: RefCell<State>,
    pub(crate) waiters: RefCell<Waiters>,
}

/// What was counted, and what is yet to strike.
pub(crate) struct State {
    counts: BTreeMap<PointKind, u64>,
    record_max: usize,
    recorded: Vec<Point>,
    waiting: Vec<Strike>,
    missed: Vec<Strike>,
    struck: Vec<Struck>,
    /// Strikes that end by themselves and have not, with when they do, in nanoseconds of virtual time.
    active: Vec<(u64, Relief)>,
    /// What tells one instant from the next: time, polls, pieces of work on disks.
    marks: (u64, u64, u64),
    instant: u64,
    kernels: u64,
    works: u64,
}

impl Points {
    pub(crate) fn new(record_max: usize, strikes: &[Strike]) -> Self {
        let state = State {
            counts: BTreeMap::new(),
            record_max,
            recorded: Vec::new(),
            waiting: strikes.to_vec(),
            missed: Vec::new(),
            struck: Vec::new(),
            active: Vec::new(),
            marks: (0, 0, 0),
            instant: 0,
            kernels: 0,
            works: 0,
        };
        let on = Cell::new(record_max > 0 || !strikes.is_empty());
        Self { on, state: RefCell::new(state), waiters: RefCell::default() }
    }

    /// Whether points are counted.
    #[inline]
    pub(crate) const fn are_on(&self) -> bool {
        self.on.get()
    }

    /// From here on there are none.
    pub(crate) fn close(&self) {
        self.on.set(false);
    }

    /// A piece of work on a disk begins.
    pub(crate) fn work(&self) {
        if self.are_on() {
            self.state.borrow_mut().works += 1;
        }
    }

    pub(crate) fn recorded(&self) -> Vec<Point> {
        self.state.borrow().recorded.clone()
    }

    pub(crate) fn struck(&self) -> Vec<Struck> {
        self.state.borrow().struck.clone()
    }

    /// The strikes that met no point, or one at which they cannot strike.
    pub(crate) fn missed(&self) -> Vec<Strike> {
        let state = self.state.borrow();
        state.waiting.iter().chain(&state.missed).copied().collect()
    }
}

impl State {
    /// The next point of a kind: its ordinal, and the instant it is in.
    fn count(&mut self, kind: PointKind, now: u64, polls: u64) -> (u64, u64) {
        let count = self.counts.entry(kind).or_default();
        let ordinal = *count;
        *count += 1;
        let marks = (now, polls, self.works);
        if self.marks != marks {
            self.marks = marks;
            self.instant += 1;
        }
        (ordinal, self.instant)
    }

    /// The strikes that are due at this point.
    fn due(&mut self, kind: PointKind, ordinal: u64) -> Vec<Strike> {
        let is_due = |strike: &mut Strike| strike.kind == kind && strike.ordinal == ordinal;
        self.waiting.extract_if(.., is_due).collect()
    }
}
