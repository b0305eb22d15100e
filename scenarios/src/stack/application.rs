//! The application's node: `rehearsal-demo serverless`, started by a platform that restarts what it or others kill.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use runtime::TcpListener;
use runtime::signals::Signals;
use sdk::{Endpoint, PoolOptions, Serverless, ServerlessOptions};
use sim::{Node, World};

use super::{APPLICATION_PORT, ENGINE_PORT, POOL};
use crate::ledger::Ledger;

/// The application, in whichever of its lives.
#[derive(Clone)]
pub struct Application {
    node: Node,
    world: World,
    ledger: Ledger,
    boots: Rc<Cell<u32>>,
}

impl Application {
    /// Its node; nothing runs yet.
    #[must_use]
    pub fn new(world: &World, ledger: &Ledger) -> Self {
        Self { node: world.node("app"), world: world.clone(), ledger: ledger.clone(), boots: Rc::default() }
    }

    /// Its node.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Starts an instance: it serves, and configures its pool.
    pub fn boot(&self) {
        let application = self.clone();
        self.node.boot(move || {
            let application = application.clone();
            async move { application.serve().await }
        });
    }

    async fn serve(self) {
        let boot = self.boots.get();
        self.boots.set(boot + 1);
        self.world.note(format!("application boots ({boot})"));
        let (stop, shutdown) = sdk::shutdown();
        let signals = Signals::new().expect("a world has signals");
        drop(runtime::spawn("signals", stop.follow(signals)));
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, APPLICATION_PORT));
        let listener = TcpListener::bind(address).await.expect("the port is the application's alone");
        let endpoint = Endpoint::from_str(&format!("http://engine:{ENGINE_PORT}")).expect("a valid URL");
        let pool = PoolOptions {
            pool: POOL.to_owned(),
            ..PoolOptions::new(endpoint, format!("http://app:{APPLICATION_PORT}/api/rivet"))
        };
        let options = ServerlessOptions {
            witness: self.ledger.witness("app", boot),
            pool: Some(Arc::new(sdk::configure_pool(pool, shutdown.clone()))),
            ..ServerlessOptions::default()
        };
        let serverless = Serverless::new(demo::registry(), options, shutdown);
        serverless.serve(listener).await;
        self.world.note("application stops");
    }
}
