//! Runner configurations.

use std::collections::BTreeMap;

use protocol::api::{self, RunnerConfig};
use protocol::error::Code;

use super::plane::{Plane, serverless};
use crate::control::effect::Answer;
use crate::control::input::{Call, Page};

fn upsert(config: RunnerConfig) -> Call {
    Call::UpsertRunnerConfig { namespace: "default".into(), pool: "default".into(), config }
}

pub(super) fn list(plane: &mut Plane) -> BTreeMap<String, api::RunnerConfigEntry> {
    let page = Page { limit: 10, cursor: None };
    let call =
        Call::ListRunnerConfigs { namespace: "default".into(), pools: Vec::new(), variant: None, page };
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
