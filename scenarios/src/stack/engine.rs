//! The engine's node: what `rehearsal-engine serve` runs, booted and felled by the script.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use protocol::view::{ControlView, GatewayView};
use runtime::signals::Signals;

use super::ENGINE_PORT;
use crate::ledger::Ledger;
use crate::world::{Node, World};

/// How long a request is held for an actor that is not ready: the engine's default.
pub const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an actor may take to answer. Shorter than the default of 60 s, so that a run in which an answer is lost
/// does not spend its time on waiting.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);

/// Within which every request to an actor is answered or failed typed: ready, plus the answer.
pub const ANSWER_BOUND: Duration = READY_TIMEOUT.saturating_add(RESPONSE_TIMEOUT);

/// How long an engine is waited for that was asked how it stands: one that is paused or falls may never answer. Ours.
const ASKED: Duration = Duration::from_secs(5);

/// The engine, in whichever of its lives.
#[derive(Clone)]
pub struct Engine {
    node: Node,
    world: World,
    ledger: Ledger,
    boots: Rc<Cell<u32>>,
    lives: Arc<AtomicU32>,
    /// How many reasons there are for which it may end by itself.
    may_end: Rc<Cell<u32>>,
    listens: Rc<Cell<bool>>,
    view: Rc<RefCell<Option<host::View>>>,
}

impl Engine {
    /// Its node; nothing runs yet.
    #[must_use]
    pub fn new(world: &World, ledger: &Ledger) -> Self {
        Self {
            node: world.node("engine"),
            world: world.clone(),
            ledger: ledger.clone(),
            boots: Rc::default(),
            lives: Arc::default(),
            may_end: Rc::default(),
            listens: Rc::default(),
            view: Rc::default(),
        }
    }

    /// Its node.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// It may end by itself from here on, with an error, or no longer for that reason: while its disk fails it has nothing
    /// else left to do. Reasons may overlap.
    pub fn may_end(&self, may: bool) {
        let reasons = self.may_end.get();
        self.may_end.set(if may { reasons + 1 } else { reasons.saturating_sub(1) });
    }

    /// Boots it, for the first time or again, on the same disk.
    pub fn boot(&self) {
        let engine = self.clone();
        self.listens.set(false);
        self.node.boot(move || {
            let engine = engine.clone();
            async move { engine.serve().await }
        });
    }

    /// Whether it takes connections, once it was booted last.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.node.is_running() && self.listens.get()
    }

    /// Waits until it takes connections, at most so long. Returns whether it does.
    pub async fn listening(&self, limit: Duration) -> bool {
        let end = self.world.elapsed() + limit;
        while !self.listens() && self.world.elapsed() < end {
            self.world.sleep(Duration::from_millis(1)).await;
        }
        self.listens()
    }

    async fn serve(self) {
        let boot = self.boots.get();
        self.boots.set(boot + 1);
        self.world.note(format!("engine boots ({boot})"));
        let options = self.options();
        let engine = match host::Engine::open(options).await {
            Ok(engine) => engine,
            Err(error) if self.may_end.get() > 0 => {
                return self.world.note(format!("engine does not open its store: {error}"));
            }
            Err(error) => panic!("the engine does not open its own store again: {error}"),
        };
        *self.view.borrow_mut() = Some(engine.view());
        self.listens.set(true);
        let mut signals = Signals::new().expect("a world has signals");
        let ended = engine.run(async move { signals.terminate().await }).await;
        *self.view.borrow_mut() = None;
        match ended {
            Ok(()) => self.world.note("engine stops"),
            Err(error) if self.may_end.get() > 0 => self.world.note(format!("engine ends: {error}")),
            Err(error) => panic!("the engine ends by itself: {error}"),
        }
    }

    fn options(&self) -> host::Options {
        let mut options = host::Options {
            bind: SocketAddr::from((Ipv4Addr::UNSPECIFIED, ENGINE_PORT)),
            insecure: true,
            // Nodes have private addresses.
            private_targets: Some(true),
            public_url: Some(format!("http://engine:{ENGINE_PORT}/")),
            check_every: 64,
            witness: self.ledger.witness("engine", &self.lives),
            ..host::Options::new("data")
        };
        options.gateway.ready_timeout = READY_TIMEOUT;
        options.gateway.response_timeout = RESPONSE_TIMEOUT;
        options
    }

    /// How its control plane stands; `None` while it is not up.
    pub async fn control(&self) -> Option<ControlView> {
        if !self.node.is_running() {
            return None;
        }
        let view = self.view.borrow().clone()?;
        self.world.within(ASKED, view.control()).await?
    }

    /// How it stands; `None` while it is not up.
    pub async fn views(&self) -> Option<(ControlView, GatewayView)> {
        if !self.node.is_running() {
            return None;
        }
        let view = self.view.borrow().clone()?;
        let both = async move { Some((view.control().await?, view.gateway().await?)) };
        self.world.within(ASKED, both).await?
    }
}
