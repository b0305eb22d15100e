//! Runner configurations: what RivetKit 2.2.1 sends is taken, every bound is kept at its edge, answers have the shape
//! that was seen on the wire.

use protocol::api::{
    PoolKind, RunnerConfig, RunnerConfigBody, RunnerConfigDatacenters, RunnerConfigEntry, RunnerConfigs,
    ServerlessBody, UpsertRunnerConfig, read,
};
use protocol::error::{ApiError, Code, RunnerPoolError};
use serde_json::{Value, json};

/// What `configureRunnerPool` of RivetKit 2.2.1 puts, stray field included.
fn sent_by_rivetkit() -> Value {
    json!({"datacenters": {"default": {
        "serverless": {
            "url": "http://127.0.0.1:3000/api/rivet", "headers": {}, "max_runners": 100_000, "min_runners": 0,
            "request_lifespan": 900, "runners_margin": 0, "slots_per_runner": 1, "metadata_poll_interval": 1000
        },
        "metadata": {}, "drain_on_version_upgrade": true, "metadataPollInterval": 1000
    }}})
}

fn put(body: &Value) -> Result<Option<RunnerConfig>, ApiError> {
    read::<UpsertRunnerConfig>(body.to_string().as_bytes())?.into_config()
}

fn refusal(body: &Value) -> Code {
    put(body).expect_err("must be refused").kind()
}

/// A body with one field of its serverless part replaced.
fn with(field: &str, value: Value) -> Value {
    let mut body = sent_by_rivetkit();
    body["datacenters"]["default"]["serverless"][field] = value;
    body
}

#[test]
fn what_rivetkit_sends_is_taken_and_its_grace_fits_its_lifespan() {
    let config = put(&sent_by_rivetkit()).unwrap().unwrap();
    let serverless = config.serverless().unwrap();
    assert_eq!((serverless.request_lifespan, serverless.drain_grace_period), (900, 450));
    assert_eq!((serverless.max_runners, serverless.max_concurrent_actors), (100_000, 100_000));
    assert_eq!((serverless.metadata_poll_interval, serverless.poll_interval().as_millis()), (1000, 5000));
    assert!(config.upgrade().drain_on_version_upgrade);
}

#[test]
fn only_the_known_stray_field_is_taken() {
    let mut body = sent_by_rivetkit();
    body["datacenters"]["default"]["requestLifespan"] = json!(1);
    assert_eq!(refusal(&body), Code::ApiBadRequest);
    assert_eq!(refusal(&with("metadataPollInterval", json!(1))), Code::ApiBadRequest);
    assert_eq!(refusal(&json!({"datacenters": {}, "more": 1})), Code::ApiBadRequest);
}

#[test]
fn exactly_one_kind_in_the_one_datacenter() {
    let default = |entry: Value| json!({"datacenters": {"default": entry}});
    let normal = put(&default(json!({"normal": {}}))).unwrap();
    assert_eq!(normal, Some(RunnerConfig::normal()));
    assert_eq!(put(&json!({"datacenters": {}})), Ok(None));
    assert_eq!(refusal(&default(json!({}))), Code::RunnerConfigInvalid);
    let mut both = sent_by_rivetkit();
    both["datacenters"]["default"]["normal"] = json!({});
    assert_eq!(refusal(&both), Code::RunnerConfigInvalid);
    let elsewhere = json!({"datacenters": {"default": {"normal": {}}, "mars": {"normal": {}}}});
    assert_eq!(refusal(&elsewhere), Code::DatacenterNotFound);
}

#[test]
fn the_drain_flag_within_the_kind_wins_over_its_older_place() {
    let entry = |inner: Value| json!({"datacenters": {"default": {"normal": inner, "drain_on_version_upgrade": false}}});
    let drains = |inner: Value| put(&entry(inner)).unwrap().unwrap().upgrade().drain_on_version_upgrade;
    assert!(!drains(json!({})));
    assert!(drains(json!({"drain_on_version_upgrade": true})));
}

#[test]
fn a_url_is_stored_as_it_can_be_requested_or_refused() {
    for (given, stored) in [
        ("http://127.0.0.1:3000/api/rivet", "http://127.0.0.1:3000/api/rivet"),
        ("http://app", "http://app"),
        ("https://App:443/a", "https://app/a"),
        ("http://app/base/", "http://app/base/"),
        ("http://bücher.example/a", "http://xn--bcher-kva.example/a"),
        (" http://App:80/a\n", "http://app/a"),
    ] {
        let config = put(&with("url", json!(given))).unwrap().unwrap();
        assert_eq!(config.serverless().unwrap().url, stored);
    }
    for given in ["wss://app", "ftp://app", "http://", "http://app/?a=1", "http://app/#a", "app", ""] {
        assert_eq!(refusal(&with("url", json!(given))), Code::RunnerConfigInvalid, "{given}");
    }
}

#[test]
fn each_bound_is_kept_at_its_edge() {
    let headers = |count: usize, name: usize, value: usize| {
        let header = |index| (format!("{index:0name$}"), json!("v".repeat(value)));
        with("headers", Value::Object((0..count).map(header).collect()))
    };
    let taken = [
        headers(16, 128, 4096),
        with("request_lifespan", json!(1)),
        with("drain_grace_period", json!(899)),
        with("max_runners", json!(0)),
        with("actor_eviction_rate", json!(0.5)),
    ];
    for body in taken {
        assert!(put(&body).is_ok(), "{body}");
    }
    let long_grace = {
        let mut body = with("request_lifespan", json!(7200));
        body["datacenters"]["default"]["serverless"]["drain_grace_period"] = json!(1801);
        body
    };
    let mut metadata = sent_by_rivetkit();
    metadata["datacenters"]["default"]["metadata"] = json!("m".repeat(65_536));
    let refused = [
        headers(17, 2, 1),
        headers(1, 129, 1),
        headers(1, 1, 4097),
        with("headers", json!({"a b": "v"})),
        with("headers", json!({"": "v"})),
        with("headers", json!({"a": "v\r\nb: w"})),
        with("request_lifespan", json!(0)),
        with("drain_grace_period", json!(900)),
        with("slots_per_runner", json!(0)),
        with("url", json!("ftp://host/")),
        with("url", json!("http://")),
        with("url", json!("api/rivet")),
        with("url", json!(format!("http://host/{}", "p".repeat(8192)))),
        long_grace,
        metadata,
    ];
    for body in refused {
        assert_eq!(refusal(&body), Code::RunnerConfigInvalid, "{body}");
    }
    assert_eq!(refusal(&with("actor_eviction_rate", json!(0.0))), Code::ApiBadRequest);
    assert_eq!(refusal(&with("request_lifespan", json!(-1))), Code::ApiBadRequest);
}

#[test]
fn the_answer_has_the_shape_seen_on_the_wire() {
    let body = with("request_lifespan", json!(3600));
    let config = put(&body).unwrap().unwrap();
    let entry = RunnerConfigEntry { config, protocol_version: None, runner_pool_error: None };
    let pool = RunnerConfigDatacenters { datacenters: [("default".to_owned(), entry)].into() };
    let mut answer = RunnerConfigs {
        runner_configs: [("default".to_owned(), pool)].into(),
        pagination: Default::default(),
    };
    let seen = json!({"runner_configs": {"default": {"datacenters": {"default": {
        "serverless": {
            "url": "http://127.0.0.1:3000/api/rivet", "headers": {}, "request_lifespan": 3600,
            "max_concurrent_actors": 100_000, "drain_grace_period": 1800, "slots_per_runner": 1, "min_runners": 0,
            "max_runners": 100_000, "runners_margin": 0, "metadata_poll_interval": 1000,
            "drain_on_version_upgrade": true, "actor_eviction_delay": 0, "actor_eviction_period": 0,
            "actor_eviction_rate": 1.0
        },
        "metadata": {}, "protocol_version": null
    }}}}, "pagination": {"cursor": null}});
    assert_eq!(serde_json::to_value(&answer).unwrap(), seen);

    let failing =
        answer.runner_configs.get_mut("default").and_then(|pool| pool.datacenters.get_mut("default"));
    failing.unwrap().runner_pool_error = Some(RunnerPoolError::ServerlessStreamEndedEarly);
    let json = serde_json::to_value(&answer).unwrap();
    let error = &json["runner_configs"]["default"]["datacenters"]["default"]["runner_pool_error"];
    assert_eq!(error, "serverless_stream_ended_early");
    assert_eq!(serde_json::from_value::<RunnerConfigs>(json).unwrap(), answer);
}

#[test]
fn a_kept_configuration_comes_back_from_json() {
    for config in [put(&sent_by_rivetkit()).unwrap().unwrap(), RunnerConfig::normal()] {
        let json = serde_json::to_vec(&config).unwrap();
        assert_eq!(serde_json::from_slice::<RunnerConfig>(&json).unwrap(), config);
    }
}

#[test]
fn a_changed_url_or_header_is_another_endpoint() {
    let config = |url: &str| {
        let serverless = ServerlessBody { url: url.into(), request_lifespan: 900, ..Default::default() };
        let body = RunnerConfigBody { serverless: Some(serverless), ..Default::default() };
        let json = serde_json::to_value(UpsertRunnerConfig::of(body)).unwrap();
        put(&json).unwrap().unwrap()
    };
    let (one, two) = (config("http://one/"), config("http://two/"));
    assert!(one.endpoint_differs(&two) && one.endpoint_differs(&RunnerConfig::normal()));
    let mut slower = one.clone();
    if let PoolKind::Serverless(serverless) = &mut slower.kind {
        serverless.request_lifespan = 1;
    }
    assert!(one != slower && !one.endpoint_differs(&slower));
}
