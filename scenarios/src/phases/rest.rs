//! The rest: the load is gone, everything has had its time; what is left is counted, as in a world without load.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use model::evidence::Rest;
use model::fault::Family;
use sim::{Options, Sim};

use super::{Plot as _, SAFETY};
use crate::ledger::Ledger;
use crate::stack::Stack;
use crate::world::{Node, World, WorldKind};

/// How long everything may take to come to rest once the load is gone: a runner that fell silent is lost after 15 s,
/// an idle connection is closed after 30 s; the rest is slack.
const REST: Duration = Duration::from_secs(60);

/// How often what is left is counted.
const LOOKS: u32 = 7;

/// Between two looks: all of them take longer than the half minute for which an idle connection is kept.
const LOOK: Duration = Duration::from_secs(5);

/// Whether the platform says that nobody asks anything of it.
async fn is_idle(stack: &Stack) -> bool {
    let Some((control, gateway)) = stack.engine.views().await else { return false };
    control.actors.is_empty()
        && control.runners.is_empty()
        && gateway.waiting + gateway.forwarded + gateway.websockets == 0
}

/// Waits until nothing is asked, then counts what is left.
pub(super) async fn take(stack: &Stack, unloaded: BTreeMap<String, u64>) -> Rest {
    let idle = stack.until(REST, async || is_idle(stack).await).await;
    let mut loaded = at_rest(stack).await;
    if !idle {
        // A name that no world without load has: whatever else was counted, this run left something.
        loaded.insert(format!("still busy after {REST:?}"), 1);
    }
    Rest { at: stack.ledger.now(), loaded, unloaded }
}

/// What stays while nothing is asked: of each resource the least that was there at any of some looks. A connection
/// that is kept for a while, or a request that is made every half minute, comes and goes; what leaked does not.
async fn at_rest(stack: &Stack) -> BTreeMap<String, u64> {
    let mut least = count(stack).await;
    for _ in 0..LOOKS {
        stack.world.sleep(LOOK).await;
        let counts = count(stack).await;
        for (name, held) in &mut least {
            *held = (*held).min(counts.get(name).copied().unwrap_or(0));
        }
        least.retain(|_, held| *held > 0);
    }
    least
}

/// What there is in the engine and in the application, by name.
///
/// # Panics
/// When the engine does not say how it stands: nothing is broken any more.
async fn count(stack: &Stack) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let (control, gateway) = stack.engine.views().await.expect("an engine at rest says how it stands");
    let streams: u32 = control.pools.iter().map(|pool| pool.streams).sum();
    let rows = [
        ("actors", control.actors.len()),
        ("runners", control.runners.len()),
        ("sockets", control.sockets),
        ("streams", streams as usize),
        ("watched", control.watched + gateway.watched),
        ("requests", gateway.waiting + gateway.forwarded),
        ("websockets", gateway.websockets),
    ];
    counts.extend(rows.map(|(name, count)| (format!("engine {name}"), count as u64)));
    // Whatever is sent into a connection that nothing passes any more is tried again by the kernel for 15 minutes.
    let severed = stack.ledger.has_struck(&[Family::StreamSilent, Family::SocketSilent]);
    let nodes: BTreeSet<Rc<str>> =
        [stack.engine.node(), stack.application.node(), stack.spare.node()].map(Node::name).into();
    for (node, census) in stack.world.census() {
        if !nodes.contains(node.as_str()) {
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
            ("closing sockets", if severed { 0 } else { census.closing as u64 }),
            ("unread bytes", census.unread),
            ("files", census.files as u64),
        ];
        counts.extend(rows.map(|(name, count)| (format!("{node} {name}"), count)));
    }
    counts
}

/// What there is at rest in the simulator's own world if it never had a load: [`unloaded_in`].
///
/// # Panics
/// As that.
pub fn unloaded() -> BTreeMap<String, u64> {
    unloaded_in(WorldKind::Sim)
}

/// What there is at rest in a world that never had a load. The same for every run, so it is counted once a process.
///
/// # Panics
/// Inside a run; if the stack does not come up without any fault; if the build does not have that world.
pub fn unloaded_in(world: WorldKind) -> BTreeMap<String, u64> {
    static IN_SIM: OnceLock<BTreeMap<String, u64>> = OnceLock::new();
    static ON_MADSIM: OnceLock<BTreeMap<String, u64>> = OnceLock::new();
    let counted = match world {
        WorldKind::Sim => {
            let count = async |world: sim::World| idle((&world).into()).await;
            IN_SIM.get_or_init(|| Sim::new(Options::seed(0)).run(count).expect_ok())
        }
        WorldKind::Madsim => ON_MADSIM.get_or_init(on_madsim),
    };
    counted.clone()
}

#[cfg(madsim)]
fn on_madsim() -> BTreeMap<String, u64> {
    let count = async |world: sim::second::World| idle((&world).into()).await;
    crate::play::second::of(0).run(count).expect("an idle stack ends in order")
}

#[cfg(not(madsim))]
fn on_madsim() -> BTreeMap<String, u64> {
    panic!("this build has lost --cfg madsim, and madsim with it")
}

async fn idle(world: World) -> BTreeMap<String, u64> {
    let stack = Stack::new(&Ledger::new(&world));
    crate::plays::smoke::Smoke.open(&stack).await;
    world.sleep(SAFETY).await;
    at_rest(&stack).await
}
