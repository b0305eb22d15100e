//! The first phase: an engine to work with.

#[cfg(feature = "embedded")]
mod embedded;
mod spawned;

use std::sync::Arc;

use super::shared::{Engine, Shared};
use super::{ApplicationOptions, Cause, EngineChoice};
use crate::run;
use crate::shutdown::Shutdown;

/// Makes the ground, keeps it until it is asked to end, and takes down what it made. Says why it ended unasked.
pub(super) async fn live(
    shared: Arc<Shared>,
    attempt: u32,
    options: Arc<ApplicationOptions>,
    end: Shutdown,
) -> Option<Cause> {
    // What is wrong with the options themselves is told before anything is done.
    if let Err(error) = run::check(&options.namespace, &options.pool, options.token.as_deref()) {
        return Some(Cause::Config { message: error.to_string() });
    }
    match &options.engine {
        EngineChoice::Connect(endpoint) => {
            // Whether it can be reached is the service's to find out, again and again.
            shared.created(attempt, Engine { endpoint: endpoint.clone(), ours: false });
            end.draining().await;
            None
        }
        #[cfg(feature = "embedded")]
        EngineChoice::Embedded(embedded) => {
            let up = |endpoint| shared.created(attempt, Engine { endpoint, ours: true });
            embedded::live(&embedded.options, end, up).await
        }
        EngineChoice::Spawn(spawn) => {
            let up = || {
                shared.created(attempt, Engine { endpoint: spawn.endpoint.clone(), ours: true });
            };
            spawned::live(spawn, options.token.clone(), end, up).await
        }
    }
}
