//! What a run may be told before it begins: seed, overrides, the network's constants, limits, what to keep.
//!
//! Ratios are integers, never floats, so a run is the same on every machine. Next: `run`.

use std::num::NonZeroU64;
use std::ops::Range;
use std::time::Duration;

use crate::clock::DRIFT_MAX;
use crate::decide::Branch;
use crate::disk::DiskOptions;
use crate::overrides::{Overrides, Streams};
use crate::points::fault::Strike;

/// The most orderings that [`Schedule::Pct`] looks for. Ours: a thousand times what a race needs, and still quickly drawn.
pub const PCT_DEPTH_MAX: u32 = 1_000;

/// Which ready task runs next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Any of them: the decision `pick`.
    #[default]
    Random,
    /// The one that has been ready for longest. Finds fewer races; useful to see whether one is.
    Fifo,
    /// The one of the highest priority, which is drawn for each task (stream `pct/NODE/TASK`); at `depth` - 1 of the
    /// first `polls` polls (stream `pct/change`) the one about to run falls behind all others. Finds races that need
    /// `depth` orderings with a probability that can be stated. A change may also fall on no poll: so does a calm one, and
    /// calm priorities are all the same, so a calm run is first in, first out.
    Pct {
        /// Orderings; 1 has priorities only. At most [`PCT_DEPTH_MAX`].
        depth: u32,
        /// About how many polls the run has.
        polls: u64,
    },
}

/// A probability as an integer ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// So many …
    pub num: u32,
    /// … out of so many; above zero.
    pub den: u32,
}

impl Ratio {
    /// Never.
    pub const NEVER: Self = Self { num: 0, den: 1 };
    /// `num` out of `den`.
    ///
    /// # Panics
    /// If `den` is zero.
    #[must_use]
    pub const fn new(num: u32, den: u32) -> Self {
        assert!(den > 0, "a ratio out of nothing");
        Self { num, den }
    }

    pub(crate) fn check(self, what: &str) {
        assert!(self.den > 0, "{what} are {} out of nothing", self.num);
    }
}

/// How long a segment is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Always the same.
    Constant(Duration),
    /// Anything between the two, both included, in whole microseconds.
    Uniform(Duration, Duration),
    /// Mostly as the first, sometimes as the second: a queue that is usually empty.
    Bimodal {
        /// The usual bounds.
        usual: (Duration, Duration),
        /// The rare bounds.
        rare: (Duration, Duration),
        /// How often the rare ones.
        odds: Ratio,
    },
}

impl Latency {
    /// Whether it can be drawn from.
    ///
    /// # Panics
    /// If not.
    pub(crate) fn check(&self) {
        let ordered = |(least, most): (Duration, Duration)| {
            assert!(
                least <= most,
                "a latency between {least:?} and {most:?}: the bounds are the wrong way round"
            );
        };
        match *self {
            Self::Constant(_) => {}
            Self::Uniform(least, most) => ordered((least, most)),
            Self::Bimodal { usual, rare, odds } => {
                ordered(usual);
                ordered(rare);
                odds.check("a latency's odds");
            }
        }
    }
}

/// When lost bytes are sent again after a path has healed, or a host is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// Within this bound (stream `retransmit/…`). It keeps runs short, and explores the moment.
    Within(Duration),
    /// As Linux does: 200 ms after the loss, then after 400 ms more, and so on, up to 120 s (RFC 6298; `TCP_RTO_MIN`,
    /// `TCP_RTO_MAX`); what heals waits for the rest of the back-off.
    BackOff,
}

/// The constants of the network. Defaults are Linux's, where Linux has them.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// One way, between two nodes. Default: uniform, 100 µs to 1 ms (two hosts in one region). Each segment decides
    /// (stream `latency/…`); order within a direction of a connection is kept.
    pub latency: Latency,
    /// One way, inside one node. Default 20 µs: ours, what the kernel and a wake take.
    pub loopback: Duration,
    /// Bytes per second that a path between two nodes takes; more waits in a queue without a bound (effect
    /// [`Queued`](crate::Effect::Queued)). Default `None`: unlimited. A path may have its own:
    /// [`World::set_bandwidth`](crate::World::set_bandwidth).
    pub bandwidth: Option<NonZeroU64>,
    /// Bytes a writer may have unacknowledged in one direction of a connection; beyond it it waits until a third is
    /// free. Default 87,040: what a distribution's Linux first gives a connection over Ethernet (`tcp_sndbuf_expand`: twice
    /// an initial window of 10 segments, each 256 bytes of `sk_buff` and 4,096, the power of two that holds 1,460 bytes,
    /// their headers and the bookkeeping; measured with 6.18: 46,080 where no headers of wireless links are configured,
    /// since 2,048 hold that, and half as much again under BBR). Linux lets it grow to 4 MiB (`tcp_wmem`); here it stays.
    pub send_buffer: u32,
    /// Bytes under way and unread in one direction of a connection, at most. Default 65,536: what Linux first offers of
    /// a default `tcp_rmem` (131,072, half of it for its own use). Linux lets it grow; here it stays. Room shows one
    /// latency after the reader made it.
    pub window: u32,
    /// How often a read or write takes fewer bytes than it could (stream `partial/…`), down to one. Default 1/8:
    /// ours, so that every run meets some.
    pub partial: Ratio,
    /// Connections waiting to be accepted, per listener. Default 1,024 (what tokio asks for). As on Linux one more is
    /// let in; beyond that a SYN is dropped, and the client tries again.
    pub backlog: u32,
    /// How often a SYN is repeated: after 1, 2, 4 … seconds, at most 120. Default 6 (`tcp_syn_retries`): connecting to a host that
    /// is silent times out after 127 s.
    pub syn_retries: u32,
    /// How long a host waits for the last step of a handshake. Default 63 s (`tcp_synack_retries` = 5).
    pub handshake: Duration,
    /// How long sent bytes may stay without acknowledgement before the connection times out. Default 924.6 s (what
    /// Linux documents for `tcp_retries2` = 15).
    pub give_up: Duration,
    /// The same, for what a process wrote before it closed the socket. Default 102.2 s (`tcp_orphan_retries`: eight
    /// repeats).
    pub orphan_give_up: Duration,
    /// When lost bytes are sent again after a path has healed. Default: within 300 ms.
    pub retransmit: Resend,
    /// How long a closed connection waits for the peer's FIN before the kernel forgets it. Default 60 s
    /// (`tcp_fin_timeout`).
    pub fin_timeout: Duration,
    /// How long the port of a connection that its opener closed first is not taken again for the same peer. Default 60 s
    /// (`TCP_TIMEWAIT_LEN`); within a node at most one second (`tcp_tw_reuse`).
    pub time_wait: Duration,
    /// The ports of openers, both ends included. Default 32,768 to 60,999 (`ip_local_port_range`). Where all are taken,
    /// connecting fails with [`AddrNotAvailable`](std::io::ErrorKind::AddrNotAvailable).
    pub ports: (u16, u16),
    /// How long a name takes to resolve. Default 50 µs: ours, an answer from a cache.
    pub resolve: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency: Latency::Uniform(Duration::from_micros(100), Duration::from_millis(1)),
            loopback: Duration::from_micros(20),
            bandwidth: None,
            send_buffer: 87_040,
            window: 65_536,
            partial: Ratio::new(1, 8),
            backlog: 1024,
            syn_retries: 6,
            handshake: Duration::from_secs(63),
            give_up: Duration::from_millis(924_600),
            orphan_give_up: Duration::from_millis(102_200),
            retransmit: Resend::Within(Duration::from_millis(300)),
            fin_timeout: Duration::from_secs(60),
            time_wait: Duration::from_secs(60),
            ports: (32_768, 60_999),
            resolve: Duration::from_micros(50),
        }
    }
}

/// What a run may be told. `Options { seed, ..Options::default() }` is the usual way to make one.
#[derive(Clone, Debug)]
pub struct Options {
    /// From which everything left open is decided.
    pub seed: u64,
    /// What is decided otherwise; those that meet no decision are reported.
    pub overrides: Overrides,
    /// From when on other seeds decide, in the order of time. Default: none.
    pub recipe: Vec<Branch>,
    /// Which ready task runs next.
    pub schedule: Schedule,
    /// The network's constants.
    pub net: Network,
    /// The disks' constants.
    pub disk: DiskOptions,
    /// Wall clocks of nodes differ from the true one by at most this, either way (stream `clock/…`). Default 20 ms:
    /// hosts that run NTP.
    pub clock_spread: Duration,
    /// Clocks of nodes, but for the script's, run fast or slow by at most so many parts per million (stream `clock/…`),
    /// at most [`DRIFT_MAX`]. Default 0: none does; quartz is off by 10 to 100.
    pub clock_drift: u32,
    /// The run fails when virtual time passes this. Default 24 h: ours, as the two limits below; what runs for longer
    /// is stuck.
    pub time_max: Duration,
    /// The run fails after so many events. Default 1,000,000,000.
    pub events_max: u64,
    /// The run fails when so many polls pass without virtual time moving. Default 1,000,000.
    pub polls_max: u64,
    /// Trace lines of this level and above are kept. Default: none.
    pub trace: Option<tracing::Level>,
    /// Trace lines go to standard error as they come, instead of into the report.
    pub trace_to_stderr: bool,
    /// The first so many decisions are kept. Default 0.
    pub record_decisions: usize,
    /// The first so many points, places at which a fault can strike, are kept. Default 0.
    pub record_points: usize,
    /// Faults that strike at points; those that cannot are reported. Default: none.
    pub strikes: Vec<Strike>,
    /// The decisions of these streams are kept, and (always) those that a pin moved: at most 65,536. Default: none.
    pub record_streams: Vec<Streams>,
    /// All streams are named in the report, with how often each was asked. Default: no.
    pub name_streams: bool,
    /// Events with these ordinals are kept, to be named (at most 2^20). Default: none.
    pub keep_events: Range<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            overrides: Overrides::new(),
            recipe: Vec::new(),
            schedule: Schedule::default(),
            net: Network::default(),
            disk: DiskOptions::default(),
            clock_spread: Duration::from_millis(20),
            clock_drift: 0,
            time_max: Duration::from_hours(24),
            events_max: 1_000_000_000,
            polls_max: 1_000_000,
            trace: None,
            trace_to_stderr: false,
            record_decisions: 0,
            record_points: 0,
            strikes: Vec::new(),
            record_streams: Vec::new(),
            name_streams: false,
            keep_events: 0..0,
        }
    }
}

impl Options {
    /// The defaults, with a seed.
    #[must_use]
    pub fn seed(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Whether a run can be made with them.
    ///
    /// # Panics
    /// If not, with the reason.
    pub(crate) fn check(&self) {
        if let Schedule::Pct { depth, polls: _ } = self.schedule {
            assert!(depth <= PCT_DEPTH_MAX, "a schedule of {depth} orderings: the limit is {PCT_DEPTH_MAX}");
        }
        assert!(self.recipe.is_sorted_by_key(|branch| branch.at), "a recipe's branches are out of order");
        self.net.latency.check();
        self.net.partial.check("the odds of a partial read or write");
        assert!(self.net.window > 0, "nothing passes a window of no bytes");
        assert!(self.net.send_buffer > 0, "nothing passes a send buffer of no bytes");
        let (first, last) = self.net.ports;
        assert!(
            0 < first && first <= last,
            "ports from {first} to {last}: the bounds are the wrong way round"
        );
        assert!(
            self.clock_drift <= DRIFT_MAX,
            "a drift of {} parts per million: the limit is {DRIFT_MAX}",
            self.clock_drift
        );
        let (least, most) = self.disk.sync;
        assert!(
            least <= most,
            "a sync takes between {least:?} and {most:?}: the bounds are the wrong way round"
        );
    }

    /// The world's name, as panics give it.
    pub(crate) fn name(&self) -> String {
        format!("seed {}", self.seed)
    }
}
