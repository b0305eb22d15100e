//! `engine_restart`: the engine falls at seeded moments, killed or without power, where it stands or inside a disk
//! operation, also of its own recovery, often after a while with a slow disk, and is back each time after a seeded
//! while.

use std::time::Duration;

use model::fault::Family;
use sim::{Effect, Fall, Ratio};

use crate::ledger::Strike;
use crate::phases::Plot;
use crate::plays::smoke::Smoke;
use crate::stack::Stack;
use crate::world::{Stream, World, WorldKind};

/// Downtimes: shorter than a runner's first redial, within the grace of 3 s, beyond it, and beyond the lost threshold
/// of 15 s.
const DOWN: [(Duration, Duration); 4] = [
    (Duration::from_millis(1), Duration::from_millis(50)),
    (Duration::from_millis(50), Duration::from_secs(3)),
    (Duration::from_secs(3), Duration::from_secs(10)),
    (Duration::from_secs(10), Duration::from_secs(25)),
];

/// From the moment at which clients begin, or a boot, to the next fall: while it starts, while sessions come back and
/// actors are started, and in the middle of everything.
const WAIT: [(Duration, Duration); 3] = [
    (Duration::from_millis(1), Duration::from_millis(50)),
    (Duration::from_millis(50), Duration::from_secs(1)),
    (Duration::from_secs(1), Duration::from_secs(24)),
];

/// How often each of these is drawn: a fall every ten seconds or so, and one soon after a boot in most runs.
const WAITS: [usize; 6] = [0, 1, 2, 2, 2, 2];

/// Within how many disk operations of the moment a fall inside one comes: four commits, of about ten each, or a whole
/// boot.
const OPERATIONS: u64 = 40;

/// How long a fall inside a disk operation is waited for: an engine that nobody asks writes nothing.
const PATIENCE: Duration = Duration::from_secs(12);

/// How many times as long its disk takes before some falls: a sync takes up to a second then, and what is answered
/// before its commit is durable is answered long before.
const SLOWNESS: [u32; 2] = [20, 200];

/// For how long, at most: well below everything that gives up on an engine that does not answer.
const SLOW: Duration = Duration::from_secs(3);

/// How long after a boot, at least: an engine that boots from a slow disk is away, and not slow. Ours: several boots.
const BOOTED: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct EngineRestart;

/// One fall.
struct Blow {
    wait: Duration,
    /// How many times as long the disk takes at the end of the wait.
    slow: Option<u32>,
    how: Fall,
    /// Inside which disk operation from the moment on.
    inside: Option<u64>,
    down: Duration,
    /// Inside which disk operation of the boot that follows it falls again.
    again: Option<u64>,
}

/// What is decided of falls, each in a stream of its own.
struct Draws {
    bucket: Stream,
    wait: Stream,
    slow: Stream,
    slowness: Stream,
    how: Stream,
    inside: Stream,
    operation: Stream,
    bucket_down: Stream,
    down: Stream,
    again: Stream,
    operation_again: Stream,
}

impl Draws {
    fn new(world: &World) -> Self {
        let stream = |what| world.stream(&format!("fall/engine/{what}"));
        Self {
            bucket: stream("bucket"),
            wait: stream("wait"),
            slow: stream("slow"),
            slowness: stream("slowness"),
            how: stream("how"),
            inside: stream("inside"),
            operation: stream("operation"),
            bucket_down: stream("bucket_down"),
            down: stream("down"),
            again: stream("again"),
            operation_again: stream("operation_again"),
        }
    }

    fn blow(&self) -> Blow {
        let (wait, down) = (WAIT[*self.bucket.one_of(&WAITS)], self.bucket_down.one_of(&DOWN));
        let (operation, again) =
            (self.operation.within(1..=OPERATIONS), self.operation_again.within(1..=OPERATIONS));
        let slowness = *self.slowness.one_of(&SLOWNESS);
        Blow {
            wait: self.wait.span(wait.0..=wait.1),
            slow: self.slow.chance(Ratio::new(1, 2)).then_some(slowness),
            how: *self.how.one_of(&[Fall::Kill, Fall::PowerOff]),
            inside: self.inside.chance(Ratio::new(1, 2)).then_some(operation),
            down: self.down.span(down.0..=down.1),
            again: self.again.chance(Ratio::new(1, 6)).then_some(again),
        }
    }
}

impl Blow {
    /// The same where a world has no falls inside disk operations: the engine falls where it stands.
    fn offered(self, world: WorldKind) -> Self {
        match world.offers(Family::EngineFellInCommit) {
            Ok(()) => self,
            Err(_why) => Self { inside: None, again: None, ..self },
        }
    }
}

impl Plot for EngineRestart {
    fn recovery(&self) -> Duration {
        // Boot, 15 s until a runner that does not come back is lost, at most 10 s of backoff for its stream, and the
        // start of the actor on the new one.
        Duration::from_secs(30)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::EngineKilled, Family::EnginePowerLost, Family::EngineFellInCommit, Family::DiskSlow]
    }

    async fn open(&self, stack: &Stack) {
        Smoke.open(stack).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let draws = Draws::new(&stack.world);
        loop {
            let blow = draws.blow().offered(stack.world.kind());
            if stack.world.kind().offers(family(blow.how)).is_err() {
                continue;
            }
            let slow = blow.slow.map_or(Duration::ZERO, |_| blow.wait.saturating_sub(BOOTED).min(SLOW));
            if !stack.wait(blow.wait - slow, end).await {
                return;
            }
            // A fall that is spared takes its time, so that those after it stay near their moments.
            if stack.world.waives("spare/engine") {
                stack.world.sleep(slow + blow.down).await;
                continue;
            }
            let times = blow.slow.filter(|_| !slow.is_zero());
            let slowness = times.and_then(|times| Slowness::begin(stack, times));
            let goes_on = stack.wait(slow, end).await;
            let falls = goes_on && allows(stack, &blow);
            let strike = if falls { Some(fall(stack, blow.how, blow.inside).await) } else { None };
            if let Some(slowness) = slowness {
                slowness.end(stack);
            }
            if !goes_on {
                return;
            }
            if let Some(strike) = strike {
                rise(stack, strike, blow.down).await;
                if blow.again.is_some() {
                    let strike = fall(stack, blow.how, blow.again).await;
                    rise(stack, strike, blow.down).await;
                }
            }
        }
    }

    async fn heal(&self, _: &Stack) {}
}

/// Whether the run leaves out nothing of what a blow may come to.
fn allows(stack: &Stack, blow: &Blow) -> bool {
    let inside = blow.inside.is_some() || blow.again.is_some();
    stack.ledger.allows(family(blow.how)) && (!inside || stack.ledger.allows(Family::EngineFellInCommit))
}

const fn family(how: Fall) -> Family {
    match how {
        Fall::Kill => Family::EngineKilled,
        Fall::PowerOff => Family::EnginePowerLost,
    }
}

/// The engine's disk is slow.
pub(super) struct Slowness {
    strike: Strike,
    /// Operations that had felt it before.
    felt: u64,
}

impl Slowness {
    /// Begins it, if the run does not leave it out.
    pub(super) fn begin(stack: &Stack, times: u32) -> Option<Self> {
        if !stack.ledger.allows(Family::DiskSlow) {
            return None;
        }
        stack.world.note(format!("the engine's disk takes {times} times as long"));
        stack.engine.node().slow_disk(times);
        Some(Self { strike: stack.ledger.struck(Family::DiskSlow), felt: felt(stack) })
    }

    pub(super) fn end(self, stack: &Stack) {
        stack.engine.node().slow_disk(1);
        if felt(stack) > self.felt {
            stack.ledger.felt(&self.strike);
        }
        stack.ledger.repaired(self.strike);
    }
}

/// Disk operations that were slow.
fn felt(stack: &Stack) -> u64 {
    stack.world.effects().get(&Effect::SlowDisk).copied().unwrap_or(0)
}

/// The engine falls.
async fn fall(stack: &Stack, how: Fall, inside: Option<u64>) -> Strike {
    let node = stack.engine.node();
    assert!(node.is_running(), "an engine that runs is felled");
    let mut family = family(how);
    if let Some(operation) = inside {
        node.crash_in_disk_operation(operation, how);
        if stack.world.within(PATIENCE, node.ended()).await.is_some() {
            stack.world.note(format!("engine falls inside disk operation {operation}: {how:?}"));
            family = Family::EngineFellInCommit;
        }
        node.spare();
    }
    if node.is_running() {
        stack.world.note(format!("engine falls: {how:?}"));
        node.fall(how);
    }
    stack.ledger.struck(family)
}

/// It is back after a while.
async fn rise(stack: &Stack, strike: Strike, down: Duration) {
    stack.world.sleep(down).await;
    stack.engine.boot();
    stack.ledger.repaired(strike);
}
