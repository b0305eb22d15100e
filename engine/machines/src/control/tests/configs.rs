//! Runner configurations.

use std::collections::BTreeMap;

use protocol::api::{self, RunnerConfig};
use protocol::error::{Code, RunnerPoolError};

use super::plane::{Plane, serverless};
use crate::control::effect::Answer;
use crate::control::input::{Call, Page, StreamEnd};

fn upsert(config: RunnerConfig) -> Call {
    Call::UpsertRunnerConfig { namespace: "default".into(), pool: "default".into(), config }
}

fn list(plane: &mut Plane) -> BTreeMap<String, api::RunnerConfigEntry> {
    let page = Page { limit: 10, cursor: None };
    let call = Call::ListRunnerConfigs { namespace: "default".into(), pools: Vec::new(), page };
    let Ok(Answer::RunnerConfigs(configs, None)) = plane.call(call) else { panic!("one page") };
    configs
}

#[test]
fn storing_says_whether_the_endpoint_changed() {
    let mut plane = Plane::new();
    let changed = |plane: &mut Plane, url: &str| plane.call(upsert(serverless(url)));
    let stored = |endpoint_config_changed| Ok(Answer::RunnerConfigStored { endpoint_config_changed });
    assert_eq!(changed(&mut plane, "http://a"), stored(true));
    assert_eq!(changed(&mut plane, "http://a"), stored(false));
    assert_eq!(changed(&mut plane, "http://b"), stored(true));
    assert_eq!(plane.call(upsert(RunnerConfig::normal())), stored(true));
}

#[test]
fn the_last_failure_is_shown_until_a_runner_connects() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let stream = plane.streams[0];
    plane.stream_ends(stream, StreamEnd::Http { status: 500, body: "boom".into() });
    let error = RunnerPoolError::ServerlessHttpError { status_code: 500, body: "boom".into() };
    assert_eq!(list(&mut plane)["default"].runner_pool_error, Some(error.clone()));
    let Ok(Answer::Actor { actor, .. }) = plane.call(Call::GetOrCreateActor(Plane::new_actor("a"))) else {
        panic!("it exists");
    };
    assert_eq!(actor.error, Some(protocol::error::ActorError::RunnerPoolError(error)));
    plane.after(500);
    let stream = plane.streams[0];
    plane.runner("r", 1).live(stream, "r");
    assert_eq!(list(&mut plane)["default"].runner_pool_error, None);
}

#[test]
fn a_deleted_configuration_drains_its_streams() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a");
    let delete = || Call::DeleteRunnerConfig { namespace: "default".into(), pool: "default".into() };
    assert_eq!(plane.call(delete()), Ok(Answer::RunnerConfigDeleted));
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    assert_eq!(plane.streams, [stream], "open until the actor has stopped");
    plane.stopped("r", "a", protocol::wire::StopCode::Ok);
    assert!(plane.streams.is_empty());
    assert_eq!(plane.call(delete()).unwrap_err().kind(), Code::RunnerConfigNotFound);
    assert!(list(&mut plane).is_empty());
}
