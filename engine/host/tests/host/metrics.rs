//! `GET /metrics`: what is on the page, and that it is told of one engine only.

use std::collections::BTreeSet;

use bytes::Bytes;
use protocol::wire::KvRequestData;

use crate::support::{Node, Runner, run, until};

/// Names of the samples on a page, as its types make them.
fn exposed(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let named = types.map(|line| match line.split_once(' ') {
        Some((name, "counter")) => format!("{name}_total"),
        Some((name, _)) => name.to_owned(),
        None => panic!("a type has a name: {line}"),
    });
    named.collect()
}

#[test]
fn the_page_and_its_documentation_name_the_same() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let response = node.get("/metrics").await;
        assert!(
            response.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text")
        );
        let page = String::from_utf8(response.body.to_vec()).unwrap();
        assert!(page.ends_with("# EOF\n"), "{page}");
        let documentation = include_str!("../../../../docs/metrics.md");
        let rows = documentation.lines().filter_map(|line| line.strip_prefix("| `rehearsal_"));
        let documented: BTreeSet<String> =
            rows.map(|row| format!("rehearsal_{}", row.split_once('`').unwrap().0)).collect();
        assert_eq!(exposed(&page), documented);
        node.stop().await;
    });
}

#[test]
fn what_happens_is_counted_in_the_engine_where_it_happens() {
    let (folder, quiet_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(async {
        let node = Node::start(folder.path()).await;
        let quiet = Node::start(quiet_folder.path()).await;
        let has = async |node: &Node, line: &str| {
            let page = String::from_utf8(node.get("/metrics").await.body.to_vec()).unwrap();
            page.lines().any(|it| it == line)
        };
        node.normal_pool("default").await;
        let waiting = node.actor("waiting").await;
        let pending = r#"rehearsal_pool_pending_actors{namespace="default",pool="default"} 1"#;
        assert!(has(&node, "rehearsal_pending_actors 1").await && has(&node, pending).await);
        let (mut runner, _) = Runner::connect(node.address, "r").await;
        let (id, ..) = runner.start().await;
        let put = KvRequestData::Put { keys: vec![Bytes::from("k")], values: vec![Bytes::from("v")] };
        runner.kv(id, 1, put).await;
        node.get("/nope").await;
        node.get(&format!("/gateway/{}/x", "0".repeat(30))).await;
        for line in [
            r#"rehearsal_actors{state="running"} 1"#,
            r#"rehearsal_runners{state="connected"} 1"#,
            r#"rehearsal_runner_slots{state="used"} 1"#,
            r#"rehearsal_runner_slots{state="free"} 3"#,
            "rehearsal_pending_actors 0",
            "rehearsal_actor_placements_total 1",
            "rehearsal_actor_starts_total 1",
            r#"rehearsal_runner_events_total{event="connected"} 1"#,
            r#"rehearsal_kv_operations_total{operation="put"} 1"#,
            r#"rehearsal_kv_operations_total{operation="get"} 0"#,
            r#"rehearsal_errors_total{code="api.not_found"} 1"#,
            r#"rehearsal_errors_total{code="actor.not_found"} 1"#,
            r#"rehearsal_requests_total{side="gateway",outcome="refused"} 1"#,
            r#"rehearsal_requests_total{side="api",outcome="refused"} 1"#,
            r#"rehearsal_requests_total{side="runner",outcome="ok"} 1"#,
            r#"rehearsal_store_entries{kind="kv"} 1"#,
        ] {
            until(line, async || has(&node, line).await.then_some(())).await;
        }
        let page = String::from_utf8(node.get("/metrics").await.body.to_vec()).unwrap();
        let value = |name: &str| -> f64 {
            let line = page.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name}: {page}")).trim().parse().unwrap()
        };
        let commits = value("rehearsal_commit_duration_seconds_count ");
        assert!(commits >= 3.0 && commits == value("rehearsal_commit_steps_count "), "{page}");
        // The first one is of what the store held when the engine began: of no step.
        assert!(value("rehearsal_commit_steps_sum ") >= commits - 1.0, "{page}");
        assert!(value("rehearsal_commit_duration_seconds_sum ") > 0.0);
        assert!(
            has(&quiet, r#"rehearsal_errors_total{code="api.not_found"} 0"#).await,
            "each engine counts alone"
        );
        assert!(!page.contains(&waiting), "no actor is named");
        node.stop().await;
        quiet.stop().await;
    });
}
