//! A random walk over the runner, in a world that is honest and otherwise as bad as it likes.

use std::time::Duration;

use machines::runner::{CloseClass, Frame, Input, InstanceEvent, WebSocketEvent};
use proptest::prelude::*;
use protocol::id::{ActorId, BodyId, ConnId, Generation, Ticket};
use protocol::wire::Checkpoint;

use crate::names::{GATEWAY, actor, request, runner};
use crate::runner_world::World;
use crate::walk::walk;

/// Something that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    /// Whatever it takes until there is a session, of the same runner or of a new one.
    Connect {
        new: bool,
    },
    Dialled,
    Greet {
        new: bool,
    },
    Close {
        jitter: u64,
    },
    Final {
        refused: bool,
    },
    NamespaceUnknown,
    Start {
        actor: u8,
        ahead: u32,
    },
    Stop {
        actor: u8,
        ahead: u32,
        index: i64,
    },
    Ack {
        which: usize,
    },
    Ping,
    Request {
        actor: u8,
        id: u32,
    },
    RequestAbort {
        id: u32,
    },
    /// A client's WebSocket opens, speaks or closes.
    Client {
        actor: u8,
        id: u32,
        says: Says,
    },
    KvAnswer {
        which: usize,
        refused: bool,
    },
    Noise,
    Started {
        which: usize,
    },
    Stopped {
        which: usize,
        error: bool,
    },
    Sleep {
        which: usize,
    },
    Destroy {
        which: usize,
    },
    Alarm {
        which: usize,
    },
    Kv {
        which: usize,
        repeatable: bool,
    },
    Respond {
        which: usize,
    },
    /// User code does something with a WebSocket that it has, or has not.
    WebSocket {
        which: usize,
        id: u32,
        does: Does,
    },
    Drain,
    Pass {
        ms: u64,
    },
    NextDeadline,
}

#[derive(Clone, Copy, Debug)]
enum Says {
    Open,
    Message { bytes: usize },
    Close,
}

#[derive(Clone, Copy, Debug)]
enum Does {
    Accept,
    Say,
    Take,
    Close,
}

/// Numbers of WebSockets begin here, so that a request and a WebSocket are never the same.
const WEBSOCKETS: u32 = 10;

/// What happens to WebSockets, mostly.
fn websocket_step() -> impl Strategy<Value = Step> {
    let says = prop_oneof![
        4 => Just(Says::Open),
        6 => (0..60_usize).prop_map(|bytes| Says::Message { bytes }),
        1 => Just(Says::Close),
    ];
    let does = prop_oneof![
        5 => Just(Does::Accept), 3 => Just(Does::Say), 2 => Just(Does::Take), 1 => Just(Does::Close)
    ];
    prop_oneof![
        12 => (0..2_u8, 0..3_u32, says).prop_map(|(actor, id, says)| Step::Client { actor, id, says }),
        12 => (0..2_usize, 0..3_u32, does).prop_map(|(which, id, does)| Step::WebSocket { which, id, does }),
        3 => (0..2_usize).prop_map(|which| Step::Started { which }),
        1 => Just(Step::Connect { new: false }),
        5 => step(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..4_usize;
    let engine = prop_oneof![
        10 => prop::bool::weighted(0.1).prop_map(|new| Step::Connect { new }),
        1 => Just(Step::Dialled),
        1 => prop::bool::weighted(0.1).prop_map(|new| Step::Greet { new }),
        6 => (0..3_u8, 0..3_u32).prop_map(|(actor, ahead)| Step::Start { actor, ahead }),
        4 => (0..3_u8, 0..3_u32, 0..3_i64).prop_map(|(actor, ahead, index)| Step::Stop { actor, ahead, index }),
        5 => which.clone().prop_map(|which| Step::Ack { which }),
        3 => Just(Step::Ping),
        5 => (0..3_u8, 0..6_u32).prop_map(|(actor, id)| Step::Request { actor, id }),
        1 => (0..6_u32).prop_map(|id| Step::RequestAbort { id }),
        3 => (which.clone(), any::<bool>()).prop_map(|(which, refused)| Step::KvAnswer { which, refused }),
        1 => Just(Step::Noise),
    ];
    let code = prop_oneof![
        6 => which.clone().prop_map(|which| Step::Started { which }),
        4 => (which.clone(), any::<bool>()).prop_map(|(which, error)| Step::Stopped { which, error }),
        1 => which.clone().prop_map(|which| Step::Sleep { which }),
        1 => which.clone().prop_map(|which| Step::Destroy { which }),
        4 => which.clone().prop_map(|which| Step::Alarm { which }),
        5 => (which.clone(), any::<bool>()).prop_map(|(which, repeatable)| Step::Kv { which, repeatable }),
        4 => which.prop_map(|which| Step::Respond { which }),
    ];
    let world = prop_oneof![
        20 => any::<u64>().prop_map(|jitter| Step::Close { jitter }),
        1 => any::<bool>().prop_map(|refused| Step::Final { refused }),
        2 => Just(Step::NamespaceUnknown),
        4 => Just(Step::Drain),
        20 => (0..500_u64).prop_map(|ms| Step::Pass { ms }),
        5 => (0..8_000_u64).prop_map(|ms| Step::Pass { ms }),
        10 => Just(Step::NextDeadline),
    ];
    prop_oneof![10 => engine, 8 => code, 2 => world]
}

fn play(world: &mut World, step: Step) {
    match step {
        Step::Connect { new } => {
            while !world.session && !world.ended {
                if world.waits_for_dial() {
                    let Some((at, _)) = world.runner.next_deadline() else { return };
                    world.pass(at.since(world.now.mono));
                } else {
                    play(world, Step::Dialled);
                    play(world, Step::Greet { new });
                }
            }
        }
        Step::Dialled => {
            if let Some((conn, open @ false)) = &mut world.socket {
                *open = true;
                let conn = *conn;
                world.feed(Input::Dialled { conn });
            }
        }
        Step::Greet { new } => {
            let id = if new { runner(u8::try_from(world.fresh() % 30).expect("below 30")) } else { world.id };
            world.greet(id);
        }
        Step::Close { jitter } => world.close(CloseClass::Retry, jitter),
        Step::Final { refused } => {
            world.close(if refused { CloseClass::Refused } else { CloseClass::Evicted }, 0);
        }
        Step::NamespaceUnknown => world.close(CloseClass::NamespaceUnknown, 0),
        Step::Drain => {
            world.draining = true;
            world.feed(Input::Drain);
        }
        Step::Pass { ms } => world.pass(Duration::from_millis(ms)),
        Step::NextDeadline => {
            if let Some((at, _)) = world.runner.next_deadline() {
                world.pass(at.since(world.now.mono));
            }
        }
        Step::Start { .. }
        | Step::Stop { .. }
        | Step::Ack { .. }
        | Step::Ping
        | Step::Request { .. }
        | Step::RequestAbort { .. }
        | Step::Client { .. }
        | Step::KvAnswer { .. }
        | Step::Noise => {
            if world.session {
                play_engine(world, step);
            }
        }
        Step::Started { .. }
        | Step::Stopped { .. }
        | Step::Sleep { .. }
        | Step::Destroy { .. }
        | Step::Alarm { .. }
        | Step::Kv { .. }
        | Step::Respond { .. } => play_code(world, step),
        Step::WebSocket { which, id, does } => play_websocket(world, which, id, does),
    }
}

/// A generation the engine may speak of: not one whose end it has acknowledged, nor one before that.
fn generation(world: &mut World, actor: ActorId, ahead: u32) -> Generation {
    let over = world.heard.iter().filter(|((a, _), h)| *a == actor && h.stopped && h.acknowledged == h.next);
    let floor = over.map(|((_, generation), _)| generation.0).chain(world.floors.get(&actor).copied()).max();
    let generation = floor.unwrap_or(0) + 1 + ahead;
    let spoken = world.spoken.entry(actor).or_insert(0);
    *spoken = generation.max(*spoken);
    Generation(generation)
}

fn play_engine(world: &mut World, step: Step) {
    match step {
        Step::Start { actor: number, ahead } => {
            let actor_id = actor(number);
            let generation = generation(world, actor_id, ahead);
            let body = world.body();
            let checkpoint = Checkpoint { actor_id, generation, index: 0 };
            world.frame(Frame::Start { checkpoint, body });
        }
        Step::Stop { actor: number, ahead, index } => {
            let actor_id = actor(number);
            let generation = generation(world, actor_id, ahead);
            world.frame(Frame::StopActor { checkpoint: Checkpoint { actor_id, generation, index } });
        }
        Step::Ack { which } => {
            let key = world.heard.keys().nth(which).copied();
            key.into_iter().for_each(|key| world.acknowledge(key));
        }
        Step::Ping => world.frame(Frame::Ping { ts: 1 }),
        Step::Request { actor: number, id } => {
            let body = world.body();
            let name = (GATEWAY, request(id));
            if !world.delivered.contains_key(&name) {
                world.asked.insert(name);
            }
            world.frame(Frame::Request { gateway: name.0, request: name.1, actor: actor(number), body });
        }
        Step::RequestAbort { id } => {
            world.frame(Frame::RequestAbort { gateway: GATEWAY, request: request(id) });
        }
        Step::Client { actor: number, id, says } => play_client(world, number, id, says),
        Step::KvAnswer { which, refused } => {
            let id = world.on_wire.keys().nth(which).copied();
            if let Some(id) = id {
                let body = world.body();
                world.frame(if refused {
                    Frame::KvRefused { request: id, body }
                } else {
                    Frame::KvResponse { request: id, body }
                });
            }
        }
        Step::Noise => {
            let stale = world.body();
            let frame = Frame::KvResponse { request: 99, body: stale };
            world.feed(Input::Frame { conn: ConnId(9_999), frame });
            world.frame(Frame::Invalid);
            world.frame(Frame::Init { runner: runner(31), lost_threshold: -1, drain_grace: None });
            let future = Checkpoint { actor_id: actor(0), generation: Generation(1), index: 1_000 };
            world.frame(Frame::AckEvents(vec![future]));
        }
        other => unreachable!("{other:?} is not the engine's"),
    }
}

fn play_client(world: &mut World, number: u8, id: u32, says: Says) {
    let (gateway, request, body) = (GATEWAY, request(WEBSOCKETS + id), world.body());
    let name = (gateway, request);
    let frame = match says {
        Says::Open => {
            if !world.websockets.contains_key(&name) {
                world.wanted.insert(name);
            }
            Frame::WebSocketOpen { gateway, request, actor: actor(number), body }
        }
        Says::Message { bytes } => {
            world.said = bytes;
            Frame::WebSocketMessage { gateway, request, body, bytes }
        }
        Says::Close => {
            world.wanted.remove(&name);
            Frame::WebSocketClose { gateway, request, body }
        }
    };
    world.frame(frame);
}

fn play_websocket(world: &mut World, which: usize, id: u32, does: Does) {
    let name = (GATEWAY, request(WEBSOCKETS + id));
    let Some((actor, (generation, _))) = world.code.iter().nth(which) else { return };
    let key = (*actor, *generation);
    let own = world.websockets.get_mut(&name).filter(|carried| carried.key == key);
    let event = match does {
        Does::Accept => WebSocketEvent::Accept,
        Does::Take => match own.map(|carried| carried.unread.pop_front()) {
            Some(None) => return,
            Some(Some(bytes)) => WebSocketEvent::Took { bytes },
            None => WebSocketEvent::Took { bytes: 1 },
        },
        Does::Say => WebSocketEvent::Say { body: world.body() },
        Does::Close => WebSocketEvent::Close { body: world.body() },
    };
    world.instance(key.0, key.1, InstanceEvent::WebSocket { gateway: name.0, request: name.1, event });
}

fn play_code(world: &mut World, step: Step) {
    let which = match step {
        Step::Started { which }
        | Step::Stopped { which, .. }
        | Step::Sleep { which }
        | Step::Destroy { which }
        | Step::Alarm { which }
        | Step::Kv { which, .. }
        | Step::Respond { which } => which,
        ref other => unreachable!("{other:?} is not user code's"),
    };
    let Some((actor, (generation, _))) = world.code.iter().nth(which) else { return };
    let (actor, generation) = (*actor, *generation);
    let event = match step {
        Step::Started { .. } => {
            let code = &mut world.code.get_mut(&actor).expect("it was found above").1;
            if code.started {
                return;
            }
            code.started = true;
            InstanceEvent::Started
        }
        Step::Stopped { error, .. } => {
            world.code.remove(&actor);
            InstanceEvent::Stopped { error: error.then(|| "boom".to_owned()) }
        }
        Step::Sleep { .. } => InstanceEvent::Sleep,
        Step::Destroy { .. } => InstanceEvent::Destroy,
        Step::Alarm { .. } => {
            let number = world.fresh();
            let (ticket, at) = (Ticket(number), i64::try_from(number).expect("a small number"));
            world.alarms.insert(ticket, ((actor, generation), None));
            InstanceEvent::Alarm { ticket, at: Some(at) }
        }
        Step::Kv { repeatable, .. } => {
            let (ticket, body) = (Ticket(world.fresh()), BodyId(world.fresh()));
            world.kv.insert(ticket, body);
            InstanceEvent::Kv { ticket, repeatable, body }
        }
        Step::Respond { .. } => {
            let asked = world.delivered.iter().find(|(_, (key, _))| *key == (actor, generation));
            let Some(name) = asked.map(|(name, _)| *name) else { return };
            world.delivered.remove(&name);
            InstanceEvent::Respond { gateway: name.0, request: name.1, body: world.body() }
        }
        other => unreachable!("{other:?} is not user code's"),
    };
    world.instance(actor, generation, event);
}

#[test]
fn every_instance_ticket_and_payload_ends_once() {
    walk(
        "runner_",
        &["runner_events_overflow", "runner_redial_late", "runner_response_dropped", "runner_websocket_"],
        prop::collection::vec(step(), 1..160),
        |steps| {
            let mut world = World::new();
            world.feed(Input::Start);
            steps.into_iter().for_each(|step| play(&mut world, step));
            world.finish();
        },
    );
}

#[test]
fn every_websocket_is_carried_in_order_and_ends_once_on_both_sides() {
    walk("runner_websocket_", &[], prop::collection::vec(websocket_step(), 1..120), |steps| {
        let mut world = World::new();
        world.feed(Input::Start);
        let begin = [
            Step::Connect { new: false },
            Step::Start { actor: 0, ahead: 0 },
            Step::Started { which: 0 },
            Step::Start { actor: 1, ahead: 0 },
        ];
        begin.into_iter().chain(steps).for_each(|step| play(&mut world, step));
        world.finish();
    });
}
