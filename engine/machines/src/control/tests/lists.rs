//! Lists: order, pages, filters.

use std::collections::BTreeMap;

use protocol::api::PoolVariant;
use protocol::error::{ApiError, Code};
use protocol::id::{BodyId, NamespaceId, Ticket};

use super::plane::{Plane, actor};
use crate::control::effect::Answer;
use crate::control::input::{ActorFilter, Call, Frame, Page};
use crate::control::{Effect, Input};

fn page(limit: usize, cursor: Option<String>) -> Page {
    Page { limit, cursor }
}

fn by_name(key: Option<&str>, include_destroyed: bool, page: Page) -> Call {
    let key = key.map(str::to_owned);
    let filter = ActorFilter::Name { name: "counter".into(), key, include_destroyed, page };
    Call::ListActors { namespace: "default".into(), filter }
}

fn actors(plane: &mut Plane, call: Call) -> (Vec<String>, Option<String>) {
    let Ok(Answer::Actors(actors, next)) = plane.call(call) else { panic!("a list") };
    (actors.into_iter().map(|actor| actor.key.unwrap()).collect(), next)
}

#[test]
fn pages_of_actors_neither_skip_nor_repeat() {
    let mut plane = Plane::new();
    plane.normal().create("c").create("a").after(5).create("b").create("d").delete("d");
    let mut cursor = None;
    let mut all = Vec::new();
    for pages in 0.. {
        let (keys, next) = actors(&mut plane, by_name(None, true, page(1, cursor)));
        all.extend(keys);
        cursor = next;
        if cursor.is_none() {
            assert_eq!(pages, 3);
            break;
        }
    }
    assert_eq!(all, ["b", "d", "a", "c"], "newest first, then by id");
    assert_eq!(actors(&mut plane, by_name(None, false, page(10, None))).0, ["b", "a", "c"]);
    assert_eq!(actors(&mut plane, by_name(Some("a"), false, page(10, None))).0, ["a"]);
    assert_eq!(actors(&mut plane, by_name(Some("d"), false, page(10, None))).0, Vec::<String>::new());
    assert_eq!(actors(&mut plane, by_name(Some("d"), true, page(10, None))).0, ["d"]);
    let wrong = plane.call(by_name(None, false, page(1, Some("17".into()))));
    assert_eq!(wrong.unwrap_err().kind(), Code::ValidationInvalidInput);
}

#[test]
fn actors_by_id_leave_out_what_is_unknown() {
    let mut plane = Plane::new();
    plane.normal().create("a").after(5).create("b");
    let filter = ActorFilter::Ids(vec![actor("a"), actor("x"), actor("b"), actor("a")]);
    let call = Call::ListActors { namespace: "default".into(), filter };
    assert_eq!(actors(&mut plane, call), (vec!["b".into(), "a".into()], None));
}

#[test]
fn names_come_from_creation_and_from_runners() {
    let mut plane = Plane::new();
    plane.normal().create("a");
    plane.socket("r");
    let actor_names = BTreeMap::from([("echo".to_owned(), "{\"x\":1}".to_owned())]);
    let fresh = super::plane::runner("r");
    let pool = "default".into();
    plane.frame("r", Frame::Init { fresh, pool, version: 1, total_slots: 1, actor_names, metadata: None });
    let names = |cursor: Option<&str>| Call::ListActorNames {
        namespace: "default".into(),
        page: page(1, cursor.map(str::to_owned)),
    };
    let one = |name: &str, metadata: &str| BTreeMap::from([(name.to_owned(), metadata.to_owned())]);
    assert_eq!(plane.call(names(None)), Ok(Answer::ActorNames(one("counter", "{}"), Some("counter".into()))));
    assert_eq!(plane.call(names(Some("counter"))), Ok(Answer::ActorNames(one("echo", "{\"x\":1}"), None)));
}

#[test]
fn runners_are_listed_with_their_room() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create("a").after(5).runner("s", 1);
    let runners = |pool: Option<&str>, cursor| Call::ListRunners {
        namespace: "default".into(),
        pool: pool.map(str::to_owned),
        ids: vec![],
        page: page(1, cursor),
    };
    let Ok(Answer::Runners(first, next)) = plane.call(runners(None, None)) else { panic!("a list") };
    let Ok(Answer::Runners(second, None)) = plane.call(runners(Some("default"), next)) else {
        panic!("a list")
    };
    let shown: Vec<_> =
        first.iter().chain(&second).map(|it| (it.key.as_str(), it.total_slots, it.remaining_slots)).collect();
    assert_eq!(shown, [("s", 1, 1), ("r", 2, 1)]);
    assert_eq!(plane.call(runners(Some("other"), None)), Ok(Answer::Runners(Vec::new(), None)));
}

#[test]
fn namespaces_have_names_of_their_own() {
    let mut plane = Plane::new();
    let create = |byte: u8, name: &str| Call::CreateNamespace {
        fresh: NamespaceId::from_entropy([byte; 16]),
        name: name.into(),
        display_name: "Blue".into(),
    };
    assert!(matches!(plane.call(create(1, "blue")), Ok(Answer::Namespace(_))));
    assert_eq!(plane.call(create(2, "blue")).unwrap_err().kind(), Code::NamespaceNameNotUnique);
    let list = |name: Option<&str>, ids: Vec<NamespaceId>| Call::ListNamespaces {
        name: name.map(str::to_owned),
        ids,
        page: page(1, None),
    };
    let Ok(Answer::Namespaces(first, Some(_))) = plane.call(list(None, vec![])) else { panic!("two pages") };
    let Ok(Answer::Namespaces(named, None)) = plane.call(list(Some("default"), vec![])) else {
        panic!("one page")
    };
    assert_eq!((first[0].name.as_str(), named[0].name.as_str()), ("blue", "default"));
    // Asked for by id it is on the first page, wherever it stands among all.
    let Ok(Answer::Namespaces(by_id, None)) = plane.call(list(None, vec![named[0].namespace_id])) else {
        panic!("one page")
    };
    assert_eq!(by_id, named);
}

#[test]
fn runners_are_listed_by_id_and_their_pools_by_name() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).after(5).runner("s", 1);
    let id_of_r = plane.control.view().runners.iter().map(|it| it.runner).min().expect("there are two");
    let runners = |pool: Option<&str>, ids: Vec<_>| Call::ListRunners {
        namespace: "default".into(),
        pool: pool.map(str::to_owned),
        ids,
        page: page(10, None),
    };
    let mut keys = |call| {
        let Ok(Answer::Runners(runners, None)) = plane.call(call) else { panic!("one page") };
        runners.iter().map(|it| it.key.as_str().to_owned()).collect::<Vec<_>>()
    };
    let unknown = super::plane::runner("x");
    assert_eq!(keys(runners(None, vec![id_of_r, unknown])), ["r"]);
    assert_eq!(keys(runners(Some("default"), vec![id_of_r])), ["r"]);
    assert_eq!(keys(runners(Some("other"), vec![id_of_r])), Vec::<String>::new());
    let names = Call::ListRunnerNames { namespace: "default".into(), page: page(10, None) };
    assert_eq!(plane.call(names), Ok(Answer::RunnerNames(vec!["default".into()], None)));
    let elsewhere = Call::ListRunnerNames { namespace: "mars".into(), page: page(10, None) };
    assert_eq!(plane.call(elsewhere).unwrap_err().kind(), Code::NamespaceNotFound);
}

#[test]
fn configurations_are_listed_by_their_kind() {
    let mut plane = Plane::new();
    plane.normal();
    let config = super::plane::serverless("http://app");
    let put = Call::UpsertRunnerConfig { namespace: "default".into(), pool: "cloud".into(), config };
    plane.call(put).unwrap();
    let mut pools = |variant| {
        let call = Call::ListRunnerConfigs {
            namespace: "default".into(),
            pools: vec![],
            variant,
            page: page(10, None),
        };
        let Ok(Answer::RunnerConfigs(configs, None)) = plane.call(call) else { panic!("one page") };
        configs.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(pools(None), ["cloud", "default"]);
    assert_eq!(pools(Some(PoolVariant::Normal)), ["default"]);
    assert_eq!(pools(Some(PoolVariant::Serverless)), ["cloud"]);
}

#[test]
fn what_an_actor_stored_is_read_as_long_as_it_lives() {
    let mut plane = Plane::new();
    plane.normal().create("a").create("d").delete("d");
    let read = |namespace: Option<&str>, name: &str| Input::Api {
        ticket: Ticket(900),
        call: Call::ReadKv { namespace: namespace.map(str::to_owned), actor: actor(name), body: BodyId(9) },
    };
    let asleep = Effect::ReadKv { ticket: Ticket(900), actor: actor("a"), body: BodyId(9) };
    for namespace in [None, Some("default")] {
        assert!(plane.input(read(namespace, "a")).last.contains(&asleep), "nobody need host it");
    }
    let refused = |error| Effect::Answer { ticket: Ticket(900), answer: Box::new(Err(error)) };
    for (namespace, name, error) in [
        (None, "d", ApiError::ActorNotFound),
        (None, "x", ApiError::ActorNotFound),
        (Some("mars"), "a", ApiError::NamespaceNotFound),
    ] {
        let last = &plane.input(read(namespace, name)).last;
        assert!(last.contains(&refused(error)), "{last:?}");
        assert!(last.contains(&Effect::Drop { body: BodyId(9) }), "its request is not held for ever");
    }
}
