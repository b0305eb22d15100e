//! What follows a strike: it is told to the ledger, so that failures are explained, and whoever fell comes back.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use model::fault::Family;
use sim::{AWAY, Point, PointFault, PointKind, Struck};

use crate::stack::{Application, Stack, Worker};
use crate::world::Node;

/// How long a platform takes to start again what fell, and how long an engine whose disk failed may run until it ends.
const DOWN: Duration = Duration::from_secs(1);

/// Whether a point can be struck so. Clients observe: to fell or pause one shows nothing of the platform that a cut of its
/// connection does not.
pub(in crate::plays) fn may_strike(point: &Point, fault: PointFault) -> bool {
    match fault {
        PointFault::Kill | PointFault::PowerOff | PointFault::Pause => !point.node.starts_with("client-"),
        PointFault::Fin | PointFault::Reset | PointFault::BlackHole | PointFault::DiskError => true,
    }
}

/// The engine is killed and, unless a strike has felled it first, comes back after so long.
pub(in crate::plays) async fn kill_engine(stack: &Stack, down: Duration) {
    if stack.engine.node().is_running() {
        stack.world.note("engine falls");
        stack.engine.node().kill();
        let strike = stack.ledger.struck(Family::EngineKilled);
        stack.world.sleep(down).await;
        if !stack.engine.node().is_running() {
            stack.engine.boot();
        }
        stack.ledger.repaired(strike);
    }
}

/// Deals with every strike of the run.
pub(in crate::plays) fn watch(stack: &Stack) {
    let (stack, leave) = (stack.clone(), Leave::default());
    drop(stack.world.clone().spawn("watch", async move {
        for heard in 0.. {
            let struck = stack.world.struck(heard).await;
            stack.world.note(format!("strike: {struck}"));
            let (stack, leave) = (stack.clone(), leave.clone());
            drop(stack.world.clone().spawn("struck", async move { suffer(&stack, &leave, &struck).await }));
        }
    }));
}

async fn suffer(stack: &Stack, leave: &Leave, struck: &Struck) {
    let engine = stack.engine.node();
    let mut families = families(struck);
    // An engine that is paused before it listens has not been started yet.
    let deaf = stack.world.census().get(&*engine.name()).is_none_or(|census| census.listeners == 0);
    families.extend((families == [Family::EnginePaused] && deaf).then_some(Family::EngineStopped));
    if families.contains(&Family::EnginePaused) {
        let now = stack.world.elapsed();
        leave.pauses.borrow_mut().push((now, struck.until.unwrap_or(now + AWAY)));
    }
    let strikes: Vec<_> = families.into_iter().map(|family| stack.ledger.struck(family)).collect();
    match struck.fault {
        PointFault::Kill | PointFault::PowerOff => {
            stack.world.sleep(DOWN).await;
            restart(stack, &struck.point.node);
        }
        PointFault::Fin | PointFault::Reset => {}
        PointFault::BlackHole | PointFault::Pause => stack.world.sleep(AWAY).await,
        PointFault::DiskError => {
            leave.grant(stack).await;
            restart(stack, &engine.name());
        }
    }
    for strike in strikes {
        stack.ledger.repaired(strike);
    }
}

/// The leave of an engine to end by itself, since its disk has failed. Strikes may overlap.
#[derive(Clone, Default)]
struct Leave {
    /// From when to when the engine was paused, or is to be.
    pauses: Rc<RefCell<Vec<(Duration, Duration)>>>,
}

impl Leave {
    /// Grants it until the engine has run for a while, or ended.
    async fn grant(&self, stack: &Stack) {
        stack.engine.may_end(true);
        let begun = stack.world.elapsed();
        loop {
            let left = DOWN.saturating_sub(self.ran(begun, stack.world.elapsed()));
            if left.is_zero() {
                break;
            }
            stack.world.sleep(left).await;
            if !stack.engine.node().is_running() {
                break;
            }
        }
        stack.engine.may_end(false);
    }

    /// How much of a stretch of time the engine was not paused.
    fn ran(&self, from: Duration, until: Duration) -> Duration {
        let (mut ran, mut at) = (Duration::ZERO, from);
        for (begun, ends) in self.pauses.borrow().iter() {
            ran += begun.saturating_sub(at).min(until.saturating_sub(at));
            at = at.max(*ends);
        }
        ran + until.saturating_sub(at)
    }
}

/// Starts the process of that name again, unless it runs.
fn restart(stack: &Stack, name: &str) {
    let is_down = |node: &Node| *node.name() == *name && !node.is_running();
    if is_down(stack.engine.node()) {
        stack.engine.boot();
    }
    stack.hosts().into_iter().filter(|host| is_down(host.node())).for_each(Application::boot);
    stack.workers.iter().filter(|worker| is_down(worker.node())).for_each(Worker::boot);
    if is_down(stack.odd.node()) {
        stack.odd.boot();
    }
}

/// What a strike is to those who suffer from it.
fn families(struck: &Struck) -> Vec<Family> {
    let point = &struck.point;
    let engine = point.node == "engine";
    let inside = matches!(point.kind, PointKind::DiskWrite | PointKind::DiskSync);
    match (struck.fault, engine) {
        (PointFault::Kill | PointFault::PowerOff, true) if inside => vec![Family::EngineFellInCommit],
        (PointFault::Kill, true) => vec![Family::EngineKilled],
        (PointFault::PowerOff, true) => vec![Family::EnginePowerLost],
        (PointFault::Kill, false) => vec![Family::InstanceKilled],
        // Its host is as silent as one that is parted from the others.
        (PointFault::PowerOff, false) => vec![Family::InstanceKilled, Family::Partition],
        (PointFault::Pause, true) => vec![Family::EnginePaused],
        (PointFault::Pause, false) => vec![Family::InstancePaused],
        (PointFault::BlackHole, _) => vec![Family::Partition],
        (PointFault::DiskError, _) => vec![Family::DiskFails],
        (PointFault::Fin | PointFault::Reset, _) => {
            let (from, head) =
                point.link.as_ref().map_or(("", &[][..]), |link| (link.from.as_str(), link.head.as_slice()));
            match from {
                "engine" if head.starts_with(b"GET /api/rivet/start") => vec![Family::StreamCut],
                from if from.starts_with("client-") => vec![Family::ClientCut],
                "engine" if !head.is_empty() => vec![Family::EndpointFails],
                _ if head.starts_with(b"GET /runners/connect") => vec![Family::SocketCut],
                _ if !head.is_empty() => vec![Family::ApiCut],
                // What a connection is for shows only once something was asked on it: both that it may be.
                "engine" => vec![Family::StreamCut, Family::EndpointFails],
                _ => vec![Family::SocketCut, Family::ApiCut],
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::{RunOptions, perform};
    use crate::plays::POINT_RESTART;

    #[test]
    fn an_engine_that_is_paused_while_its_disk_fails_may_end_when_it_goes_on() {
        let pauses = ["boot-step#0=pause", "timer#0=pause", "timer#1=pause", "disk-sync#1=pause"];
        for pause in pauses {
            let strikes = ["disk-sync#0=disk-error", pause].map(|text| text.parse().expect("a strike"));
            let options = RunOptions { strikes: strikes.to_vec(), ..RunOptions::default() };
            let report = perform(&POINT_RESTART, 0, &options);
            assert!(report.outcome.is_ok(), "{pause}: {:?}", report.outcome);
            assert_eq!(report.missed, [], "{pause}: both strike");
        }
    }

    #[test]
    fn an_engine_that_is_paused_does_not_run() {
        let seconds = Duration::from_secs;
        let leave = Leave::default();
        assert_eq!(leave.ran(seconds(3), seconds(5)), seconds(2));
        // The second begins within the first and outlasts it.
        leave.pauses.borrow_mut().extend([(seconds(1), seconds(4)), (seconds(2), seconds(6))]);
        for (from, until, ran) in [(0, 1, 1), (0, 3, 1), (3, 5, 0), (3, 8, 2), (0, 8, 3), (7, 8, 1)] {
            assert_eq!(leave.ran(seconds(from), seconds(until)), seconds(ran), "{from} to {until}");
        }
    }
}
