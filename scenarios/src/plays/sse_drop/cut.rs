//! Cuts of one connection: at once, between two bytes, at a place of the protocol.

use std::time::Duration;

use model::fault::Family;
use sim::tap::{Place, Planned, Wire};
use sim::{Connection, Cut, Effect, Side};

use super::RunnerLink;
use super::blow::{Blow, Details, Moment};
use super::spot::SocketSpot;
use crate::stack::Stack;

/// How long a cut waits for somebody it can hit.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a cut between two bytes waits for them: a stream carries a ping of 17 bytes a second, a socket one of some
/// 20 bytes every 3 s.
const BYTES: Duration = Duration::from_secs(4);

/// How long a cut waits for its place: clients ask every second or two, and half of what they ask is written.
const PLACE: Duration = Duration::from_secs(6);

/// Cuts the stream or the socket of a runner.
pub(super) async fn cut(stack: &Stack, blow: Blow, details: &Details) {
    let mut target = None;
    stack
        .until(PATIENCE, async || {
            target = targets(stack, blow).into_iter().next();
            target.is_some()
        })
        .await;
    let Some(target) = target else { return };
    let Details { how, near, .. } = *details;
    // On a stream only the application speaks; a reset is felt first by one end, everything else by both alike.
    let reader = if matches!(blow, Blow::Stream) { Side::Opener } else { details.reader };
    let near_text = if how == Cut::Reset { format!(" near {near:?}") } else { String::new() };
    match details.moment {
        Moment::AtOnce => {}
        Moment::After(more) => {
            stack.world.note(format!("{blow:?} will be cut by {how:?} within {more} bytes"));
            let got = target.sent[reader.other() as usize];
            let before = cuts(stack, how);
            // A fault is on from where it may strike: whoever fails then must not go unexplained.
            let strike = stack.ledger.struck(family(blow, how));
            if stack.world.cut_at(&target, reader, got + more, how) {
                stack.until(BYTES, async || cuts(stack, how) > before).await;
            }
            stack.ledger.repaired(strike);
        }
        Moment::AtSpot => {
            let (speaker, place) = match blow {
                Blow::Stream => (reader.other(), details.stream_spot.place()),
                _ => details.socket_spot.place(reader.other(), details.depth),
            };
            let strike = stack.ledger.struck(family(blow, how));
            if begins_anew(blow, details) {
                let wire = Wire::between(&target.from, &target.to).port(target.port);
                let plan = stack.world.plan_cut(wire, speaker, place, how);
                stack.world.cut(&target, Cut::Reset, near);
                let reset = stack.ledger.struck(Family::SocketCut);
                stack.ledger.repaired(reset);
                await_place(stack, &plan, speaker, place).await;
            } else if let Some(plan) = stack.world.cut_in(&target, speaker, place, how) {
                await_place(stack, &plan, speaker, place).await;
            }
            stack.ledger.repaired(strike);
        }
    }
    if stack.world.cut(&target, how, near) {
        stack.world.note(format!("{blow:?} is cut by {how:?}{near_text}"));
        let strike = stack.ledger.struck(family(blow, how));
        stack.ledger.repaired(strike);
    }
}

/// Waits until a plan's cut falls; one whose place does not come in time is taken back.
async fn await_place(stack: &Stack, plan: &Planned, speaker: Side, place: Place) {
    stack.world.note(format!("a cut waits {place} of what {speaker:?} says"));
    stack.until(PLACE, async || plan.has_fallen()).await;
    plan.take_back();
}

/// Cuts of this kind that hit something, so far.
fn cuts(stack: &Stack, how: Cut) -> u64 {
    let effect = match how {
        Cut::Reset => Effect::CutReset,
        Cut::Fin => Effect::CutFin,
        Cut::Silence => Effect::CutSilence,
    };
    stack.world.effects().get(&effect).copied().unwrap_or(0)
}

/// Whether the socket is reset, so that its place comes: commands and events are rare, but a session that begins has
/// some.
const fn begins_anew(blow: Blow, details: &Details) -> bool {
    matches!((blow, details.moment, details.socket_spot), (Blow::Socket, Moment::AtSpot, SocketSpot::InLife))
}

/// What a blow is to those who suffer from it.
pub(super) fn families(blow: Blow, details: &Details, stack: &Stack) -> Vec<Family> {
    match blow {
        Blow::Socket if begins_anew(blow, details) => vec![family(blow, details.how), Family::SocketCut],
        Blow::Stream | Blow::Socket => vec![family(blow, details.how)],
        Blow::Kill => vec![Family::InstanceKilled],
        Blow::Pause => vec![Family::InstancePaused],
        Blow::EnginePause => vec![Family::EnginePaused],
        Blow::Partition if details.other => vec![Family::Partition, Family::SocketCut],
        Blow::Partition => vec![Family::Partition],
        Blow::LateStart => vec![Family::ActorDawdles, mover(stack)],
        Blow::LateAnswer => vec![Family::ActorDawdles],
    }
}

/// What lets an actor be started anew: a cut of its stream, or the fall of its instance where streams cannot be cut.
pub(super) fn mover(stack: &Stack) -> Family {
    let cuts = stack.world.kind().offers(Family::StreamCut).is_ok();
    if cuts { Family::StreamCut } else { Family::InstanceKilled }
}

const fn family(blow: Blow, how: Cut) -> Family {
    match (blow, how) {
        (Blow::Socket, Cut::Reset | Cut::Fin) => Family::SocketCut,
        (Blow::Socket, Cut::Silence) => Family::SocketSilent,
        (_, Cut::Reset | Cut::Fin) => Family::StreamCut,
        (_, Cut::Silence) => Family::StreamSilent,
    }
}

/// The live connections that a blow of this kind can hit.
pub(super) fn targets(stack: &Stack, blow: Blow) -> Vec<Connection> {
    links(stack, if matches!(blow, Blow::Stream) { RunnerLink::Stream } else { RunnerLink::Socket })
}

/// The live connections of one kind that hold runners of the application.
pub(in crate::plays) fn links(stack: &Stack, link: RunnerLink) -> Vec<Connection> {
    let (to_engine, request) = match link {
        RunnerLink::Stream => (false, "GET /api/rivet/start"),
        RunnerLink::Socket => (true, "GET /runners/connect"),
    };
    let is_one = |connection: &Connection| {
        // Of a WebSocket only the first bytes are a request.
        let asks = connection.carries(request) || connection.head.starts_with(request.as_bytes());
        let hosts = stack.hosts().map(|host| host.node().name());
        let ours = hosts.iter().any(|host| **host == connection.from || **host == connection.to);
        connection.live && (connection.to == "engine") == to_engine && asks && ours
    };
    stack.world.connections().into_iter().filter(is_one).collect()
}
