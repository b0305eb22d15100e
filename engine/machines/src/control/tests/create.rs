//! Creating and destroying actors.

use protocol::api::CrashPolicy;
use protocol::error::{ApiError, Code};
use protocol::id::BodyId;

use super::plane::{Plane, actor};
use crate::control::effect::Answer;
use crate::control::input::{Call, NewActor};
use crate::control::{Effect, Options};

fn code(answer: Result<Answer, ApiError>) -> Code {
    answer.unwrap_err().kind()
}

#[test]
fn a_key_is_taken_until_its_actor_is_destroyed() {
    let mut plane = Plane::new();
    plane.normal().create("a");
    let second = || NewActor { fresh: actor("b"), key: Some("a".into()), ..Plane::new_actor("b") };
    let error = plane.call(Call::CreateActor(second())).unwrap_err();
    assert_eq!(error, ApiError::ActorDuplicateKey { existing_actor_id: actor("a"), key: "a".into() });
    let elsewhere = NewActor { pool: "unconfigured".into(), ..second() };
    let Ok(Answer::Actor { actor: existing, created }) = plane.call(Call::GetOrCreateActor(elsewhere)) else {
        panic!("the existing actor is answered, whatever pool is asked for");
    };
    assert_eq!(
        (existing.actor_id, created, existing.runner_name_selector.as_str()),
        (actor("a"), false, "default")
    );
    plane.delete("a");
    let Ok(Answer::Actor { actor: new, created }) = plane.call(Call::GetOrCreateActor(second())) else {
        panic!("a new actor is answered");
    };
    assert_eq!((new.actor_id, created), (actor("b"), true));
}

#[test]
fn deleting_frees_the_key_while_the_runner_still_stops_the_actor() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").delete("a");
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    let next = NewActor { fresh: actor("b"), key: Some("a".into()), ..Plane::new_actor("b") };
    plane.call(Call::CreateActor(next)).unwrap();
    assert_eq!((plane.phase("a"), plane.phase("b")), ("stopping", "pending"));
    plane.delete("a");
    assert!(plane.commands().is_empty(), "one stop is enough");
    plane.stopped("r", "a", protocol::wire::StopCode::Ok);
    assert_eq!((plane.phase("a"), plane.phase("b")), ("gone", "starting"));
    assert!(plane.last.contains(&Effect::Erase { actor: actor("a") }));
    plane.delete("a");
}

#[test]
fn a_pool_must_be_configured_or_have_a_runner() {
    let mut plane = Plane::new();
    let new = || Plane::new_actor("a");
    let unknown = NewActor { namespace: "nowhere".into(), ..new() };
    assert_eq!(code(plane.call(Call::CreateActor(unknown))), Code::NamespaceNotFound);
    let with_input = NewActor { input: Some(BodyId(4)), ..new() };
    assert_eq!(code(plane.call(Call::CreateActor(with_input.clone()))), Code::ActorNoRunnerConfig);
    assert!(plane.last.contains(&Effect::Drop { body: BodyId(4) }), "its input is not kept");
    plane.connect("r", 1);
    plane.call(Call::CreateActor(with_input)).unwrap();
    assert!(plane.last.contains(&Effect::KeepInput { actor: actor("a"), body: BodyId(4) }));
}

#[test]
fn actors_are_bounded() {
    let mut plane = Plane::with(Options { actors_max: 1, ..Options::default() });
    plane.normal().create_with("a", CrashPolicy::Restart);
    assert_eq!(code(plane.call(Call::CreateActor(Plane::new_actor("b")))), Code::GuardServiceUnavailable);
    plane.delete("a").create("b");
}

#[test]
fn deleting_an_unknown_actor_says_so() {
    let mut plane = Plane::new();
    let delete = |namespace: Option<&str>, name| Call::DeleteActor {
        namespace: namespace.map(str::to_owned),
        actor: actor(name),
    };
    assert_eq!(code(plane.call(delete(None, "a"))), Code::ActorNotFound);
    plane.normal().create("a");
    assert_eq!(code(plane.call(delete(Some("nowhere"), "a"))), Code::NamespaceNotFound);
    assert_eq!(plane.call(delete(Some("default"), "a")), Ok(Answer::Deleted));
}
