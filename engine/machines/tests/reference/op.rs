//! What may happen.

use proptest::prelude::*;
use protocol::api::CrashPolicy;

/// How many keys there are, and runners.
pub(crate) const KEYS: usize = 3;
pub(crate) const RUNNERS: usize = 2;

/// One step. Actors are meant by the key they have or had last.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create {
        key: usize,
        policy: CrashPolicy,
    },
    GetOrCreate {
        key: usize,
        policy: CrashPolicy,
    },
    Delete {
        key: usize,
    },
    Sleep {
        key: usize,
    },
    Watch {
        key: usize,
    },
    Unwatch {
        key: usize,
    },
    /// The pool is configured otherwise. Runners that connect by themselves host all the same.
    Configure {
        config: Configured,
    },
    Connect {
        runner: usize,
        slots: u32,
    },
    Disconnect {
        runner: usize,
    },
    Drain {
        runner: usize,
    },
    Running {
        key: usize,
    },
    WantsSleep {
        key: usize,
    },
    WantsEnd {
        key: usize,
    },
    SetsAlarm {
        key: usize,
        ms: Option<u64>,
    },
    Stops {
        key: usize,
        crashed: bool,
    },
    Pass {
        ms: u64,
    },
    /// The engine falls, and is back after so long.
    Restart {
        away: u64,
    },
}

/// How the pool is configured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Configured {
    Normal,
    /// With an endpoint that never answers.
    Serverless,
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let (k, r) = (0..KEYS, 0..RUNNERS);
    let policy =
        prop_oneof![Just(CrashPolicy::Sleep), Just(CrashPolicy::Restart), Just(CrashPolicy::Destroy)];
    let made = (k.clone(), policy);
    prop_oneof![
        4 => made.clone().prop_map(|(key, policy)| Op::Create { key, policy }),
        2 => made.prop_map(|(key, policy)| Op::GetOrCreate { key, policy }),
        1 => k.clone().prop_map(|key| Op::Delete { key }),
        1 => k.clone().prop_map(|key| Op::Sleep { key }),
        2 => k.clone().prop_map(|key| Op::Watch { key }),
        1 => k.clone().prop_map(|key| Op::Unwatch { key }),
        1 => prop_oneof![Just(Configured::Normal), Just(Configured::Serverless)]
            .prop_map(|config| Op::Configure { config }),
        4 => (r.clone(), 0..3_u32).prop_map(|(runner, slots)| Op::Connect { runner, slots }),
        1 => r.clone().prop_map(|runner| Op::Disconnect { runner }),
        1 => r.prop_map(|runner| Op::Drain { runner }),
        4 => k.clone().prop_map(|key| Op::Running { key }),
        3 => k.clone().prop_map(|key| Op::WantsSleep { key }),
        1 => k.clone().prop_map(|key| Op::WantsEnd { key }),
        2 => (k.clone(), prop::option::weighted(0.8, 0..9_000_u64))
            .prop_map(|(key, ms)| Op::SetsAlarm { key, ms }),
        6 => (k, any::<bool>()).prop_map(|(key, crashed)| Op::Stops { key, crashed }),
        4 => prop_oneof![0..500_u64, 1_000..8_000_u64, 10_000..40_000_u64].prop_map(|ms| Op::Pass { ms }),
        1 => (0..9_000_u64).prop_map(|away| Op::Restart { away }),
    ]
}
