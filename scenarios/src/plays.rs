//! The plays: each a way to open, trouble and heal the stack. The list is what `explore` searches.

pub mod alarms;
mod beside;
pub mod config_retry;
mod crew;
pub mod destroy_races;
pub mod disk_faults;
pub mod duplicate_runner;
pub mod engine_restart;
pub mod point_restart;
pub mod points;
pub mod pool_errors;
pub mod restart_race;
mod rounds;
pub mod runner_lost;
pub mod smoke;
pub mod sse_drop;
pub mod version_drain;
mod watch;

use std::collections::BTreeMap;

use model::Law;
use model::evidence::Evidence;
use model::fault::Family;
use sim::{Point, PointFault, Sim, Streams};

use crate::ledger::Ledger;
use crate::phases::{self, Staged};
use crate::play::{Performance, Play, RunOptions, RunReport};
use crate::world::{World, WorldKind};

use alarms::Alarms;
use config_retry::ConfigRetry;
use destroy_races::DestroyRaces;
use disk_faults::DiskFaults;
use duplicate_runner::DuplicateRunner;
use engine_restart::EngineRestart;
use point_restart::PointRestart;
use points::Small;
use pool_errors::PoolErrors;
use restart_race::RestartRace;
use runner_lost::RunnerLost;
use smoke::Smoke;
use sse_drop::SseDrop;
use version_drain::VersionDrain;

/// A plot with its name, as a play.
struct Named {
    name: &'static str,
    about: &'static str,
    /// The streams that decide its faults.
    faults: &'static [&'static str],
    plot: &'static dyn Staged,
}

/// Every play, in the order in which tables list them.
#[must_use]
pub fn plays() -> &'static [&'static dyn Play] {
    PLAYS
}

/// Not a constant: whoever names one compiles all plays anew.
static PLAYS: &[&dyn Play] = &[
    &SMOKE,
    &ENGINE_RESTART,
    &SSE_DROP,
    &CONFIG_RETRY,
    &RESTART_RACE,
    &VERSION_DRAIN,
    &POOL_ERRORS,
    &RUNNER_LOST,
    &DUPLICATE_RUNNER,
    &ALARMS,
    &DESTROY_RACES,
    &DISK_FAULTS,
    &POINT_RESTART,
    &POINT_RACE,
    &POINT_VERSION,
    &POINT_SPOIL,
    &POINT_LOSS,
    &POINT_TWIN,
    &POINT_ALARM,
    &POINT_DESTROY,
    &POINT_DISK,
];

static SMOKE: Named =
    Named { name: "smoke", about: "nothing breaks, everything is answered", faults: &[], plot: &Smoke };

static ENGINE_RESTART: Named = Named {
    name: "engine_restart",
    about: "the engine is killed or loses power, also inside a commit, and comes back",
    faults: &["fall/"],
    plot: &EngineRestart,
};

static SSE_DROP: Named = Named {
    name: "sse_drop",
    about: "streams and sockets are cut; instances are killed, paused, parted, and dawdle",
    faults: &["blow/"],
    plot: &SseDrop,
};

static CONFIG_RETRY: Named = Named {
    name: "config_retry",
    about: "the pool is configured, and again, while the engine is down, slow or failing",
    faults: &["trouble/"],
    plot: &ConfigRetry,
};

static RESTART_RACE: Named = Named {
    name: "restart_race",
    about: "the engine restarts while serverless and normal actors are warm, and streams or sockets are cut",
    faults: &["restart/"],
    plot: &RestartRace,
};

static ALARMS: Named = Named {
    name: "alarms",
    about: "alarms are set, replaced, cleared, past and overdue while the engine falls and sockets are cut",
    faults: &["alarm/"],
    plot: &Alarms,
};

static DESTROY_RACES: Named = Named {
    name: "destroy_races",
    about: "actors of one key are made, found, asked and destroyed at once while workers and the engine fall",
    faults: &["destroy/"],
    plot: &DestroyRaces,
};

static DISK_FAULTS: Named = Named {
    name: "disk_faults",
    about: "the engine's disk refuses, is full, is slow or tears what it was writing, and heals",
    faults: &["disk/"],
    plot: &DiskFaults,
};

static DUPLICATE_RUNNER: Named = Named {
    name: "duplicate_runner",
    about: "two processes with one identity evict each other, and one survives",
    faults: &["twin/"],
    plot: &DuplicateRunner,
};

static POOL_ERRORS: Named = Named {
    name: "pool_errors",
    about: "a pool's endpoint spoils starts in every way, and nobody beside it notices",
    faults: &["spoil/"],
    plot: &PoolErrors,
};

static RUNNER_LOST: Named = Named {
    name: "runner_lost",
    about: "workers are killed, frozen and parted, and their actors move in time",
    faults: &["loss/"],
    plot: &RunnerLost,
};

static VERSION_DRAIN: Named = Named {
    name: "version_drain",
    about: "newer versions come, of which some fall over, and take over unnoticed",
    faults: &["deploy/"],
    plot: &VersionDrain,
};

static POINT_RESTART: Named = Named {
    name: "point_restart",
    about: "one client, one restart of the engine, and nothing else: for one fault at every point",
    faults: &[],
    plot: &PointRestart,
};

static POINT_RACE: Named = Named {
    name: "point_race",
    about: "one engine restart under a serverless and a normal actor: for one fault at every point",
    faults: &[],
    plot: &Small(points::Race),
};

static POINT_VERSION: Named = Named {
    name: "point_version",
    about: "one newer worker takes over: for one fault at every point",
    faults: &[],
    plot: &Small(points::Version),
};

static POINT_SPOIL: Named = Named {
    name: "point_spoil",
    about: "one start of a runner is refused: for one fault at every point",
    faults: &[],
    plot: &Small(points::Spoil),
};

static POINT_LOSS: Named = Named {
    name: "point_loss",
    about: "one of two workers is killed: for one fault at every point",
    faults: &[],
    plot: &Small(points::Loss),
};

static POINT_TWIN: Named = Named {
    name: "point_twin",
    about: "one process takes an identity over: for one fault at every point",
    faults: &[],
    plot: &Small(points::Twin),
};

static POINT_ALARM: Named = Named {
    name: "point_alarm",
    about: "one alarm wakes a sleeping actor: for one fault at every point",
    faults: &[],
    plot: &Small(points::Alarm),
};

static POINT_DESTROY: Named = Named {
    name: "point_destroy",
    about: "one key is destroyed and used again: for one fault at every point",
    faults: &[],
    plot: &Small(points::Destroy),
};

static POINT_DISK: Named = Named {
    name: "point_disk",
    about: "the disk fails once and heals: for one fault at every point",
    faults: &[],
    plot: &Small(points::Disk),
};

impl Play for Named {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn families(&self, world: WorldKind) -> Vec<&'static str> {
        let offered = |family: &&Family| world.offers(**family).is_ok();
        self.plot.families().iter().filter(offered).map(|family| family.name()).collect()
    }

    fn skipped(&self, world: WorldKind) -> Vec<(&'static str, &'static str)> {
        let families = self.plot.families().iter();
        families.filter_map(|family| Some((family.name(), world.offers(*family).err()?))).collect()
    }

    fn is_small(&self) -> bool {
        !self.plot.scale().floor
    }

    fn times_recovery(&self) -> bool {
        self.plot.times_recovery()
    }

    fn may_strike(&self, point: &Point, fault: PointFault) -> bool {
        self.plot.may_strike(point, fault)
    }

    fn fault_streams(&self) -> Vec<Streams> {
        self.faults.iter().map(|begin| Streams::beginning(*begin)).collect()
    }

    fn run(&self, seed: u64, options: &RunOptions) -> RunReport {
        match options.world {
            WorldKind::Sim => self.in_sim(seed, options),
            WorldKind::Madsim => self.on_madsim(seed, options),
        }
    }
}

impl Named {
    fn told(&self, options: &RunOptions) -> Instructions {
        Instructions { plot: self.plot, swarm: options.swarm, struck: !options.strikes.is_empty() }
    }

    fn in_sim(&self, seed: u64, options: &RunOptions) -> RunReport {
        let (told, unloaded) = (self.told(options), phases::unloaded());
        let script = async move |world| script(World::from(&world), told, unloaded).await.0;
        Sim::new(options.sim(seed)).run(script).into()
    }

    #[cfg(madsim)]
    fn on_madsim(&self, seed: u64, options: &RunOptions) -> RunReport {
        use crate::play::second;

        let (told, unloaded) = (self.told(options), phases::unloaded_in(WorldKind::Madsim));
        let report = second::of(seed).report(async move |world: sim::second::World| {
            let (performance, evidence) = script(World::from(&world), told, unloaded).await;
            (performance, second::lines(&evidence))
        });
        second::report(seed, &options.keep_events, report)
    }

    #[cfg(not(madsim))]
    fn on_madsim(&self, _: u64, _: &RunOptions) -> RunReport {
        panic!("this build has lost --cfg madsim, and madsim with it")
    }
}

/// What a run's script is told.
#[derive(Clone, Copy)]
struct Instructions {
    plot: &'static dyn Staged,
    /// It leaves families out.
    swarm: bool,
    /// Faults strike at points.
    struck: bool,
}

/// A run, as both worlds tell it.
async fn script(
    world: World,
    told: Instructions,
    unloaded: BTreeMap<String, u64>,
) -> (Performance, Evidence) {
    protocol::mark::reset();
    let ledger = if told.swarm { Ledger::swarm(world) } else { Ledger::new(world) };
    let evidence = phases::play(&ledger, told.plot, unloaded).await;
    (performance(&ledger, &evidence, told), evidence)
}

/// Whether such a run must show what that law reads. A strike at a point can take away what the play itself is about, and
/// with it what only that shows.
fn shows(Instructions { plot, struck, .. }: Instructions, name: &str) -> bool {
    let law = Law::ALL.into_iter().find(|law| law.name() == name);
    law.is_none_or(|law| {
        (law.is_general() && !plot.leaves_out().contains(&law)) || (!struck && plot.laws().contains(&law))
    })
}

fn performance(ledger: &Ledger, evidence: &Evidence, told: Instructions) -> Performance {
    let plot = told.plot;
    let mut verdict = model::judge(evidence);
    // A run from which overrides took faults or load away holds less, and is asked for no more.
    if plot.scale().floor && ledger.world().waived() == 0 {
        verdict.broken.extend(phases::shortfall(evidence));
    }
    for broken in &verdict.broken {
        ledger.world().note(format!("broken: {broken}"));
    }
    Performance {
        unjudged: verdict.unjudged.iter().copied().filter(|law| shows(told, law)).collect(),
        outcome: verdict.into_result(),
        operations: phases::operations(evidence),
        acknowledged: evidence.history.acknowledged(),
        failed: evidence.history.failed(),
        commits: ledger.commits(),
        faults: ledger.sufferings().iter().map(|(family, count)| (family.name(), *count)).collect(),
        drawn: ledger.drawn(plot.families()),
        recoveries: ledger.recoveries(),
        marks: protocol::mark::hits(),
    }
}
