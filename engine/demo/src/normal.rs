//! `rehearsal-demo normal`.

use std::sync::Arc;

use anyhow::Context as _;
use sdk::{RunnerOptions, Shutdown};

use crate::args::Engine;
use crate::ready;

pub(crate) async fn run(engine: Engine, shutdown: Shutdown) -> anyhow::Result<()> {
    let shown = engine.clone();
    let options = RunnerOptions {
        namespace: engine.namespace,
        pool: engine.pool,
        token: engine.token,
        on_ready: Some(Arc::new(move |_| ready::print("normal", &shown))),
        ..RunnerOptions::new(engine.endpoint)
    };
    demo::registry().run(options, shutdown).await.context("the runner ended")?;
    Ok(())
}
