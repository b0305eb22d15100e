//! What follows a strike: it is told to the ledger, so that failures are explained, and whoever fell comes back.

use std::time::Duration;

use model::fault::Family;
use sim::{AWAY, PointFault, PointKind, Struck};

use crate::stack::{Application, Stack};

/// How long a platform takes to start again what fell, and how long an engine whose disk failed may take to end.
const DOWN: Duration = Duration::from_secs(1);

/// Deals with every strike of the run.
pub(super) fn watch(stack: &Stack) {
    let stack = stack.clone();
    drop(stack.world.clone().spawn("watch", async move {
        for heard in 0.. {
            let struck = stack.world.struck(heard).await;
            stack.world.note(format!("strike: {struck}"));
            let stack = stack.clone();
            drop(stack.world.clone().spawn("struck", async move { suffer(&stack, &struck).await }));
        }
    }));
}

async fn suffer(stack: &Stack, struck: &Struck) {
    let engine = stack.engine.node();
    let mut families = families(struck);
    // An engine that is paused before it listens has not been started yet.
    let deaf = stack.world.census().get(&*engine.name()).is_none_or(|census| census.listeners == 0);
    families.extend((families == [Family::EnginePaused] && deaf).then_some(Family::EngineStopped));
    let strikes: Vec<_> = families.into_iter().map(|family| stack.ledger.struck(family)).collect();
    match struck.fault {
        PointFault::Kill | PointFault::PowerOff => {
            stack.world.sleep(DOWN).await;
            restart(stack, &struck.point.node);
        }
        PointFault::Fin | PointFault::Reset => {}
        PointFault::BlackHole | PointFault::Pause => stack.world.sleep(AWAY).await,
        PointFault::DiskError => {
            stack.engine.may_end(true);
            stack.world.sleep(DOWN).await;
            stack.engine.may_end(false);
            restart(stack, &engine.name());
        }
    }
    for strike in strikes {
        stack.ledger.repaired(strike);
    }
}

/// Starts the process of that name again, unless it runs.
fn restart(stack: &Stack, name: &str) {
    let is_down = |node: &sim::Node| *node.name() == *name && !node.is_running();
    if is_down(stack.engine.node()) {
        stack.engine.boot();
    }
    stack.hosts().into_iter().filter(|host| is_down(host.node())).for_each(Application::boot);
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
