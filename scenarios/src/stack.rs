//! The whole stack in a world: clients, one engine with its gateway, one application node.
//!
//! Everything that runs here is what production runs: `host`, `sdk`, `demo`, over real HTTP, SSE, WebSocket and
//! database bytes. What is of the testbed: who boots and fells it, and the clients that ask. Next: [`crate::phases`],
//! which plays a run on it.

pub mod application;
pub mod client;
pub mod engine;
pub mod http;

use std::time::Duration;

use sim::World;

use crate::ledger::Ledger;

pub use application::Application;
pub use engine::Engine;

/// Where the engine listens.
pub const ENGINE_PORT: u16 = 6420;

/// Where the application listens.
pub const APPLICATION_PORT: u16 = 6440;

/// The pool that the application serves.
pub const POOL: &str = "default";

/// The stack of one run.
#[derive(Clone)]
pub struct Stack {
    /// Its world.
    pub world: World,
    /// Where evidence goes.
    pub ledger: Ledger,
    /// The engine.
    pub engine: Engine,
    /// The application.
    pub application: Application,
}

impl Stack {
    /// Puts its nodes into the world; nothing is booted yet.
    #[must_use]
    pub fn new(ledger: &Ledger) -> Self {
        let world = ledger.world();
        let engine = Engine::new(world, ledger);
        let application = Application::new(world, ledger);
        Self { world: world.clone(), ledger: ledger.clone(), engine, application }
    }

    /// Waits until `true`, looking every 50 ms of virtual time, at most so long. Returns whether it came.
    pub async fn until(&self, limit: Duration, mut is: impl AsyncFnMut() -> bool) -> bool {
        let end = self.world.elapsed() + limit;
        while !is().await {
            if self.world.elapsed() >= end {
                return false;
            }
            self.world.sleep(Duration::from_millis(50)).await;
        }
        true
    }
}
