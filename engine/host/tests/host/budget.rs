//! A disk budget: at its end nothing grows, what is deleted makes room, and lists and health are as ever.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{Node, Response, call, run};

async fn create(node: &Node, key: u32) -> Response {
    let body = json!({
        "name": "counter", "key": key.to_string(), "runner_name_selector": "default", "crash_policy": "sleep",
        "input": STANDARD.encode([7; 8_000]),
    });
    node.put("/actors?namespace=default", &body).await
}

#[test]
fn at_the_end_of_the_budget_nothing_grows_and_deletes_make_room() {
    const BUDGET: usize = 64 * 1024;
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start_with(folder.path(), |options| options.durability.disk_budget = BUDGET).await;
        node.normal_pool("default").await;
        let mut made = Vec::new();
        let refused = loop {
            let answer = create(&node, u32::try_from(made.len()).unwrap()).await;
            if answer.status != 200 {
                break answer;
            }
            made.push(answer.json()["actor"]["actor_id"].as_str().unwrap().to_owned());
            assert!(made.len() < 20, "it is never full");
        };
        assert_eq!(refused.refusal(), (503, "core.read_only".to_owned()));
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("65536 bytes that its disk budget allows"), "{message}");
        assert!(made.len() >= 5, "{}", made.len());
        assert_eq!(node.get("/health").await.status, 200);
        let size = node.view.store().await.unwrap();
        assert_eq!(size.inputs, made.len() as u64);
        let inputs = 8_000 * size.inputs;
        assert!(inputs < size.stored_bytes && size.stored_bytes <= BUDGET as u64, "{size:?}");
        assert!(size.stored_bytes < size.file_bytes, "{size:?}");
        assert_eq!(
            create(&node, 0).await.json()["actor"]["actor_id"],
            made[0].as_str(),
            "a get-or-create gets"
        );
        for actor in &made[..2] {
            let answer = call(node.address, "DELETE", &format!("/actors/{actor}"), "").await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        assert_eq!(create(&node, 1_000).await.status, 200, "there is room again");
        node.stop().await;
    });
}
