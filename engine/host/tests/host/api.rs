//! The API over real bytes: what is listed, what is read, how strict bodies are.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use protocol::wire::{KvRequestData, KvResponseData};
use serde_json::json;

use crate::support::{Node, Runner, run};

#[test]
fn runners_are_listed_by_id_by_pool_and_by_name() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        node.normal_pool("default").await;
        let (_first, id) = Runner::connect(node.address, "first").await;
        let (_second, _) = Runner::connect(node.address, "second").await;
        let list = async |query: &str| {
            let answer = node.get(&format!("/runners?namespace=default{query}")).await.json();
            let runners = answer["runners"].as_array().unwrap();
            let mut keys: Vec<_> = runners.iter().map(|it| it["key"].as_str().unwrap().to_owned()).collect();
            keys.sort();
            keys
        };
        assert_eq!(list("").await, ["first", "second"]);
        assert_eq!(list(&format!("&runner_ids={id}")).await, ["first"]);
        assert_eq!(list("&name=default&include_stopped=true").await, ["first", "second"]);
        assert_eq!(list("&name=other").await, Vec::<String>::new());
        let names = node.get("/runners/names?namespace=default").await.json();
        assert_eq!(names, json!({"names": ["default"], "pagination": {"cursor": null}}));
        let configs = node.get("/runner-configs?namespace=default&variant=serverless").await.json();
        assert_eq!(configs, json!({"runner_configs": {}, "pagination": {"cursor": null}}));
        let configs = node.get("/runner-configs?namespace=default&variant=normal").await.json();
        assert!(configs["runner_configs"]["default"]["datacenters"]["default"]["normal"].is_object());
        node.stop().await;
    });
}

#[test]
fn a_key_of_an_actor_is_read_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        node.normal_pool("default").await;
        let (mut runner, _) = Runner::connect(node.address, "r").await;
        let actor = node.actor("a").await;
        let (id, ..) = runner.start().await;
        let (key, value) = (Bytes::from_static(&[0xfb, 0xff]), Bytes::from_static(b"\x00blue"));
        let put = KvRequestData::Put { keys: vec![key.clone()], values: vec![value.clone()] };
        assert_eq!(runner.kv(id, 1, put).await, KvResponseData::Put);
        for text in [STANDARD.encode(&key).replace('/', "%2F"), URL_SAFE.encode(&key)] {
            let answer = node.get(&format!("/actors/{actor}/kv/keys/{text}?namespace=default")).await.json();
            assert_eq!(answer["value"], STANDARD.encode(&value), "{text}");
            assert!(answer["update_ts"].as_i64().unwrap() > 1_500_000_000_000, "{answer}");
        }
        let refusal = async |path: String| node.get(&path).await.refusal();
        let missing = refusal(format!("/actors/{actor}/kv/keys/AAAA")).await;
        assert_eq!(missing, (400, "actor.kv_key_not_found".to_owned()));
        let garbage = refusal(format!("/actors/{actor}/kv/keys/*")).await;
        assert_eq!(garbage, (400, "api.bad_request".to_owned()));
        let elsewhere = refusal(format!("/actors/{}/kv/keys/AAAA", "0".repeat(30))).await;
        assert_eq!(elsewhere, (404, "actor.not_found".to_owned()));
        node.stop().await;
    });
}

#[test]
fn health_of_all_datacenters_is_that_of_the_one() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let mut answer = node.get("/health/fanout").await.json();
        let only = answer["datacenters"][0].take();
        assert_eq!((&only["datacenter_label"], &only["datacenter_name"]), (&json!(1), &json!("default")));
        assert_eq!((&only["status"], &only["response"]["status"]), (&json!("ok"), &json!("ok")));
        assert!(only["rtt_ms"].is_u64() && only["error"].is_null(), "{only}");
        assert_eq!(answer["datacenters"].as_array().unwrap().len(), 1);
        node.stop().await;
    });
}

#[test]
fn an_unknown_field_is_named_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let serverless = |extra: &str, beside: &str| {
            let kind = format!("{{\"url\":\"http://a\",\"request_lifespan\":900{extra}}}");
            format!("{{\"datacenters\":{{\"default\":{{\"serverless\":{kind}{beside}}}}}}}")
        };
        let cases = [
            ("PUT", "/actors?namespace=default", "{\"name\":\"a\",\"nope_1\":1}".to_owned(), "nope_1"),
            ("POST", "/actors?namespace=default", "{\"nope_2\":1}".to_owned(), "nope_2"),
            ("PUT", "/runner-configs/p?namespace=default", serverless(",\"nope_3\":1", ""), "nope_3"),
            ("PUT", "/runner-configs/p?namespace=default", serverless("", ",\"nope_4\":1"), "nope_4"),
            ("PUT", "/runner-configs/p?namespace=default", "{\"nope_5\":{}}".to_owned(), "nope_5"),
            ("POST", "/namespaces", "{\"nope_6\":1}".to_owned(), "nope_6"),
            (
                "POST",
                "/runner-configs/serverless-health-check?namespace=default",
                "{\"url\":\"http://a\",\"nope_7\":1}".to_owned(),
                "nope_7",
            ),
            (
                "POST",
                "/runner-configs/p/refresh-metadata?namespace=default",
                "{\"nope_8\":1}".to_owned(),
                "nope_8",
            ),
            ("GET", "/namespaces?nope_9=1", String::new(), "nope_9"),
        ];
        for (method, path, body, field) in cases {
            let response = crate::support::call(node.address, method, path, &body).await;
            assert_eq!(response.refusal(), (400, "api.bad_request".to_owned()), "{method} {path} {body}");
            let reason = response.json()["metadata"]["reason"].as_str().unwrap().to_owned();
            assert!(reason.contains(&format!("`{field}`")), "{reason}");
        }
        node.stop().await;
    });
}
