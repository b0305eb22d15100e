//! A process that comes back under the identity of another and knows nothing of its actors.

use protocol::api::CrashPolicy;
use protocol::error::ActorError;
use protocol::id::{ConnId, Generation};
use protocol::wire::StopCode;
use protocol::wire::incarnation::metadata_of;

use super::plane::{Plane, actor};
use crate::control::Input;
use crate::control::effect::Answer;
use crate::control::input::Call;

/// An actor runs on a runner whose process was replaced.
fn replaced(policy: CrashPolicy) -> Plane {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create_with("a", policy).running("r", "a").drop_socket("r").runner("r", 2);
    assert_eq!(plane.phase("a"), "running", "the wire tells no difference");
    plane
}

fn disowned(plane: &mut Plane, generation: u32, conn: ConnId) {
    plane.input(Input::Disowned { actor: actor("a"), generation: Generation(generation), conn });
}

#[test]
fn an_actor_moves_when_its_runner_does_not_know_it() {
    let mut plane = replaced(CrashPolicy::Restart);
    plane.runner("s", 1);
    let conn = plane.conn("r");
    disowned(&mut plane, 1, conn);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn whoever_does_not_know_an_actor_comes_back_as_another_runner() {
    let mut plane = replaced(CrashPolicy::Restart);
    let (conn, before) = (plane.conn("r"), plane.control.view().runners[0].runner);
    disowned(&mut plane, 1, conn);
    assert!(plane.control.view().runners.is_empty());
    plane.runner("r", 2);
    let runners = plane.control.view().runners;
    assert_ne!(runners[0].runner, before, "the process before it learns that nothing is its own any more");
    assert_eq!(plane.phase("a"), "pending", "one that stops it after all has time for that");
    plane.after(15_000);
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn another_life_of_an_identity_is_another_runner_at_once() {
    let mut plane = Plane::new();
    let lives = [1, 2].map(|life| metadata_of("0.1.0", life));
    plane.normal().runner_saying("r", 2, &lives[0]).create_with("a", CrashPolicy::Restart).running("r", "a");
    let before = plane.control.view().runners[0].runner;
    plane.drop_socket("r").runner_saying("r", 2, &lives[0]);
    assert_eq!((plane.control.view().runners[0].runner, plane.phase("a")), (before, "running"));
    let conn = plane.conn("r");
    plane.runner_saying("r", 2, &lives[1]);
    let runners = plane.control.view().runners;
    assert_eq!(runners.len(), 1);
    assert!(runners[0].runner != before && runners[0].conn != Some(conn));
    assert_eq!(plane.phase("a"), "pending");
    plane.runner_saying("r", 2, &lives[0]);
    assert_ne!(plane.control.view().runners[0].runner, before, "the first one is nobody's host any more");
}

#[test]
fn its_policy_decides_as_after_a_loss() {
    for (policy, after) in [(CrashPolicy::Sleep, "sleeping"), (CrashPolicy::Destroy, "gone")] {
        let mut plane = replaced(policy);
        let conn = plane.conn("r");
        disowned(&mut plane, 1, conn);
        assert_eq!(plane.phase("a"), after, "{policy:?}");
    }
    let mut plane = replaced(CrashPolicy::Sleep);
    let conn = plane.conn("r");
    disowned(&mut plane, 1, conn);
    let Ok(Answer::Actor { actor, .. }) = plane.call(Call::GetOrCreateActor(Plane::new_actor("a"))) else {
        panic!("it lives");
    };
    assert!(matches!(actor.error, Some(ActorError::RunnerConnectionLost { .. })), "{:?}", actor.error);
}

#[test]
fn what_is_said_of_another_generation_or_session_or_too_late_changes_nothing() {
    let mut plane = replaced(CrashPolicy::Restart);
    let conn = plane.conn("r");
    disowned(&mut plane, 2, conn);
    disowned(&mut plane, 1, ConnId(conn.0 - 1));
    assert_eq!(plane.phase("a"), "running");
    plane.stopped("r", "a", StopCode::Error);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    disowned(&mut plane, 1, conn);
    disowned(&mut plane, 2, conn);
    assert_eq!(plane.phase("a"), "starting", "who starts was not asked yet");
}
