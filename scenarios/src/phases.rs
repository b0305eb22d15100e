//! How a play is played: boot, load while anything may break (safety), heal and demand progress (liveness), take the
//! load away and count what is left (rest). Then the laws judge.

mod floor;
mod rest;
mod scale;
mod staged;

pub(crate) use floor::operations;
pub use floor::shortfall;
pub use rest::{unloaded, unloaded_in};
pub use scale::Scale;
pub use staged::Staged;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use model::Law;
use model::evidence::Evidence;
use model::fault::Family;
use sim::{Point, PointFault};

use crate::ledger::Ledger;
use crate::stack::Stack;
use crate::stack::client::Client;
use crate::world::Task;

/// Clients of a full run: those that probe are numbered from here on.
pub const CLIENTS: u32 = Scale::FULL.clients;

/// Operations of each client that somebody must have taken, and half as many that were acknowledged: the floor of every
/// full run.
pub const OPERATIONS_MIN: u32 = Scale::FULL.operations_min;

/// How long the safety phase lasts at least: the floor of virtual time of every full run.
pub const SAFETY: Duration = Scale::FULL.safety;

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
    /// How much happens in one of its runs.
    fn scale(&self) -> Scale {
        Scale::FULL
    }
    /// Whether a fault may strike at a point: whoever is felled there must come back, and whoever is its observer must
    /// not be felled.
    fn may_strike(&self, _point: &Point, _fault: PointFault) -> bool {
        true
    }
    /// Laws that it shows what they read, beside those that every play does.
    fn laws(&self) -> &'static [Law] {
        &[]
    }
    /// General laws that it has nothing to show.
    fn leaves_out(&self) -> &'static [Law] {
        &[]
    }
    /// Whether it times, in most of its runs, how soon somebody answers again ([`Law::RecoveryBound`]).
    fn times_recovery(&self) -> bool {
        false
    }
    /// Keys that the play uses by itself: they are probed after healing like the others, and given up with them.
    fn beside(&self) -> &'static [&'static str] {
        &[]
    }
    /// Boots the stack, in whichever order the play is about. Returns when clients may begin.
    fn open(&self, stack: &Stack) -> impl Future<Output = ()>;
    /// Breaks things while clients work, until `end` on the world's clock has passed, and no more than one fault
    /// longer. Leaves nothing to be repaired behind, or repairs it in [`Self::heal`].
    fn trouble(&self, stack: &Stack, end: Duration) -> impl Future<Output = ()>;
    /// Repairs what is still broken.
    fn heal(&self, stack: &Stack) -> impl Future<Output = ()>;
    /// Takes away what the play brought beside engine and application, once the load is gone, and boots of these what it
    /// left out: at rest all runs are alike.
    fn leave(&self, _stack: &Stack) -> impl Future<Output = ()> {
        async {}
    }
}

/// One run of a play, to its evidence.
pub async fn play(ledger: &Ledger, plot: &dyn Staged, unloaded: BTreeMap<String, u64>) -> Evidence {
    let stack = Stack::new(ledger);
    let world = stack.world.clone();
    let (scale, recovery) = (plot.scale(), plot.recovery() + world.kind().heals_within());
    let looks = Looks::begin(&stack);
    stack.application.set_slots(*world.stream("slots").one_of(&SLOTS));
    plot.open(&stack).await;
    let present = |id: &u32| !world.waives(&format!("absent/client-{id}"));
    let clients: Vec<_> =
        (0..scale.clients).filter(present).map(|id| Client::new(&world, &stack.ledger, id)).collect();
    for client in &clients {
        client.begin(scale.keys, scale.load);
    }
    plot.trouble(&stack, world.elapsed() + scale.safety).await;
    plot.heal(&stack).await;
    assert!(!stack.ledger.is_broken(), "a play repairs what it broke before it demands progress");
    stack.ledger.healed();
    world.note("healed");
    let keys: Vec<_> = scale.keys.iter().chain(plot.beside()).copied().collect();
    live(&stack, (&scale, &keys), &clients, recovery).await;
    clear(&stack, keys).await;
    looks.end().await;
    stack.end();
    plot.leave(&stack).await;
    world.note("load taken away");
    let rest = Some(rest::take(&stack, unloaded).await);
    let evidence = stack.ledger.evidence();
    Evidence { recovery, rest, ..evidence }
}

/// The liveness phase: every counter is probed from the moment of healing until everybody was due for a while, under a
/// load that goes on; then the load ends.
async fn live(
    stack: &Stack,
    (scale, keys): (&Scale, &[&'static str]),
    clients: &[Client],
    recovery: Duration,
) {
    let new = |number: usize| {
        let number = u32::try_from(number).expect("a play has few clients");
        Client::new(&stack.world, &stack.ledger, CLIENTS + number)
    };
    // A play that leaves the application out has nobody who configures its pool.
    let pools = usize::from(stack.application.was_booted());
    let probers: Vec<_> = (0..keys.len() + pools).map(new).collect();
    for (prober, key) in probers.iter().zip(keys) {
        prober.probe(key, recovery);
    }
    for prober in &probers[keys.len()..] {
        prober.probe_pool(stack.application.slots(), recovery);
    }
    for client in clients {
        client.ease(scale.operations_min);
    }
    stack.world.sleep(recovery + LIVE).await;
    end(&probers).await;
    // What nobody took while the engine was away is made up for.
    let limit = scale.load.pause_max * scale.operations_min;
    let enough = || clients.iter().all(|client| client.has_done(scale.operations_min));
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
async fn clear(stack: &Stack, keys: Vec<&'static str>) {
    let last = Client::new(&stack.world, &stack.ledger, 0);
    last.clear(keys);
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
