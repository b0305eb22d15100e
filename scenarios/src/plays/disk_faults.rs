//! `disk_faults`: the engine's disk refuses to sync or to write, is full, is slow, or loses power with writes under way;
//! then it heals. Nothing that was acknowledged is lost, whoever only reads is answered meanwhile, and soon after the disk
//! is well everybody is served.
//!
//! Which codes a failing disk explains is said in one place, `model::code`.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use model::fault::Family;
use sim::Fall;

use super::engine_restart::Slowness;
use super::rounds::{Rounds, WAITS};
use super::watch::Watched;
use super::{beside, watch};
use crate::phases::{Plot, Scale};
use crate::stack::client::CALL_BOUND;
use crate::stack::http::Http;
use crate::stack::{STEADY, Stack, pool_of};
use crate::world::Task;

/// How long the disk fails: for one commit, or for several restarts of the engine's core.
const FAILS: [(Duration, Duration); 2] = [
    (Duration::from_millis(1), Duration::from_millis(500)),
    (Duration::from_secs(1), Duration::from_secs(8)),
];

/// How long a platform takes to start an engine again that has ended.
const PLATFORM: Duration = Duration::from_millis(500);

/// From a disk that healed to the answer of an actor whose runner had a session when it failed: the platform, a boot, a
/// redial of at most 1 s, or a start on a new stream.
const ANSWERS: Duration = Duration::from_secs(5);

/// How long the disk has failed when readers begin: by then somebody has written, and the engine reads only.
const READ_ONLY: Duration = Duration::from_secs(1);

/// From there to the answer of an actor that runs on a worker: a redial of at most 1 s, and slack.
const READS: Duration = Duration::from_secs(2);

/// Operations that fail at most, as long as the disk fails: more than any run has.
const ALL: u32 = u32::MAX;

/// How many times as long a slow disk takes.
const SLOWNESS: u32 = 200;

/// Within how many disk operations of the moment power is lost inside one.
const OPERATIONS: u64 = 20;

/// Between two looks at the engine's health.
const LOOK: Duration = Duration::from_millis(100);

/// How long the engine's own start may take, power and platform aside, and then its next attempt to write.
const BOOT: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct DiskFaults;

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    /// Syncs fail.
    Syncs,
    /// So many writes fail, and no more.
    Some,
    /// Writes fail.
    Writes,
    /// It is full.
    Full,
    /// It is slow.
    Slow,
    /// It loses power with writes under way: what was not synced is gone, or torn.
    Torn,
}

const BLOWS: [Blow; 6] = [Blow::Syncs, Blow::Some, Blow::Writes, Blow::Full, Blow::Slow, Blow::Torn];

impl Blow {
    const fn family(self) -> Family {
        match self {
            Self::Syncs | Self::Some | Self::Writes | Self::Full => Family::DiskFails,
            Self::Slow => Family::DiskSlow,
            Self::Torn => Family::EngineFellInCommit,
        }
    }

    /// Whether nothing can be written from its first moment to its last.
    const fn lasts(self) -> bool {
        match self {
            Self::Syncs | Self::Writes => true,
            Self::Some | Self::Full | Self::Slow | Self::Torn => false,
        }
    }
}

impl Plot for DiskFaults {
    fn recovery(&self) -> Duration {
        // As where the engine restarts.
        Duration::from_secs(30)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::DiskFails, Family::DiskSlow, Family::EngineFellInCommit]
    }

    fn times_recovery(&self) -> bool {
        true
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    async fn open(&self, stack: &Stack) {
        beside::open(stack, &[&stack.workers[0]]).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let offered = |blow: &Blow| stack.world.kind().offers(blow.family()).is_ok();
        let blows: Vec<_> = BLOWS.into_iter().filter(offered).collect();
        if blows.is_empty() {
            stack.wait(end, end).await;
            return;
        }
        let watched = watch::find(stack).await;
        let rounds = Rounds::new(stack, "disk", &WAITS, end);
        loop {
            let blow = *rounds.of("blow").one_of(&blows);
            let (fails, operation) =
                (rounds.one_span("fails", &FAILS), rounds.of("operation").within(1..=OPERATIONS));
            let Some(strikes) = rounds.next().await else { return };
            if !strikes {
                stack.world.sleep(fails).await;
                continue;
            }
            if !stack.ledger.allows(blow.family()) {
                continue;
            }
            stack.world.note(format!("the disk: {blow:?} for {fails:?}"));
            let warm = watch::warm(stack, &watched).await;
            let reads = (blow.lasts() && fails > READ_ONLY + READS).then(|| read(stack, &warm));
            strike(stack, blow, fails, operation).await;
            if let Some(reads) = reads {
                reads.await;
            }
            if blow.family() == Family::DiskFails {
                watch::wait_for(stack, &warm, "a failing disk", ANSWERS).await;
            }
        }
    }

    async fn heal(&self, _: &Stack) {}

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
    }
}

/// Reads from actors that run on a worker, while nothing can be written. A serverless runner drains when the engine begins
/// anew, and no other can be placed.
fn read(stack: &Stack, warm: &[Watched]) -> Task<()> {
    let stack = stack.clone();
    let warm: Vec<_> = warm.iter().filter(|each| pool_of(each.key) == STEADY).cloned().collect();
    stack.world.clone().spawn("readers", async move {
        stack.world.sleep(READ_ONLY).await;
        watch::wait_for(&stack, &warm, "a disk that fails, to read", READS).await;
    })
}

/// The disk is unwell for a while; when this returns it is well, and an engine runs.
async fn strike(stack: &Stack, blow: Blow, fails: Duration, operation: u64) {
    match blow {
        Blow::Slow => {
            let slowness = Slowness::begin(stack, SLOWNESS);
            stack.world.sleep(fails).await;
            if let Some(slowness) = slowness {
                slowness.end(stack);
            }
        }
        Blow::Torn => tear(stack, fails, operation).await,
        Blow::Syncs | Blow::Some | Blow::Writes | Blow::Full => fail(stack, blow, fails, operation).await,
    }
    stack.world.note("the disk is well");
}

/// The disk fails: an engine may end of that, and is started again.
async fn fail(stack: &Stack, blow: Blow, fails: Duration, operation: u64) {
    let node = stack.engine.node();
    let strike = stack.ledger.struck(Family::DiskFails);
    let set = |on: bool| match blow {
        Blow::Syncs => node.fail_syncs(if on { ALL } else { 0 }),
        Blow::Some if on => node.fail_writes(u32::try_from(operation).expect("a few")),
        Blow::Full => node.fill_disk(on),
        Blow::Some | Blow::Writes => node.fail_writes(if on { ALL } else { 0 }),
        Blow::Slow | Blow::Torn => unreachable!("it does not fail"),
    };
    stack.engine.may_end(true);
    set(true);
    let end = stack.world.elapsed() + fails;
    while stack.wait(PLATFORM, end).await {
        if !node.is_running() {
            stack.engine.boot();
        }
    }
    set(false);
    stack.engine.may_end(false);
    rise(stack).await;
    write(stack).await;
    stack.ledger.repaired(strike);
}

/// The engine takes writes from here on: one that only reads begins anew for that, and is in trouble until then.
async fn write(stack: &Stack) {
    let node = stack.world.node("client-health");
    node.boot(|| async {
        let mut http = Http::new();
        while http.ask(Method::GET, "/health", Bytes::new(), CALL_BOUND).await.is_err() {
            runtime::sleep(LOOK).await;
        }
    });
    let writes = stack.world.within(BOOT, node.ended()).await.is_some();
    assert!(writes, "an engine with a disk that is well writes within {BOOT:?}");
}

/// The disk loses power inside one of its next operations, if there are so many, and the engine with it.
async fn tear(stack: &Stack, within: Duration, operation: u64) {
    let node = stack.engine.node();
    node.crash_in_disk_operation(operation, Fall::PowerOff);
    let falls = stack.world.within(within, node.ended()).await.is_some();
    node.spare();
    if falls {
        let strike = stack.ledger.struck(Family::EngineFellInCommit);
        stack.world.sleep(PLATFORM).await;
        rise(stack).await;
        stack.ledger.repaired(strike);
    }
}

/// An engine runs from here on.
async fn rise(stack: &Stack) {
    if !stack.engine.node().is_running() {
        stack.engine.boot();
    }
    let listens = stack.engine.listening(BOOT).await;
    assert!(listens, "an engine with a disk that is well listens within {BOOT:?}");
}
