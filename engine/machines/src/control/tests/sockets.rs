//! Runner sockets: bad beginnings, bad frames, barriers, bounds.

use std::collections::BTreeMap;

use protocol::error::CloseReason;
use protocol::id::{ConnId, RunnerKey};

use super::plane::{Plane, runner};
use crate::control::input::Frame;
use crate::control::{Effect, Input, Options};

fn closes(plane: &Plane) -> Vec<CloseReason> {
    let closes = plane.last.iter().filter_map(|effect| match effect {
        Effect::Close { reason, .. } => Some(*reason),
        _ => None,
    });
    closes.collect()
}

fn init(name: &str) -> Frame {
    Frame::Init {
        fresh: runner(name),
        pool: "default".into(),
        version: 1,
        total_slots: 1,
        actor_names: BTreeMap::new(),
        metadata: None,
    }
}

#[test]
fn a_socket_without_init_is_closed() {
    let mut plane = Plane::new();
    plane.socket("r");
    plane.after(4_999);
    assert_eq!(closes(&plane), []);
    plane.after(1);
    assert_eq!(closes(&plane), [CloseReason::TimedOutWaitingForInit]);
    plane.frame("r", init("r"));
    assert!(plane.last.is_empty() && plane.control.view().runners.is_empty(), "too late");
    plane.drop_socket("r");
    assert_eq!(plane.control.view().sockets, 0);
}

#[test]
fn every_wrong_beginning_has_its_reason() {
    let mut plane = Plane::new();
    plane.socket("a");
    plane.frame("a", Frame::Pong { ts: 0 });
    assert_eq!(closes(&plane), [CloseReason::InvalidInitialPacket]);
    let conn = plane.socket("b");
    plane.input(Input::FrameInvalid { conn });
    assert_eq!(closes(&plane), [CloseReason::InvalidInitialPacket]);
    let key = RunnerKey::new("c").unwrap();
    plane.input(Input::SocketOpened { conn: ConnId(99), namespace: "nowhere".into(), key });
    assert_eq!(closes(&plane), [CloseReason::NamespaceNotFound]);
}

#[test]
fn a_wrong_frame_costs_the_session_but_not_the_runner() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a");
    plane.frame("r", init("other"));
    assert_eq!(closes(&plane), [CloseReason::InvalidPacket]);
    assert!(!plane.kv("r", "a"), "the session has no rights any more");
    plane.runner("r", 1);
    assert_eq!(plane.view("a").runner, Some(runner("rc1x")), "back within the grace");
    let conn = plane.conn("r");
    plane.input(Input::FrameInvalid { conn });
    assert_eq!(closes(&plane), [CloseReason::InvalidPacket]);
}

#[test]
fn sockets_are_bounded() {
    let mut plane = Plane::with(Options { sockets_max: 1, ..Options::default() });
    plane.socket("a");
    plane.socket("b");
    assert_eq!(closes(&plane), [CloseReason::GoingAway]);
}

#[test]
fn only_the_pong_to_the_first_ping_passes_the_barrier() {
    let mut plane = Plane::new();
    plane.normal().create("a").connect("r", 1);
    plane.frame("r", Frame::Pong { ts: 17 });
    assert_eq!(plane.phase("a"), "pending");
    plane.pong("r");
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn a_draining_runner_that_reconnects_goes_on_draining() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create("a").running("r", "a").stopping("r").drop_socket("r").runner("r", 2);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"], "it may not know");
    plane.create("b");
    assert_eq!((plane.phase("a"), plane.phase("b")), ("stopping", "pending"));
}

#[test]
fn fewer_slots_than_actors_cannot_be_offered() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create("a").create("b").drop_socket("r").runner("r", 1);
    let view = plane.control.view();
    assert_eq!((view.runners[0].total_slots, view.runners[0].used_slots), (2, 2));
}

#[test]
fn a_late_init_does_not_evict_a_later_socket() {
    let mut plane = Plane::new();
    let old = plane.normal().socket("r");
    plane.runner("r", 1).create("a");
    plane.input(Input::Frame { conn: old, frame: init("late") });
    assert_eq!(closes(&plane), [CloseReason::Eviction]);
    assert!(plane.kv("r", "a"), "the session stays where it was");
}

#[test]
fn what_an_init_says_is_bounded() {
    use protocol::limits::{ACTOR_NAMES_BYTES_MAX, METADATA_BYTES_MAX, NAME_BYTES_MAX};
    let text = |bytes| "x".repeat(bytes);
    let names = |metadata: usize| BTreeMap::from([("a".to_owned(), text(metadata - 1))]);
    let pool = "default".to_owned();
    let refused = |pool: String, names: BTreeMap<String, String>, metadata: Option<String>| {
        let mut plane = Plane::new();
        plane.socket("r");
        plane.frame(
            "r",
            Frame::Init {
                fresh: runner("r"),
                pool,
                version: 1,
                total_slots: 1,
                actor_names: names,
                metadata,
            },
        );
        plane.control.check();
        closes(&plane) == [CloseReason::InvalidInitialPacket] && plane.control.view().runners.is_empty()
    };
    assert!(!refused(text(NAME_BYTES_MAX), names(ACTOR_NAMES_BYTES_MAX), Some(text(METADATA_BYTES_MAX))));
    assert!(refused(text(NAME_BYTES_MAX + 1), BTreeMap::new(), None));
    assert!(refused(String::new(), BTreeMap::new(), None));
    assert!(refused(pool.clone(), names(ACTOR_NAMES_BYTES_MAX + 1), None));
    assert!(refused(pool.clone(), BTreeMap::from([(text(NAME_BYTES_MAX + 1), String::new())]), None));
    assert!(refused(pool, BTreeMap::new(), Some(text(METADATA_BYTES_MAX + 1))));
}
