//! How a play is played: boot, load while anything may break (safety), heal and demand progress (liveness), take the
//! load away and count what is left (rest). Then the laws judge.

mod floor;
mod rest;

pub(crate) use floor::operations;
pub use floor::shortfall;
pub use rest::unloaded;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use model::evidence::Evidence;
use model::fault::Family;
use sim::{Ratio, Task};

use crate::ledger::Ledger;
use crate::stack::Stack;
use crate::stack::client::{Client, Load};

/// The counters of every run.
pub const KEYS: &[&str] = &["a", "b"];

/// Clients of every run.
pub const CLIENTS: u32 = 2;

/// Operations of each client that somebody must have taken, and half as many that were acknowledged: the floor of every
/// run.
pub const OPERATIONS_MIN: u32 = 50;

/// How clients load the stack: at this pace most of 50 operations fall into the safety phase.
const LOAD: Load = Load {
    operations: u32::MAX,
    pause_min: Duration::from_millis(100),
    pause_max: Duration::from_millis(2500),
    increments: Ratio::new(1, 2),
};

/// How long the safety phase lasts at least: the floor of virtual time of every run.
pub const SAFETY: Duration = Duration::from_secs(60);

/// How long nobody may fail once everything is routable again. Ours: five probes of each counter.
const LIVE: Duration = Duration::from_secs(10);

/// How often the control plane is looked at. Ours: a handful of looks while a runner is waited for or a stream backs off.
const LOOK: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(2500));

/// Slots per runner, as often as they are drawn: a runner for each counter, or one for both, which costs half as much.
const SLOTS: [u32; 3] = [1, 2, 2];

/// A play's part in a run.
pub trait Plot {
    /// How long recovery from its faults may take.
    fn recovery(&self) -> Duration;
    /// The fault families that its seeds break things with: each must be felt in some of them.
    fn families(&self) -> &'static [Family];
    /// Boots the stack, in whichever order the play is about. Returns when clients may begin.
    fn open(&self, stack: &Stack) -> impl Future<Output = ()>;
    /// Breaks things while clients work, until `end` on the world's clock has passed, and no more than one fault
    /// longer. Leaves nothing to be repaired behind, or repairs it in [`Self::heal`].
    fn trouble(&self, stack: &Stack, end: Duration) -> impl Future<Output = ()>;
    /// Repairs what is still broken.
    fn heal(&self, stack: &Stack) -> impl Future<Output = ()>;
}

/// One run of a play, to its evidence.
pub async fn play(ledger: &Ledger, plot: impl Plot, unloaded: BTreeMap<String, u64>) -> Evidence {
    let stack = Stack::new(ledger);
    let world = stack.world.clone();
    let looks = Looks::begin(&stack);
    stack.application.set_slots(*world.stream("slots").one_of(&SLOTS));
    plot.open(&stack).await;
    let clients: Vec<_> = (0..CLIENTS).map(|id| Client::new(&world, &stack.ledger, id)).collect();
    for client in &clients {
        client.begin(KEYS, LOAD);
    }
    plot.trouble(&stack, world.elapsed() + SAFETY).await;
    plot.heal(&stack).await;
    assert!(!stack.ledger.is_broken(), "a play repairs what it broke before it demands progress");
    stack.ledger.healed();
    world.note("healed");
    live(&stack, &clients, plot.recovery()).await;
    clear(&stack).await;
    looks.end().await;
    world.note("load taken away");
    let rest = rest::take(&stack, unloaded).await;
    let mut evidence = stack.ledger.evidence();
    evidence.recovery = plot.recovery();
    evidence.rest = Some(rest);
    evidence
}

/// The liveness phase: every counter is probed from the moment of healing until everybody was due for a while, under a
/// load that goes on; then the load ends.
async fn live(stack: &Stack, clients: &[Client], recovery: Duration) {
    let new = |number: usize| {
        let number = u32::try_from(number).expect("a play has few clients");
        Client::new(&stack.world, &stack.ledger, CLIENTS + number)
    };
    let probers: Vec<_> = (0..=KEYS.len()).map(new).collect();
    for (prober, key) in probers.iter().zip(KEYS) {
        prober.probe(key, recovery);
    }
    probers[KEYS.len()].probe_pool(stack.application.slots(), recovery);
    for client in clients {
        client.ease(OPERATIONS_MIN);
    }
    stack.world.sleep(recovery + LIVE).await;
    end(&probers).await;
    // What nobody took while the engine was away is made up for.
    let limit = LOAD.pause_max * OPERATIONS_MIN;
    let enough = || clients.iter().all(|client| client.has_done(OPERATIONS_MIN));
    stack.until(limit, async || enough()).await;
    end(clients).await;
}

async fn end(clients: &[Client]) {
    for client in clients {
        client.end();
    }
    for client in clients {
        client.node().ended().await;
    }
}

/// Takes the load away.
async fn clear(stack: &Stack) {
    let last = Client::new(&stack.world, &stack.ledger, 0);
    last.clear(KEYS);
    last.node().ended().await;
}

/// Looks at the control plane, until told to end.
struct Looks {
    over: Rc<Cell<bool>>,
    task: Task<()>,
}

impl Looks {
    fn begin(stack: &Stack) -> Self {
        let over = Rc::new(Cell::new(false));
        let (stack, told) = (stack.clone(), Rc::clone(&over));
        let pause = stack.world.stream("look");
        let task = stack.world.clone().spawn("look", async move {
            while !told.get() {
                if let Some(view) = stack.engine.control().await {
                    stack.ledger.saw(view);
                }
                stack.world.sleep(pause.span(LOOK.0..=LOOK.1)).await;
            }
        });
        Self { over, task }
    }

    async fn end(self) {
        self.over.set(true);
        self.task.await;
    }
}
