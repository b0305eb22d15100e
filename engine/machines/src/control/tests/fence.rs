//! At most one generation has rights, and only on its runner's current session.

use protocol::api::CrashPolicy;
use protocol::id::Generation;
use protocol::wire::{ActorState, Event, StopCode};

use super::plane::Plane;
use crate::control::Input;

fn stopped() -> Event {
    Event::ActorStateUpdate { state: ActorState::Stopped { code: StopCode::Ok, message: None } }
}

/// Generation and index of what the last step acknowledged.
fn acknowledged(plane: &Plane) -> Vec<(u32, i64)> {
    let acks = plane.last.iter().filter_map(|effect| match effect {
        crate::control::Effect::Send {
            message: crate::control::effect::Message::AckEvents(acks), ..
        } => Some(acks),
        _ => None,
    });
    acks.flatten().map(|ack| (ack.generation.0, ack.index)).collect()
}

#[test]
fn kv_is_taken_in_every_stage_of_the_assigned_runner_only() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").runner("s", 1);
    assert!(plane.kv("r", "a"), "starting");
    assert!(!plane.kv("s", "a"));
    plane.running("r", "a");
    assert!(plane.kv("r", "a"));
    plane.sleeps("r", "a");
    assert!(plane.kv("r", "a"), "it saves while it stops");
    plane.stopped("r", "a", StopCode::Ok);
    assert!(!plane.kv("r", "a"));
}

#[test]
fn an_evicted_session_has_no_say() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a");
    let old = plane.conn("r");
    plane.connect("r", 1);
    let kv = crate::control::input::Frame::Kv {
        request: 1,
        actor: super::plane::actor("a"),
        op: crate::control::input::KvOp::Write,
        body: protocol::id::BodyId(5),
    };
    plane.input(Input::Frame { conn: old, frame: kv });
    assert_eq!(plane.last, [crate::control::Effect::Drop { body: protocol::id::BodyId(5) }]);
    plane.input(Input::SocketClosed { conn: old });
    assert_eq!(plane.phase("a"), "running", "the end of the old socket is not the runner's");
}

#[test]
fn a_generation_that_did_not_answer_lingers_until_its_stopped() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create_with("a", CrashPolicy::Restart).after(30_000);
    assert_eq!(plane.phase("a"), "pending", "not on the session where the first generation may live");
    assert!(!plane.kv("r", "a"));
    assert_eq!(plane.control.view().runners[0].used_slots, 1);
    plane.restart(500).runner("r", 2);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"], "it is asked again to stop");
    assert_eq!(plane.phase("a"), "pending", "a restart does not forget it");
    plane.event_of("r", "a", Generation(1), stopped());
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    assert_eq!(plane.control.view().runners[0].used_slots, 1);
}

#[test]
fn a_lingering_generation_keeps_the_actor_off_this_runner_only() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create_with("a", CrashPolicy::Restart).after(30_000);
    plane.create("b");
    assert_eq!((plane.phase("a"), plane.phase("b")), ("pending", "starting"), "others are not held back");
    plane.runner("s", 1);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    plane.event_of("r", "a", Generation(1), stopped());
    assert_eq!(plane.phase("a"), "starting", "the end of the first is not the end of the second");
}

#[test]
fn the_one_slot_that_is_left_elsewhere_is_found() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 10_000).create_with("a", CrashPolicy::Restart).after(30_000);
    assert_eq!(plane.phase("a"), "pending", "it lingers where nearly every draw falls");
    plane.runner("s", 1);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
}

#[test]
fn events_of_an_older_generation_or_index_change_nothing() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").sleeps("r", "a").stopped(
        "r",
        "a",
        StopCode::Ok,
    );
    plane.watch("a").running("r", "a");
    plane.event_of("r", "a", Generation(1), stopped());
    assert_eq!(plane.phase("a"), "running");
    assert_eq!(acknowledged(&plane).len(), 1, "read, so it need not be kept");
    let again = crate::control::input::RunnerEvent {
        actor: super::plane::actor("a"),
        generation: Generation(2),
        index: 0,
        event: stopped(),
    };
    plane.frame("r", crate::control::input::Frame::Events(vec![again]));
    assert_eq!(plane.phase("a"), "running", "index 0 was its Running");
}

#[test]
fn a_lingering_generation_does_not_send_its_actor_back_to_an_older_version() {
    let mut plane = Plane::new();
    plane
        .normal()
        .connect_version("new", 2, 2)
        .pong("new")
        .create_with("a", CrashPolicy::Restart)
        .after(30_000);
    plane.connect_version("old", 2, 1).pong("old");
    assert_eq!(plane.phase("a"), "pending");
    plane.connect_version("newer", 2, 2).pong("newer");
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
}

#[test]
fn the_newest_event_of_a_frame_is_acknowledged() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a");
    let alarm = |index| crate::control::input::RunnerEvent {
        actor: super::plane::actor("a"),
        generation: Generation(1),
        index,
        event: Event::SetAlarm { alarm_ts: None },
    };
    plane.frame("r", crate::control::input::Frame::Events(vec![alarm(4), alarm(3)]));
    assert_eq!(acknowledged(&plane), [(1, 4)]);
}

#[test]
fn an_alarm_of_a_generation_without_rights_is_not_acknowledged_but_its_end_is() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart).running("r", "a").drop_socket("r");
    plane.after(3_000).runner("s", 1).runner("r", 1);
    plane.event_of("r", "a", Generation(1), Event::SetAlarm { alarm_ts: Some(1) });
    assert_eq!(acknowledged(&plane), [], "it is not stored");
    plane.event_of("s", "a", Generation(2), Event::SetAlarm { alarm_ts: Some(2) });
    assert_eq!(acknowledged(&plane).len(), 1);
    plane.event_of("r", "a", Generation(1), stopped());
    assert_eq!(acknowledged(&plane).len(), 1, "read, so nothing of it need be kept");
}

#[test]
fn a_lost_process_that_comes_back_stops_what_it_hosted_first() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart).running("r", "a").drop_socket("r");
    plane.after(3_000).runner("r", 1);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    assert_eq!(plane.phase("a"), "pending");
    assert!(!plane.kv("r", "a"), "what the first generation still saves is not the second's");
    plane.event_of("r", "a", Generation(1), stopped());
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
}

#[test]
fn a_process_that_comes_back_late_has_stopped_by_itself() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart).running("r", "a").drop_socket("r");
    plane.after(33_000).runner("r", 1);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
}

#[test]
fn what_a_lost_runner_hosted_fades_when_it_is_back_and_does_not_answer() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").drop_socket("r").after(16_000).watch("a");
    plane.runner("r", 1);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    plane.after(14_999);
    assert_eq!(plane.phase("a"), "pending", "its process may still have it");
    plane.after(1);
    assert_eq!(plane.commands(), ["start a:a00000 g2"], "nobody is there to answer");
    assert_eq!(plane.control.view().runners[0].used_slots, 1);
}

#[test]
fn what_a_lost_runner_hosted_is_known_after_a_fall_of_the_engine() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart).running("r", "a").drop_socket("r");
    plane.after(3_000).restart(300).runner("r", 1);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    assert_eq!(plane.phase("a"), "pending", "not on the session on which its first generation may save");
    assert!(!plane.kv("r", "a"));
    plane.event_of("r", "a", Generation(1), stopped());
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
}

#[test]
fn a_stop_that_is_sent_again_and_not_answered_has_a_shorter_bound() {
    let mut plane = Plane::new();
    plane
        .normal()
        .runner("r", 1)
        .create("a")
        .running("r", "a")
        .sleeps("r", "a")
        .restart(1_000)
        .runner("r", 1);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    plane.watch("a").after(119_999);
    assert_eq!(plane.phase("a"), "stopping");
    plane.after(1);
    assert_eq!(plane.commands(), ["start a:a00000 g2"], "RivetKit forgot it while the socket was down");
}

#[test]
fn a_stop_that_was_sent_once_keeps_its_time() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").sleeps("r", "a").watch("a").after(1_799_999);
    assert_eq!(plane.phase("a"), "stopping");
    plane.after(1);
    assert_eq!(plane.phase("a"), "pending", "it lingers");
}

#[test]
fn a_runner_that_comes_back_after_a_long_night_is_a_new_one() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").restart(10_000).after(4_999).watch("a");
    plane.runner("r", 1);
    assert_eq!(plane.phase("a"), "running", "within the lost threshold it has kept its actors");
    plane.restart(10_000).restart(3_000).after(2_000).watch("a").runner("r", 1);
    assert_eq!(plane.phase("a"), "pending", "beyond it has not, however often the engine fell meanwhile");
    plane.after(15_000);
    assert_eq!(plane.phase("a"), "starting");
}

/// A session that lasts for weeks has no barrier that would ask again.
#[test]
fn what_lingers_fades_on_a_session_that_lasts() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart).after(30_000);
    assert_eq!(plane.phase("a"), "pending", "it never ran, and its slot is held");
    plane.after(119_999);
    assert_eq!(plane.phase("a"), "pending");
    plane.after(1);
    assert_eq!((plane.phase("a"), plane.view("a").generation), ("starting", Some(Generation(2))));
}

#[test]
fn those_that_linger_later_have_their_own_time() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create_with("a", CrashPolicy::Restart).after(60_000);
    plane.create_with("b", CrashPolicy::Restart).after(30_000);
    assert_eq!((plane.phase("a"), plane.phase("b")), ("pending", "pending"));
    plane.after(60_000);
    assert_eq!((plane.phase("a"), plane.phase("b")), ("starting", "pending"), "a was asked 120 s ago, b 60");
    plane.running("r", "a").after(119_999);
    assert_eq!(plane.phase("b"), "pending");
    plane.after(1);
    assert_eq!(plane.phase("b"), "starting");
}
