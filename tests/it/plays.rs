//! Every play over a few fixed seeds. `REHEARSAL_SEED=17` runs another one, `REHEARSAL_SEEDS=1000` so many more; a
//! failing one prints the line that replays it.

use scenarios::ledger::Ledger;
use scenarios::phases::{self, Plot};
use scenarios::plays::config_retry::ConfigRetry;
use scenarios::plays::engine_restart::EngineRestart;
use scenarios::plays::smoke::Smoke;
use scenarios::plays::sse_drop::SseDrop;
use sim::{Options, World};

/// What is at rest without load is counted before a run begins: runs do not nest.
fn options() -> Options {
    phases::unloaded();
    Options::default()
}

async fn holds(world: World, plot: impl Plot + Copy + 'static) {
    let evidence = phases::play(&Ledger::new(&world), plot, phases::unloaded()).await;
    let verdict = model::judge(&evidence);
    assert!(verdict.broken.is_empty(), "{:#?}", verdict.broken);
    assert!(verdict.unjudged.is_empty(), "nothing was shown to {:?}", verdict.unjudged);
    assert_eq!(phases::shortfall(&evidence), None);
}

#[sim::test(seeds = 0..8, options = options())]
async fn every_law_holds_while_nothing_breaks(world: World) {
    holds(world, Smoke).await;
}

#[sim::test(seeds = 0..16, options = options())]
async fn every_law_holds_while_the_engine_falls_and_comes_back(world: World) {
    holds(world, EngineRestart).await;
}

#[sim::test(seeds = 0..16, options = options())]
async fn every_law_holds_while_streams_and_sockets_are_cut(world: World) {
    holds(world, SseDrop).await;
}

#[sim::test(seeds = 0..16, options = options())]
async fn every_law_holds_while_the_pool_cannot_be_configured(world: World) {
    holds(world, ConfigRetry).await;
}
