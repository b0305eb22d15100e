//! A runner's socket, frame by frame.

use std::time::Duration;

use bytes::Bytes;
use protocol::id::Generation;
use protocol::wire::{ActorState, Event, KvRequestData, KvResponseData, StopCode, ToClient, ToServer};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Node, Runner, run, until};

#[test]
fn an_actor_is_started_keeps_state_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        node.normal_pool("default").await;
        let body = json!({"name": "counter", "key": "k", "input": "aGk=", "runner_name_selector": "default"});
        let created = node.put("/actors?namespace=default", &body).await.json();
        let id = created["actor"]["actor_id"].as_str().unwrap();
        let (mut runner, runner_id) = Runner::connect(node.address, "r").await;
        let (actor, generation, input) = runner.start().await;
        assert_eq!((actor.as_str(), input.as_deref()), (id, Some(b"hi".as_slice())));

        let (keys, values) = (vec![Bytes::from_static(b"\x01")], vec![Bytes::from_static(b"one")]);
        let put = KvRequestData::Put { keys: keys.clone(), values: values.clone() };
        assert_eq!(runner.kv(actor, 0, put).await, KvResponseData::Put);
        let keys = [keys, vec![Bytes::from_static(b"none")]].concat();
        match runner.kv(actor, 1, KvRequestData::Get { keys }).await {
            KvResponseData::Get { values: found, metadata, .. } => {
                assert_eq!((found, metadata.len()), (values, 1));
            }
            other => panic!("{other:?}"),
        }
        until("it can be reached", || async {
            Some(node.shown(id).await).filter(|actor| !actor["connectable_ts"].is_null())
        })
        .await;
        let runners = node.get("/runners?namespace=default&name=default").await.json();
        assert_eq!(runners["runners"][0]["runner_id"], runner_id.as_str());
        assert_eq!(runners["runners"][0]["remaining_slots"], 3);

        let stopped = ActorState::Stopped { code: StopCode::Ok, message: None };
        runner.event(actor, generation, 1, Event::ActorStateUpdate { state: stopped }).await;
        until("it is gone or asleep", || async {
            let view = node.view.control().await.unwrap();
            view.actors.iter().all(|actor| actor.phase != "running").then_some(())
        })
        .await;
        node.stop().await;
    });
}

#[test]
fn a_runner_is_known_again_after_a_restart_and_its_actor_is_not_started_twice() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        node.normal_pool("default").await;
        let id = node.actor("k").await;
        let (mut runner, before) = Runner::connect(node.address, "r").await;
        let (actor, generation, _) = runner.start().await;
        until("it runs", || async {
            node.view.control().await?.actors.iter().any(|actor| actor.phase == "running").then_some(())
        })
        .await;
        let put = KvRequestData::Put { keys: vec!["k".into()], values: vec!["v".into()] };
        assert_eq!(runner.kv(actor, 0, put).await, KvResponseData::Put);
        drop(runner);
        node.stop().await;

        let node = Node::start(folder.path()).await;
        let (mut runner, after) = Runner::connect(node.address, "r").await;
        assert_eq!(after, before);
        assert_eq!((id.as_str(), generation), (actor.as_str(), Generation::FIRST));
        match runner.kv(actor, 7, KvRequestData::Get { keys: vec!["k".into()] }).await {
            KvResponseData::Get { values, .. } => assert_eq!(values, ["v"]),
            other => panic!("the next message is no start: {other:?}"),
        }
        node.stop().await;
    });
}

#[test]
fn kv_of_an_actor_that_is_not_ones_own_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        node.normal_pool("default").await;
        node.actor("k").await;
        let (mut owner, _) = Runner::connect(node.address, "owner").await;
        let (actor, ..) = owner.start().await;
        let (mut thief, _) = Runner::connect(node.address, "thief").await;
        let answer = thief.kv(actor, 0, KvRequestData::Drop).await;
        assert!(matches!(answer, KvResponseData::Error { .. }), "{answer:?}");
        node.stop().await;
    });
}

async fn refused(node: &Node, runner: &mut Runner, reason: &str) {
    let (code, text) = runner.closed().await;
    assert_eq!(code, 1011, "{text}");
    assert_eq!(text.split_once('#').map(|(code, ray)| (code, ray.len())), Some((reason, 30)));
    until("the socket is forgotten", || async { node.view.control().await.filter(|view| view.sockets == 0) })
        .await;
}

#[test]
fn frames_that_must_not_come_end_the_socket_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let (mut runner, _) = Runner::connect(node.address, "second-init").await;
        runner.init().await;
        refused(&node, &mut runner, "ws.invalid_packet").await;

        let (mut runner, _) = Runner::connect(node.address, "garbage").await;
        runner.say_raw(Message::Binary(Bytes::from_static(b"\xffgarbage"))).await;
        refused(&node, &mut runner, "ws.invalid_packet").await;

        let (mut runner, _) = Runner::connect(node.address, "text").await;
        runner.say_raw(Message::text("hello")).await;
        refused(&node, &mut runner, "ws.invalid_packet").await;

        let (mut runner, _) = Runner::connect(node.address, "no-utf-8").await;
        let text = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
        runner.say_raw(Message::Frame(text)).await;
        refused(&node, &mut runner, "ws.invalid_packet").await;

        let (mut runner, _) = Runner::connect(node.address, "no-opcode").await;
        runner.say_raw(Message::Frame(Frame::message(vec![1], OpCode::Data(Data::Reserved(3)), true))).await;
        refused(&node, &mut runner, "ws.invalid_packet").await;

        let mut runner = Runner::dial(node.address, "no-init").await;
        runner.say(&ToServer::Stopping).await;
        refused(&node, &mut runner, "ws.invalid_initial_packet").await;

        let (mut runner, _) = Runner::connect(node.address, "too-large").await;
        let frame = vec![0; protocol::limits::RUNNER_FRAME_BYTES_MAX + 1];
        runner.say_raw(Message::Binary(frame.into())).await;
        refused(&node, &mut runner, "ws.invalid_packet").await;

        // Nobody else was disturbed.
        Runner::connect(node.address, "fine").await;
        node.stop().await;
    });
}

#[test]
fn an_init_that_never_comes_ends_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start_with(folder.path(), |options| {
            options.control.init_timeout = Duration::from_millis(200);
        });
        let node = node.await;
        let mut runner = Runner::dial(node.address, "silent").await;
        let begun = runtime::now();
        refused(&node, &mut runner, "ws.timed_out_waiting_for_init").await;
        assert!(begun.elapsed() >= Duration::from_millis(150));
        node.stop().await;
    });
}

#[test]
fn a_newer_socket_of_the_same_runner_evicts_the_older() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let (mut old, id) = Runner::connect(node.address, "r").await;
        let (mut new, same) = Runner::connect(node.address, "r").await;
        assert_eq!(id, same);
        let (code, reason) = old.closed().await;
        assert_eq!(code, 1000);
        assert!(reason.starts_with("ws.eviction#"), "{reason}");
        node.normal_pool("default").await;
        node.actor("k").await;
        assert!(matches!(new.next().await, ToClient::Commands(_)));
        node.stop().await;
    });
}
