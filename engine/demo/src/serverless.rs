//! `rehearsal-demo serverless`.

use std::sync::Arc;

use anyhow::Context as _;
use runtime::TcpListener;
use sdk::{Failure, Pool, PoolOptions, ServerlessOptions, Shutdown, configure_pool};

use crate::args::Serverless;
use crate::ready;

pub(crate) async fn run(args: Serverless, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let defaults = ServerlessOptions::default();
    let url = match args.url {
        Some(url) => url,
        None => format!("http://{}{}", listener.local_addr()?, defaults.base_path),
    };
    let engine = args.engine;
    let options = PoolOptions {
        namespace: engine.namespace.clone(),
        pool: engine.pool.clone(),
        token: engine.token.clone(),
        ..PoolOptions::new(engine.endpoint.clone(), url)
    };
    let pool = (!args.no_configure).then(|| Arc::new(configure_pool(options, shutdown.clone())));
    let options = ServerlessOptions {
        endpoint: Some(engine.endpoint.clone()),
        namespace: Some(engine.namespace.clone()),
        pool: pool.clone(),
        ..defaults
    };
    let app = sdk::Serverless::new(demo::registry(), options, shutdown);
    let announce = runtime::spawn("announce", async move {
        if let Some(pool) = pool {
            configured(&pool).await?;
        }
        ready::print("serverless", &engine);
        Ok(())
    });
    let serving = app.serve(listener);
    runtime::select! {
        failed = failure(announce) => Err(failed).context("the pool cannot be configured"),
        () = serving => Ok(()),
    }
}

/// Waits until the engine knows the pool. One that is away is waited for; only what cannot pass is a failure.
async fn configured(pool: &Pool) -> Result<(), Failure> {
    loop {
        match pool.ready().await {
            Ok(()) => return Ok(()),
            Err(failure) => match pool.standing() {
                sdk::Standing::Fatal(_) | sdk::Standing::Stopped => return Err(failure),
                sdk::Standing::Idle
                | sdk::Standing::Pending
                | sdk::Standing::Configured
                | sdk::Standing::Failing(_) => eprintln!("rehearsal-demo: {failure}; trying on"),
            },
        }
    }
}

/// Ends when announcing has failed for good.
async fn failure(announce: runtime::JoinHandle<Result<(), Failure>>) -> Failure {
    match announce.await {
        Ok(Err(failure)) if failure != Failure::Stopped => failure,
        Ok(Ok(()) | Err(_)) | Err(_) => std::future::pending().await,
    }
}
