//! How a play is played: boot, load while anything may break (safety), heal and demand progress (liveness), take the
//! load away and count what is left (rest). Then the laws judge.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use model::evidence::{Evidence, Rest};
use sim::{Options, Ratio, Sim};

use crate::ledger::Ledger;
use crate::stack::Stack;
use crate::stack::client::{Client, Load};

/// The counters of every run.
pub const KEYS: &[&str] = &["a", "b"];

/// Clients of every run.
const CLIENTS: u32 = 2;

/// Operations of each client, and its pace: 50 of them take some 40 s.
const LOAD: Load = Load {
    operations: 50,
    pause_min: Duration::from_millis(100),
    pause_max: Duration::from_millis(1500),
    increments: Ratio::new(7, 10),
};

/// The floor of virtual time of every run.
const FLOOR: Duration = Duration::from_secs(60);

/// How long everything may take to come to rest once the load is gone: a runner that fell silent is lost after 15 s,
/// an idle connection is closed after 30 s; the rest is slack.
const REST: Duration = Duration::from_secs(60);

/// How often what is left is counted within [`REST`].
const LOOKS: u32 = 12;

/// A play's part in a run.
pub trait Plot {
    /// How long recovery from its faults may take.
    fn recovery(&self) -> Duration;
    /// Boots the stack, in whichever order the play is about. Returns when clients may begin.
    fn open(&self, stack: &Stack) -> impl Future<Output = ()>;
    /// Breaks things while clients work. Leaves nothing to be repaired behind, or repairs it in [`Self::heal`].
    fn trouble(&self, stack: &Stack) -> impl Future<Output = ()>;
    /// Repairs what is still broken.
    fn heal(&self, stack: &Stack) -> impl Future<Output = ()>;
}

/// One run of a play, to its evidence.
pub async fn play(
    ledger: &Ledger,
    plot: impl Plot + Copy + 'static,
    unloaded: BTreeMap<String, u64>,
) -> Evidence {
    let stack = Stack::new(ledger);
    let world = stack.world.clone();
    plot.open(&stack).await;
    let clients: Vec<_> = (0..CLIENTS).map(|id| Client::new(&world, &stack.ledger, id)).collect();
    for client in &clients {
        client.begin(KEYS, LOAD);
    }
    let trouble = {
        let stack = stack.clone();
        world.spawn("trouble", async move { plot.trouble(&stack).await })
    };
    for client in &clients {
        client.node().ended().await;
    }
    trouble.await;
    observe(&stack).await;
    if world.elapsed() < FLOOR {
        world.sleep(FLOOR - world.elapsed()).await;
    }
    plot.heal(&stack).await;
    assert!(!stack.ledger.is_broken(), "a play repairs what it broke before it demands progress");
    stack.ledger.healed();
    world.note("healed");
    let prober = Client::new(&world, &stack.ledger, CLIENTS);
    prober.probe(KEYS, plot.recovery());
    prober.node().ended().await;
    observe(&stack).await;
    prober.clear(KEYS);
    prober.node().ended().await;
    world.note("load taken away");
    stack.until(REST, async || is_idle(&stack).await).await;
    let loaded = at_rest(&stack).await;
    let rest = Rest { at: stack.ledger.now(), loaded, unloaded };
    let mut evidence = stack.ledger.evidence();
    evidence.recovery = plot.recovery();
    evidence.rest = Some(rest);
    evidence
}

async fn observe(stack: &Stack) {
    if let Some((control, _)) = stack.engine.views().await {
        stack.ledger.saw(control);
    }
}

/// Whether the platform says that nobody asks anything of it.
async fn is_idle(stack: &Stack) -> bool {
    let Some((control, gateway)) = stack.engine.views().await else { return false };
    control.actors.is_empty() && control.runners.is_empty() && gateway.waiting + gateway.forwarded == 0
}

/// What stays while nothing is asked: of each resource the least that was there at any of some looks. A connection
/// that is kept for a while, or a request that is made every half minute, comes and goes; what leaked does not.
async fn at_rest(stack: &Stack) -> BTreeMap<String, u64> {
    let mut least = count(stack).await;
    for _ in 0..LOOKS {
        stack.world.sleep(REST / LOOKS).await;
        let counts = count(stack).await;
        for (name, held) in &mut least {
            *held = (*held).min(counts.get(name).copied().unwrap_or(0));
        }
        least.retain(|_, held| *held > 0);
    }
    least
}

/// What there is in the engine and in the application, by name.
async fn count(stack: &Stack) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    if let Some((control, gateway)) = stack.engine.views().await {
        let streams: u32 = control.pools.iter().map(|pool| pool.streams).sum();
        let rows = [
            ("actors", control.actors.len()),
            ("runners", control.runners.len()),
            ("sockets", control.sockets),
            ("streams", streams as usize),
            ("watched", control.watched + gateway.watched),
            ("requests", gateway.waiting + gateway.forwarded),
        ];
        counts.extend(rows.map(|(name, count)| (format!("engine {name}"), count as u64)));
    }
    for (node, census) in stack.world.census() {
        if node != "engine" && node != "app" {
            continue;
        }
        for (task, number) in census.tasks {
            counts.insert(format!("{node} task {task}"), number as u64);
        }
        let rows = [
            ("timers", census.timers as u64),
            ("listeners", census.listeners as u64),
            ("sockets", census.sockets as u64),
            ("half-open sockets", census.half_open as u64),
            ("queued connections", census.queued as u64),
            ("unread bytes", census.unread),
            ("files", census.files as u64),
        ];
        counts.extend(rows.map(|(name, count)| (format!("{node} {name}"), count)));
    }
    counts
}

/// What there is at rest in a world that never had a load. The same for every run, so it is counted once a process.
///
/// # Panics
/// Inside a run; or if the stack does not come up without any fault.
pub fn unloaded() -> BTreeMap<String, u64> {
    static UNLOADED: OnceLock<BTreeMap<String, u64>> = OnceLock::new();
    let counted = UNLOADED.get_or_init(|| {
        let report = Sim::new(Options::seed(0)).run(|world| async move {
            let stack = Stack::new(&Ledger::new(&world));
            crate::plays::smoke::Smoke.open(&stack).await;
            world.sleep(FLOOR).await;
            at_rest(&stack).await
        });
        report.expect_ok()
    });
    counted.clone()
}
