//! A host of the application: `rehearsal-demo serverless`, started by a platform that restarts what it or others kill.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::str::FromStr;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Weak};

use runtime::TcpListener;
use runtime::signals::Signals;
use sdk::{Endpoint, Pool, PoolOptions, Serverless, ServerlessOptions, Standing};

use super::dawdle::Whims;
use super::{APPLICATION_PORT, ENGINE_PORT, PLATFORM, POOL};
use crate::ledger::Ledger;
use crate::world::{Node, World};

/// One host of the application, in whichever of its lives.
#[derive(Clone)]
pub struct Application {
    node: Node,
    world: World,
    ledger: Ledger,
    whims: Whims,
    configures: bool,
    boots: Rc<Cell<u32>>,
    lives: Arc<AtomicU32>,
    slots: Rc<Cell<u32>>,
    version: Rc<Cell<u32>>,
    pool: Rc<RefCell<Weak<Pool>>>,
}

impl Application {
    /// The host of that name, which configures the pool or leaves that to others; nothing runs yet.
    #[must_use]
    pub fn new(ledger: &Ledger, name: &str, whims: &Whims, configures: bool) -> Self {
        let world = ledger.world();
        Self {
            node: world.node(name),
            world: world.clone(),
            ledger: ledger.clone(),
            whims: whims.clone(),
            configures,
            boots: Rc::default(),
            lives: Arc::default(),
            slots: Rc::new(Cell::new(1)),
            version: Rc::new(Cell::new(1)),
            pool: Rc::default(),
        }
    }

    /// Its node.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Slots per runner, as it configures its pool.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots.get()
    }

    /// Sets them, for instances that are started from here on.
    pub fn set_slots(&self, slots: u32) {
        self.slots.set(slots);
    }

    /// Sets the version of the application, for instances that are started from here on.
    pub fn set_version(&self, version: u32) {
        self.version.set(version);
    }

    /// Whether an instance of it was ever started.
    #[must_use]
    pub fn was_booted(&self) -> bool {
        self.boots.get() > 0
    }

    /// Whether its instance runs and knows that its pool is configured.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        let pool = self.pool.borrow().upgrade();
        self.node.is_running() && pool.is_some_and(|pool| matches!(pool.standing(), Standing::Configured))
    }

    /// Starts an instance: it serves, and configures its pool if that is its part.
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
        let name = self.node.name();
        self.world.note(format!("application boots on {name} ({boot})"));
        let (stop, shutdown) = sdk::shutdown();
        let signals = Signals::new().expect("a world has signals");
        drop(runtime::spawn("signals", stop.follow(signals)));
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, APPLICATION_PORT));
        let listener = TcpListener::bind(address).await.expect("the port is the application's alone");
        let endpoint = Endpoint::from_str(&format!("http://engine:{ENGINE_PORT}")).expect("a valid URL");
        let pool = PoolOptions {
            pool: POOL.to_owned(),
            slots_per_runner: self.slots.get(),
            ..PoolOptions::new(endpoint, format!("http://{PLATFORM}:{APPLICATION_PORT}/api/rivet"))
        };
        let pool = self.configures.then(|| Arc::new(sdk::configure_pool(pool, shutdown.clone())));
        *self.pool.borrow_mut() = pool.as_ref().map_or_else(Weak::new, Arc::downgrade);
        let options = ServerlessOptions {
            witness: self.ledger.witness(&name, &self.lives),
            version: self.version.get(),
            pool,
            ..ServerlessOptions::default()
        };
        let serverless = Serverless::new(self.whims.registry(), options, shutdown);
        serverless.serve(listener).await;
        self.world.note(format!("application stops on {name}"));
    }
}
