//! A host of runners that connect by themselves: `rehearsal-demo normal`, with an identity and a version of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use protocol::id::{RunnerId, RunnerKey};
use runtime::signals::Signals;
use sdk::{Endpoint, RunnerOptions, View};

use super::dawdle::Whims;
use super::{ENGINE_PORT, STEADY};
use crate::ledger::Ledger;
use crate::world::{Node, World};

/// Actors that one hosts at once. Ours: all that any play makes.
const SLOTS: u32 = 8;

/// One host, in whichever of its lives.
#[derive(Clone)]
pub struct Worker {
    node: Node,
    world: World,
    ledger: Ledger,
    whims: Whims,
    boots: Rc<Cell<u32>>,
    lives: Arc<AtomicU32>,
    version: Rc<Cell<u32>>,
    identity: Rc<RefCell<Option<RunnerKey>>>,
    view: Rc<RefCell<View>>,
}

impl Worker {
    /// The host of that name; nothing runs yet.
    #[must_use]
    pub fn new(ledger: &Ledger, name: &str, whims: &Whims) -> Self {
        let world = ledger.world();
        Self {
            node: world.node(name),
            world: world.clone(),
            ledger: ledger.clone(),
            whims: whims.clone(),
            boots: Rc::default(),
            lives: Arc::default(),
            version: Rc::new(Cell::new(1)),
            identity: Rc::default(),
            view: Rc::default(),
        }
    }

    /// Its node.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Sets the version of the application, for processes that are started from here on.
    pub fn set_version(&self, version: u32) {
        self.version.set(version);
    }

    /// Sets the identity of its runner, for processes that are started from here on; else each has a fresh one.
    ///
    /// # Panics
    /// If it is no valid key.
    pub fn set_identity(&self, identity: &str) {
        *self.identity.borrow_mut() = Some(RunnerKey::new(identity).expect("identities of plays are valid"));
    }

    /// The runner for which it speaks, as it sees it.
    #[must_use]
    pub fn runner(&self) -> Option<RunnerId> {
        let sessions = self.view.borrow().sessions();
        sessions.into_iter().find_map(|(_, session)| session.runner).filter(|_| self.node.is_running())
    }

    /// Whether its process runs and has a session, as it sees it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let sessions = self.view.borrow().sessions();
        self.node.is_running() && sessions.iter().any(|(_, session)| session.connected)
    }

    /// Starts a process.
    pub fn boot(&self) {
        let worker = self.clone();
        *self.view.borrow_mut() = View::default();
        self.node.boot(move || {
            let worker = worker.clone();
            async move { worker.serve().await }
        });
    }

    async fn serve(self) {
        let boot = self.boots.get();
        self.boots.set(boot + 1);
        let (name, version) = (self.node.name(), self.version.get());
        self.world.note(format!("a runner of version {version} boots on {name} ({boot})"));
        let (stop, shutdown) = sdk::shutdown();
        let signals = Signals::new().expect("a world has signals");
        drop(runtime::spawn("signals", stop.follow(signals)));
        let endpoint = Endpoint::from_str(&format!("http://engine:{ENGINE_PORT}")).expect("a valid URL");
        let options = RunnerOptions {
            pool: STEADY.to_owned(),
            key: self.identity.borrow().clone(),
            version,
            total_slots: SLOTS,
            witness: self.ledger.witness(&name, &self.lives),
            view: self.view.borrow().clone(),
            ..RunnerOptions::new(endpoint)
        };
        let ended = self.whims.registry().run(options, shutdown).await;
        self.world.note(format!("the runner on {name} ends: {ended:?}"));
    }
}
