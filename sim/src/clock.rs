//! Clocks of nodes: monotonic and wall, both counted by one oscillator, which runs as virtual time does until somebody
//! lets it drift or stand still; the wall clock can be stepped besides. Timers are set by these clocks, and can be late.
//!
//! What a library asks of the operating system by itself (`std::time::Instant`) is the host's clock, the same for all
//! nodes: it neither drifts nor stands still. Next: `timers`.

mod timers;

use std::time::Duration;

use runtime::{Instant, Wall};

use crate::core::Core;
use crate::effects::Effect;
use crate::node::NodeId;

use timers::Late;

/// The wall clock when a run begins: 2026-01-01T00:00:00Z.
pub const WALL_BASE: Duration = Duration::from_secs(1_767_225_600);

/// A drift is told in parts of this.
const MILLION: u64 = 1_000_000;

/// The largest drift, either way: half or one and a half times as fast. Ours; quartz is off by 100 at most, and Linux
/// corrects up to 500 (`MAXFREQ`).
pub const DRIFT_MAX: u32 = 500_000;

/// How far a node's clocks are from virtual time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeClock {
    /// Added to the oscillator's time, in nanoseconds: uptime differs between hosts.
    uptime: u64,
    /// Added to the wall time by the oscillator, in milliseconds.
    wall_offset: i64,
    /// How far its oscillator was ahead of virtual time at `from`, in nanoseconds.
    lead: i64,
    /// When its rate was last set.
    from: u64,
    /// How fast it runs: off by so many parts per million.
    ppm: i64,
    frozen: bool,
    /// What nobody has felt of it yet, and whoever looks will.
    unfelt: Option<Effect>,
    /// The wall clock was stepped, and nobody has looked at it since.
    stepped: bool,
    late: Option<Late>,
}

impl NodeClock {
    /// One that runs as virtual time does.
    const fn steady(uptime: u64, wall_offset: i64) -> Self {
        Self {
            uptime,
            wall_offset,
            lead: 0,
            from: 0,
            ppm: 0,
            frozen: false,
            unfelt: None,
            stepped: false,
            late: None,
        }
    }

    #[inline]
    const fn is_steady(&self) -> bool {
        self.ppm == 0 && !self.frozen
    }

    const fn rate(&self) -> u64 {
        if self.frozen { 0 } else { MILLION.saturating_add_signed(self.ppm) }
    }

    /// What the oscillator has counted at `now`, in nanoseconds since the run began.
    #[inline]
    fn counted(&self, now: u64) -> u64 {
        if self.is_steady() {
            return now.saturating_add_signed(self.lead);
        }
        let span = u128::from(now - self.from) * u128::from(self.rate()) / u128::from(MILLION);
        self.from.saturating_add_signed(self.lead).saturating_add(clamp(span))
    }

    /// The first moment of virtual time at which it has counted `target`: never earlier.
    #[inline]
    fn reaches(&self, target: u64) -> u64 {
        if self.is_steady() {
            return target.saturating_add_signed(-self.lead);
        }
        match (target.saturating_sub(self.from.saturating_add_signed(self.lead)), self.rate()) {
            (0, _) => self.from,
            (_, 0) => u64::MAX,
            (span, rate) => {
                let span = (u128::from(span) * u128::from(MILLION)).div_ceil(u128::from(rate));
                self.from.saturating_add(clamp(span))
            }
        }
    }

    /// Its rate is another from `now` on.
    fn set_rate(&mut self, now: u64, ppm: i64, frozen: bool) {
        let counted = self.counted(now);
        self.lead =
            i64::try_from(i128::from(counted) - i128::from(now)).expect("a run is shorter than 292 years");
        (self.from, self.ppm, self.frozen) = (now, ppm, frozen);
        self.unfelt = match (frozen, ppm) {
            (true, _) => Some(Effect::ClockFreeze),
            (false, 0) => None,
            (false, _) => Some(Effect::ClockDrift),
        };
    }

    /// What is felt by who reads it at `now`.
    fn feel(&mut self, now: u64) -> Option<Effect> {
        let steady = now.saturating_add_signed(self.lead);
        if self.counted(now) == steady { None } else { self.unfelt.take() }
    }
}

fn clamp(nanos: u128) -> u64 {
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

impl Core {
    /// A node's monotonic clock.
    #[inline]
    pub(crate) fn mono(&self, node: NodeId) -> Instant {
        let (at, unfelt) = {
            let clock = &self.nodes.borrow()[node.index()].clock;
            (clock.counted(self.now.get()) + clock.uptime, clock.unfelt.is_some())
        };
        if unfelt {
            self.feel_clock(node);
        }
        Instant::from_nanos(at)
    }

    /// A node's wall clock.
    pub(crate) fn wall(&self, node: NodeId) -> Wall {
        let (counted, offset, stepped) = self.with_node(node, |state| {
            let clock = &mut state.clock;
            (clock.counted(self.now.get()), clock.wall_offset, std::mem::take(&mut clock.stepped))
        });
        if stepped {
            self.felt(Effect::ClockStep);
        }
        self.feel_clock(node);
        let millis = (WALL_BASE + Duration::from_nanos(counted)).as_millis() as u64;
        Wall(millis.saturating_add_signed(offset))
    }

    #[cold]
    fn feel_clock(&self, node: NodeId) {
        let felt = self.with_node(node, |state| state.clock.feel(self.now.get()));
        if let Some(effect) = felt {
            self.felt(effect);
        }
    }

    /// Clocks for a new node: its uptime up to 1,000 s, its wall clock within the spread, its drift within the other,
    /// unless it is the script's.
    pub(crate) fn set_clock(&self, name: &str, node: NodeId) -> NodeClock {
        let stream = self.stream(&format!("clock/{name}"));
        let uptime = self.draw(stream, 1_000_000) * 1_000_000;
        let spread = self.options.clock_spread.as_millis() as i64;
        let wall_offset = self.draw_or(stream, 2 * spread as u64 + 1, spread as u64) as i64 - spread;
        let mut clock = NodeClock::steady(uptime, wall_offset);
        let drift = self.options.clock_drift;
        if drift > 0 && node != NodeId::SCRIPT {
            let drift = i64::from(drift);
            let ppm = self.draw_or(stream, 2 * drift as u64 + 1, drift as u64) as i64 - drift;
            // It came up in step with the others, and has drifted since the run began.
            clock.set_rate(0, ppm, false);
        }
        clock
    }

    /// Steps a node's wall clock.
    pub(crate) fn step_wall(&self, node: NodeId, milliseconds: i64) {
        self.with_node(node, |state| {
            state.clock.wall_offset = state.clock.wall_offset.saturating_add(milliseconds);
            state.clock.stepped |= milliseconds != 0;
        });
    }

    /// Lets a node's clocks run at another rate from here on.
    pub(crate) fn drift_clocks(&self, node: NodeId, ppm: i64) {
        self.set_rate(node, |clock| (ppm, clock.frozen));
    }

    /// Stops a node's clocks, or lets them go on from where they stand.
    pub(crate) fn freeze_clocks(&self, node: NodeId, frozen: bool) {
        self.set_rate(node, |clock| (clock.ppm, frozen));
    }

    fn set_rate(&self, node: NodeId, rate: impl FnOnce(&NodeClock) -> (i64, bool)) {
        let now = self.now.get();
        self.with_node(node, |state| {
            let (ppm, frozen) = rate(&state.clock);
            state.clock.set_rate(now, ppm, frozen);
        });
        self.wake_timers(node);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever was done to it, it never goes back, and a deadline is met at the first moment it shows, not before.
        #[test]
        fn a_clock_goes_on_and_meets_deadlines_exactly(
            rates in prop::collection::vec((1u64..1_000_000_000_000, -500_000i64..=500_000, any::<bool>()), 0..8),
            ahead in 0u64..10_000_000_000_000,
        ) {
            let (mut clock, mut now) = (NodeClock::steady(0, 0), 0);
            for (after, ppm, frozen) in rates {
                let before = clock.counted(now);
                now += after;
                prop_assert!(clock.counted(now) >= before);
                let shown = clock.counted(now);
                clock.set_rate(now, ppm, frozen);
                prop_assert_eq!(clock.counted(now), shown, "a change of rate is not a step");
            }
            let deadline = clock.counted(now) + ahead;
            let at = clock.reaches(deadline);
            if clock.rate() == 0 && ahead > 0 {
                prop_assert_eq!(at, u64::MAX);
            } else {
                prop_assert!(clock.counted(at.max(now)) >= deadline);
                prop_assert!(at <= now || clock.counted(at - 1) < deadline);
            }
        }
    }

    #[test]
    fn a_drift_is_told_in_parts_per_million() {
        let (mut fast, hour) = (NodeClock::steady(0, 0), 3_600_000_000_000);
        fast.set_rate(hour, 100, false);
        assert_eq!(fast.counted(2 * hour), 2 * hour + 360_000_000);
        fast.set_rate(2 * hour, 0, false);
        assert_eq!(fast.counted(3 * hour), 3 * hour + 360_000_000, "it keeps what it is ahead");
    }
}
