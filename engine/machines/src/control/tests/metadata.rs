//! What applications tell of themselves, and what a newer version leads to.

use std::collections::BTreeMap;

use protocol::api::{PoolKind, RunnerConfig};
use protocol::error::{ApiError, Code, ServerlessMetadataError};
use protocol::id::{FetchId, Ticket};
use protocol::wire::StopCode;

use super::plane::{Plane, serverless};
use crate::control::effect::Answer;
use crate::control::input::{AppFacts, Call};
use crate::control::{Effect, Input};

fn version(version: u32) -> AppFacts {
    AppFacts { version: Some(version), ..AppFacts::default() }
}

/// The application that is asked last, if one was in the last call.
fn asked(plane: &Plane) -> Option<FetchId> {
    plane.last.iter().rev().find_map(|effect| match effect {
        Effect::FetchMetadata { fetch, .. } => Some(*fetch),
        _ => None,
    })
}

/// Waits until the application is asked, at most so long: how long it took. Streams live meanwhile.
fn until_asked(plane: &mut Plane, seconds: u64) -> (u64, FetchId) {
    for waited in 1..=seconds {
        for stream in plane.streams.clone() {
            plane.input(Input::StreamPing { stream });
        }
        plane.after(1000);
        if let Some(fetch) = asked(plane) {
            return (waited, fetch);
        }
    }
    panic!("nobody was asked for {seconds} s");
}

fn tells(plane: &mut Plane, fetch: FetchId, facts: AppFacts) {
    plane.input(Input::Metadata { fetch, told: Ok(facts) });
}

fn fails(plane: &mut Plane, fetch: FetchId) {
    plane.input(Input::Metadata { fetch, told: Err(ServerlessMetadataError::RequestFailed {}) });
}

#[test]
fn an_application_is_asked_at_once_and_then_every_interval() {
    let mut plane = Plane::new();
    plane.serverless();
    let fetch = asked(&plane).expect("when it is configured");
    let names = BTreeMap::from([("counter".to_owned(), r#"{"icon":"x"}"#.to_owned())]);
    tells(&mut plane, fetch, AppFacts { actor_names: names, ..AppFacts::default() });
    assert!(plane.stored.iter().any(|(key, _)| format!("{key:?}").contains("ActorName")));
    let (waited, fetch) = until_asked(&mut plane, 20);
    assert_eq!(waited, 10);
    plane.serverless();
    assert_eq!(asked(&plane), None, "it is being asked");
    tells(&mut plane, fetch, AppFacts::default());
    plane.after(9_000).serverless();
    assert_eq!(until_asked(&mut plane, 20).0, 1, "storing it again puts nothing off");
    plane.configure(serverless("http://elsewhere"));
    assert!(asked(&plane).is_some(), "another endpoint is asked at once");
    plane.normal().after(60_000);
    assert_eq!(asked(&plane), None, "a pool whose runners connect by themselves has nobody to ask");
}

#[test]
fn an_application_that_does_not_tell_is_asked_less_and_less() {
    let mut plane = Plane::new();
    plane.serverless();
    let mut fetch = asked(&plane).unwrap();
    let mut waits = Vec::new();
    for _ in 0..7 {
        fails(&mut plane, fetch);
        let (waited, next) = until_asked(&mut plane, 1000);
        waits.push(waited);
        fetch = next;
    }
    assert_eq!(waits, [20, 40, 80, 160, 320, 320, 320]);
    // That it does not answer is found out after ten seconds.
    plane.after(9_999);
    assert!(!plane.last.contains(&Effect::DropFetch { fetch }));
    plane.after(1);
    assert!(plane.last.contains(&Effect::DropFetch { fetch }));
    tells(&mut plane, fetch, version(9));
    let (_, fetch) = until_asked(&mut plane, 320);
    tells(&mut plane, fetch, AppFacts::default());
    assert_eq!(until_asked(&mut plane, 20).0, 10, "who tells is asked as before");
}

#[test]
fn after_a_boot_every_application_is_asked_within_its_interval() {
    let mut plane = Plane::new();
    plane.serverless().restart(1000);
    assert!(until_asked(&mut plane, 10).0 <= 10);
}

#[test]
fn callers_are_answered_when_the_application_was_asked() {
    let mut plane = Plane::new();
    let check = |ticket| Input::Api {
        ticket: Ticket(ticket),
        call: Call::CheckEndpoint { url: "http://app".into(), headers: BTreeMap::new() },
    };
    let answer = |plane: &Plane| {
        plane.last.iter().find_map(|effect| match effect {
            Effect::Answer { ticket, answer } => Some((ticket.0, (**answer).clone())),
            _ => None,
        })
    };
    plane.later(check(900));
    let fetch = asked(&plane).unwrap();
    assert_eq!(answer(&plane), None);
    tells(&mut plane, fetch, AppFacts { runtime_version: "2.2.1".into(), ..AppFacts::default() });
    assert_eq!(answer(&plane), Some((900, Ok(Answer::Endpoint(Ok("2.2.1".into()))))));
    plane.later(check(901)).after(10_000);
    let late = Answer::Endpoint(Err(ServerlessMetadataError::RequestTimedOut {}));
    assert_eq!(answer(&plane), Some((901, Ok(late))));
    let refresh = |pool: &str| Call::RefreshMetadata { namespace: "default".into(), pool: pool.into() };
    assert_eq!(plane.call(refresh("default")).unwrap_err().kind(), Code::ServerlessRunnerPoolNotFound);
    plane.serverless();
    plane.later(Input::Api { ticket: Ticket(902), call: refresh("default") });
    let fetch = asked(&plane).unwrap();
    fails(&mut plane, fetch);
    let reason = ServerlessMetadataError::RequestFailed {};
    let failed = ApiError::ServerlessRunnerPoolFailedToFetchMetadata { reason };
    assert_eq!(answer(&plane), Some((902, Err(failed))));
    for ticket in 0..64 {
        plane.later(check(1000 + ticket));
    }
    let full = plane.call(Call::CheckEndpoint { url: "http://app".into(), headers: BTreeMap::new() });
    assert_eq!(full.unwrap_err().kind(), Code::GuardServiceUnavailable);
}

/// The first request for metadata: the one made when the pool is configured.
const FIRST: FetchId = FetchId(1);

/// A pool that does not drain.
fn calm() -> RunnerConfig {
    let mut config = serverless("http://app");
    if let PoolKind::Serverless(serverless) = &mut config.kind {
        serverless.upgrade.drain_on_version_upgrade = false;
    }
    config
}

#[test]
fn older_runners_of_a_normal_pool_are_drained_when_a_newer_one_is_well() {
    let mut plane = Plane::new();
    plane.normal().create("a").runner("r1", 1).running("r1", "a");
    plane.connect_version("r0", 1, 0).pong("r0");
    assert_eq!(plane.draining(), ["r0"], "who comes late and is older gets nothing");
    plane.connect_version("r2", 1, 2);
    assert_eq!(plane.draining(), ["r0"], "it has not answered yet");
    plane.pong("r2");
    assert_eq!(plane.draining(), ["r0", "r1"]);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    plane.stopped("r1", "a", StopCode::Ok).watch("a");
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    plane.connect_version("r3", 0, 3).pong("r3");
    assert_eq!(plane.draining(), ["r0", "r1"], "one without slots is no reason");
    plane.connect_version("r4", 1, 2).pong("r4");
    assert_eq!(plane.draining(), ["r0", "r1"], "equal versions leave each other alone");
}

#[test]
fn who_is_not_connected_is_drained_as_well() {
    let mut plane = Plane::new();
    plane.normal().create("a").runner("r1", 1).running("r1", "a").drop_socket("r1");
    plane.connect_version("r2", 1, 2).pong("r2");
    assert_eq!(plane.phase("a"), "stopping");
    plane.runner("r1", 1);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
}

#[test]
fn a_newer_version_in_the_metadata_sends_a_scout_and_then_replaces_the_others() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let (fetch, old) = (FIRST, plane.streams[0]);
    plane.runner("r1", 1).live(old, "r1").running("r1", "a");
    tells(&mut plane, fetch, version(1));
    assert_eq!(plane.streams, [old], "it is not newer");
    let (_, fetch) = until_asked(&mut plane, 20);
    tells(&mut plane, fetch, version(2));
    let scout = *plane.streams.last().unwrap();
    assert_ne!(scout, old);
    plane.connect_version("r2", 1, 2).pong("r2").live(scout, "r2");
    assert_eq!(plane.draining(), ["r1"]);
    assert_eq!(plane.phase("a"), "stopping");
    plane.watch("a").stopped("r1", "a", StopCode::Ok);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    assert_eq!(plane.streams, [scout], "the old stream is closed once its runner hosts nothing");
}

#[test]
fn a_scout_that_brings_nothing_newer_is_sent_home() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let (fetch, old) = (FIRST, plane.streams[0]);
    plane.runner("r1", 1).live(old, "r1").running("r1", "a");
    tells(&mut plane, fetch, version(2));
    let scout = *plane.streams.last().unwrap();
    plane.runner("r2", 1).live(scout, "r2");
    assert_eq!(plane.streams, [old], "its platform has not switched over yet");
    assert_eq!(plane.draining(), ["r2"]);
    let (_, fetch) = until_asked(&mut plane, 20);
    tells(&mut plane, fetch, version(2));
    assert_eq!(plane.streams.len(), 2, "another is sent");
}

#[test]
fn what_another_application_tells_of_itself_is_passed_over() {
    let mut signed = serverless("http://app");
    if let PoolKind::Serverless(pool) = &mut signed.kind {
        pool.headers.insert("x-deployment".into(), "two".into());
    }
    for other in [serverless("http://elsewhere"), signed] {
        let mut plane = Plane::new();
        plane.serverless();
        let refresh = Call::RefreshMetadata { namespace: "default".into(), pool: "default".into() };
        plane.later(Input::Api { ticket: Ticket(900), call: refresh });
        let fetch = asked(&plane).unwrap();
        plane.configure(other).create("a");
        let streams = plane.streams.clone();
        plane.runner("r1", 1).live(streams[0], "r1").running("r1", "a");
        tells(&mut plane, fetch, version(2));
        assert_eq!(plane.streams, streams, "nobody is sent for its version");
    }
}

#[test]
fn no_scout_is_sent_while_others_are_on_their_way() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let old = plane.streams[0];
    plane.runner("r1", 1).live(old, "r1").running("r1", "a").create("b");
    let streams = plane.streams.clone();
    assert_eq!(streams.len(), 2, "one is opened for the second actor");
    tells(&mut plane, FIRST, version(2));
    assert_eq!(plane.streams, streams, "that one goes where a scout would");
}

#[test]
fn a_pool_that_shall_not_drain_sends_nobody() {
    let mut plane = Plane::new();
    plane.configure(calm()).create("a");
    let (fetch, old) = (FIRST, plane.streams[0]);
    plane.runner("r1", 1).live(old, "r1").running("r1", "a");
    tells(&mut plane, fetch, version(2));
    assert_eq!(plane.streams, [old]);
    plane.connect_version("r2", 1, 2).pong("r2");
    assert!(plane.draining().is_empty());
    assert_eq!(plane.phase("a"), "running");
}
