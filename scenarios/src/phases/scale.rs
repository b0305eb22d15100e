//! How much happens in a run: as much as a search over seeds wants of each, or as little as one of twenty thousand runs
//! can afford.

use std::time::Duration;

use sim::Ratio;

use crate::stack::client::Load;

/// How much happens in a run.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The counters.
    pub keys: &'static [&'static str],
    /// Clients of the load.
    pub clients: u32,
    /// How they load the stack.
    pub load: Load,
    /// How long the safety phase lasts at least.
    pub safety: Duration,
    /// Operations of each client that somebody must have taken, and half as many that were acknowledged, before the
    /// load ends.
    pub operations_min: u32,
    /// Whether the floors of every run hold for it: those of [`super::shortfall`], and those of a batch.
    pub floor: bool,
}

impl Scale {
    /// Two clients, two counters, a minute in which anything may break. At this pace most of 50 operations fall into
    /// that minute.
    pub const FULL: Self = Self {
        keys: &["a", "b"],
        clients: 2,
        load: Load {
            operations: u32::MAX,
            pause_min: Duration::from_millis(100),
            pause_max: Duration::from_millis(2500),
            increments: Ratio::new(1, 2),
        },
        safety: Duration::from_secs(60),
        operations_min: 50,
        floor: true,
    };

    /// One client, one counter, and no longer than its play takes: for plays that are run once per point and fault,
    /// where the number of runs, not the length of one, makes the search thorough.
    pub const SMALL: Self = Self {
        keys: &["a"],
        clients: 1,
        load: Load {
            operations: u32::MAX,
            pause_min: Duration::from_millis(200),
            pause_max: Duration::from_millis(600),
            increments: Ratio::new(1, 2),
        },
        safety: Duration::ZERO,
        operations_min: 4,
        floor: false,
    };
}
