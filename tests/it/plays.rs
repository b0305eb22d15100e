//! Every play over a few fixed seeds. `REHEARSAL_SEED=17` runs another one, `REHEARSAL_SEEDS=1000` so many more; a
//! failing one prints the line that replays it.

use model::Law;
use scenarios::ledger::Ledger;
use scenarios::phases::{self, Staged};
use scenarios::plays::alarms::Alarms;
use scenarios::plays::config_retry::ConfigRetry;
use scenarios::plays::destroy_races::DestroyRaces;
use scenarios::plays::disk_faults::DiskFaults;
use scenarios::plays::duplicate_runner::DuplicateRunner;
use scenarios::plays::engine_restart::EngineRestart;
use scenarios::plays::pool_errors::PoolErrors;
use scenarios::plays::restart_race::RestartRace;
use scenarios::plays::runner_lost::RunnerLost;
use scenarios::plays::smoke::Smoke;
use scenarios::plays::sse_drop::SseDrop;
use scenarios::plays::version_drain::VersionDrain;
use sim::{Options, World};

/// What is at rest without load is counted before a run begins: runs do not nest.
fn options() -> Options {
    phases::unloaded();
    Options::default()
}

async fn holds(world: World, plot: &dyn Staged) {
    let evidence = phases::play(&Ledger::new(&world), plot, phases::unloaded()).await;
    let verdict = model::judge(&evidence);
    assert!(verdict.broken.is_empty(), "{:#?}", verdict.broken);
    let demanded = |law: &Law| law.is_general() || plot.laws().contains(law);
    let demanded: Vec<_> = Law::ALL.iter().filter(|law| demanded(law)).map(|law| law.name()).collect();
    let unjudged: Vec<_> = verdict.unjudged.iter().filter(|law| demanded.contains(law)).collect();
    assert!(unjudged.is_empty(), "nothing was shown to {unjudged:?}");
    assert_eq!(phases::shortfall(&evidence), None);
}

#[sim::test(seeds = 0..8, options = options())]
async fn every_law_holds_while_nothing_breaks(world: World) {
    holds(world, &Smoke).await;
}

#[sim::test(seeds = 0..16, options = options())]
async fn every_law_holds_while_the_engine_falls_and_comes_back(world: World) {
    holds(world, &EngineRestart).await;
}

#[sim::test(seeds = 0..16, options = options())]
async fn every_law_holds_while_streams_and_sockets_are_cut(world: World) {
    holds(world, &SseDrop).await;
}

#[sim::test(seeds = 0..16, options = options())]
async fn every_law_holds_while_the_pool_cannot_be_configured(world: World) {
    holds(world, &ConfigRetry).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_the_engine_restarts_under_warm_actors(world: World) {
    holds(world, &RestartRace).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_newer_versions_come(world: World) {
    holds(world, &VersionDrain).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_the_endpoint_of_a_pool_fails(world: World) {
    holds(world, &PoolErrors).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_workers_are_lost(world: World) {
    holds(world, &RunnerLost).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_two_processes_have_one_identity(world: World) {
    holds(world, &DuplicateRunner).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_alarms_come_due(world: World) {
    holds(world, &Alarms).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_actors_are_destroyed(world: World) {
    holds(world, &DestroyRaces).await;
}

#[sim::test(seeds = 0..6, options = options())]
async fn every_law_holds_while_the_disk_fails(world: World) {
    holds(world, &DiskFaults).await;
}
