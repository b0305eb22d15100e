//! The plays: each a way to open, trouble and heal the stack. The list is what `explore` searches.

pub mod config_retry;
pub mod engine_restart;
pub mod point_restart;
pub mod smoke;
pub mod sse_drop;

use std::collections::BTreeMap;

use model::evidence::Evidence;
use model::fault::Family;
use sim::{Point, PointFault, Sim, Streams};

use crate::ledger::Ledger;
use crate::phases::{self, Plot};
use crate::play::{Performance, Play, RunOptions, RunReport};
use crate::world::{World, WorldKind};

use config_retry::ConfigRetry;
use engine_restart::EngineRestart;
use point_restart::PointRestart;
use smoke::Smoke;
use sse_drop::SseDrop;

/// A plot with its name, as a play.
struct Named<P> {
    name: &'static str,
    about: &'static str,
    /// The streams that decide its faults.
    faults: &'static [&'static str],
    plot: P,
}

/// Every play, in the order in which tables list them.
#[must_use]
pub const fn plays() -> &'static [&'static dyn Play] {
    &[&SMOKE, &ENGINE_RESTART, &SSE_DROP, &CONFIG_RETRY, &POINT_RESTART]
}

const SMOKE: Named<Smoke> =
    Named { name: "smoke", about: "nothing breaks, everything is answered", faults: &[], plot: Smoke };

const ENGINE_RESTART: Named<EngineRestart> = Named {
    name: "engine_restart",
    about: "the engine is killed or loses power, also inside a commit, and comes back",
    faults: &["fall/"],
    plot: EngineRestart,
};

const SSE_DROP: Named<SseDrop> = Named {
    name: "sse_drop",
    about: "streams and sockets are cut; instances are killed, paused, parted, and dawdle",
    faults: &["blow/"],
    plot: SseDrop,
};

const CONFIG_RETRY: Named<ConfigRetry> = Named {
    name: "config_retry",
    about: "the pool is configured, and again, while the engine is down, slow or failing",
    faults: &["trouble/"],
    plot: ConfigRetry,
};

const POINT_RESTART: Named<PointRestart> = Named {
    name: "point_restart",
    about: "one client, one restart of the engine, and nothing else: for one fault at every point",
    faults: &[],
    plot: PointRestart,
};

impl<P: Plot + Copy + Send + Sync + 'static> Play for Named<P> {
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

impl<P: Plot + Copy + Send + Sync + 'static> Named<P> {
    fn in_sim(&self, seed: u64, options: &RunOptions) -> RunReport {
        let (plot, swarm, unloaded) = (self.plot, options.swarm, phases::unloaded());
        let script = async move |world| script(World::from(&world), plot, swarm, unloaded).await.0;
        Sim::new(options.sim(seed)).run(script).into()
    }

    #[cfg(madsim)]
    fn on_madsim(&self, seed: u64, options: &RunOptions) -> RunReport {
        use crate::play::second;

        let (plot, swarm, unloaded) = (self.plot, options.swarm, phases::unloaded_in(WorldKind::Madsim));
        let report = second::of(seed).report(async move |world: sim::second::World| {
            let (performance, evidence) = script(World::from(&world), plot, swarm, unloaded).await;
            (performance, second::lines(&evidence))
        });
        second::report(seed, &options.keep_events, report)
    }

    #[cfg(not(madsim))]
    fn on_madsim(&self, _: u64, _: &RunOptions) -> RunReport {
        panic!("this build has lost --cfg madsim, and madsim with it")
    }
}

/// A run, as both worlds tell it.
async fn script(
    world: World,
    plot: impl Plot + Copy,
    swarm: bool,
    unloaded: BTreeMap<String, u64>,
) -> (Performance, Evidence) {
    protocol::mark::reset();
    let ledger = if swarm { Ledger::swarm(world) } else { Ledger::new(world) };
    let evidence = phases::play(&ledger, plot, unloaded).await;
    (performance(&ledger, &evidence, &plot), evidence)
}

fn performance(ledger: &Ledger, evidence: &Evidence, plot: &impl Plot) -> Performance {
    let mut verdict = model::judge(evidence);
    // A run from which overrides took faults or load away holds less, and is asked for no more.
    if plot.scale().floor && ledger.world().waived() == 0 {
        verdict.broken.extend(phases::shortfall(evidence));
    }
    for broken in &verdict.broken {
        ledger.world().note(format!("broken: {broken}"));
    }
    Performance {
        unjudged: verdict.unjudged.clone(),
        outcome: verdict.into_result(),
        operations: phases::operations(evidence),
        acknowledged: evidence.history.acknowledged(),
        failed: evidence.history.failed(),
        commits: ledger.commits(),
        faults: ledger.sufferings().iter().map(|(family, count)| (family.name(), *count)).collect(),
        drawn: ledger.drawn(plot.families()),
        marks: protocol::mark::hits(),
    }
}
