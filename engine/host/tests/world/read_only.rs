//! An engine whose disk takes no writes for a while: it serves what is durable, refuses the rest, and comes back.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::error::CloseReason;
use protocol::wire::{
    ActorState, Event, KvRequestData, KvResponseData, StopCode, ToClient, ToClientKind, ToServer,
    ToServerKind,
};
use serde_json::Value;
use sim::{Node, Often, Ratio, Sim};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::runner::Runner;
use crate::support::{actor, call, engine, healthy, pool};

/// Breaks the disk, and waits until the engine knows.
async fn break_disk(engine: &Node) {
    engine.fail_syncs(Often::Always);
    assert_eq!(actor(engine, "the one that fails").await, None);
    while call(engine, "GET", "/health", "").await.is_none_or(|(status, _)| status != 503) {
        runtime::sleep(Duration::from_millis(100)).await;
    }
}

fn refused((status, body): &(u16, Value)) {
    assert_eq!(
        (*status, &body["group"], &body["code"]),
        (503, &"core".into(), &"read_only".into()),
        "{body}"
    );
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("cannot be written") && message.contains("by itself"), "{message}");
}

const NEW: &str = r#"{"name":"a","key":"new","runner_name_selector":"default","crash_policy":"sleep"}"#;

/// The next message but pings, which are answered.
async fn not_a_ping(runner: &mut Runner) -> ToClient {
    loop {
        match runner.hear().await {
            ToClient::Ping { ts } => runner.say(&ToServer::Pong { ts }).await,
            other => return other,
        }
    }
}

fn get(key: &'static str) -> KvRequestData {
    KvRequestData::Get { keys: vec![key.into()] }
}

fn put(key: &'static str) -> KvRequestData {
    KvRequestData::Put { keys: vec![key.into()], values: vec!["value".into()] }
}

#[test]
fn it_serves_what_is_durable_refuses_writes_and_comes_back_by_itself() {
    Sim::seed(3)
        .run(|world| async move {
            let engine = engine(&world);
            let address = SocketAddr::new(engine.ip(), 6420);
            healthy(&engine).await;
            pool(&engine).await;
            let id = actor(&engine, "known").await.unwrap();
            let (mut runner, known) = Runner::connect(address, "r").await;
            let (its, generation, _) = runner.start().await;
            assert!(matches!(runner.kv(its, 1, put("a")).await, KvResponseData::Put));

            break_disk(&engine).await;
            refused(&call(&engine, "GET", "/health", "").await.unwrap());
            refused(&call(&engine, "POST", "/actors?namespace=default", NEW).await.unwrap());
            refused(&call(&engine, "PUT", "/actors?namespace=default", NEW).await.unwrap());
            refused(&call(&engine, "DELETE", &format!("/actors/{id}"), "").await.unwrap());
            assert_eq!(actor(&engine, "known").await.as_ref(), Some(&id), "a get-or-create gets");
            let list = format!("/actors?namespace=default&actor_ids={id}");
            let (status, shown) = call(&engine, "GET", &list, "").await.unwrap();
            assert_eq!((status, &shown["actors"][0]["actor_id"]), (200, &id.as_str().into()));

            let (mut runner, same) = Runner::connect(address, "r").await;
            assert_eq!(same, known, "it keeps its id");
            let mut stranger = Runner::dial(address, "stranger").await;
            stranger.init().await;
            assert!(stranger.closed().await.1.starts_with(CloseReason::GoingAway.as_str()));
            match runner.kv(its, 2, get("a")).await {
                KvResponseData::Get { values, .. } => assert_eq!(values, ["value"]),
                other => panic!("{other:?}"),
            }
            match runner.kv(its, 3, put("b")).await {
                KvResponseData::Error { message } => {
                    assert!(message.starts_with("core.read_only: "), "{message}")
                }
                other => panic!("{other:?}"),
            }
            // Longer than a runner may be away.
            let idle = runtime::timeout(Duration::from_secs(40), runner.next()).await;
            assert!(idle.is_err(), "it is pinged, and told nothing else: {idle:?}");
            let path = format!("/gateway/{id}/hello");
            let asking = {
                let engine = engine.clone();
                world.spawn("asking", async move { call(&engine, "GET", &path, "").await })
            };
            let (message, ToClientKind::RequestStart { .. }) = runner.request().await else {
                panic!("a request")
            };
            let head = ToServerKind::ResponseStart {
                status: 200,
                headers: protocol::wire::Headers::from_entries(Vec::new()).unwrap(),
                body: Some("1".into()),
                stream: false,
            };
            runner.respond(message, 0, head).await;
            assert_eq!(asking.await.unwrap(), Some((200, 1.into())), "requests reach actors that are ready");
            // What it reports is not acknowledged.
            let stopped = || {
                let code = StopCode::Ok;
                Event::ActorStateUpdate { state: ActorState::Stopped { code, message: None } }
            };
            runner.event(its, generation, 1, stopped()).await;
            let told = runtime::timeout(Duration::from_secs(3), not_a_ping(&mut runner)).await;
            assert!(told.is_err(), "{told:?}");

            engine.fail_syncs(Often::Never);
            healthy(&engine).await;
            let (mut runner, same) = Runner::connect(address, "r").await;
            assert_eq!(same, known, "it was here all the time");
            match runner.kv(its, 1, get("b")).await {
                KvResponseData::Get { values, .. } => {
                    assert!(values.is_empty(), "what was refused has no effect")
                }
                other => panic!("{other:?}"),
            }
            runner.event(its, generation, 1, stopped()).await;
            let told = not_a_ping(&mut runner).await;
            assert!(matches!(told, ToClient::AckEvents { .. }), "{told:?}");
            assert_eq!(actor(&engine, "new").await.map(|id| id.len()), Some(30), "it writes again");
        })
        .expect_ok();
}

/// Creates an actor with an input that takes room.
async fn large(engine: &Node, key: &str) -> Option<String> {
    let input = STANDARD.encode(vec![7; 100_000]);
    let body = format!(
        r#"{{"name":"a","key":"{key}","runner_name_selector":"default","crash_policy":"sleep","input":"{input}"}}"#
    );
    let (status, answer) = call(engine, "PUT", "/actors?namespace=default", &body).await?;
    (status == 200).then(|| answer["actor"]["actor_id"].as_str().unwrap().to_owned())
}

#[test]
fn a_full_disk_is_read_until_there_is_room_and_nothing_acknowledged_is_lost() {
    for seed in 0..4 {
        Sim::seed(seed)
            .run(|world| async move {
                let engine = engine(&world);
                healthy(&engine).await;
                pool(&engine).await;
                let mut acknowledged = Vec::new();
                let mut refusals = 0;
                for round in 0..3 {
                    engine.limit_disk(Some(4096));
                    for number in 0..40 {
                        let key = format!("{round}-{number}");
                        match large(&engine, &key).await {
                            Some(id) => acknowledged.push((key, id)),
                            None => refusals += 1,
                        }
                        for (key, id) in acknowledged.iter().take(3) {
                            let found = actor(&engine, key).await;
                            assert!(found.is_none() || found.as_ref() == Some(id), "{key}: {found:?}");
                        }
                        runtime::sleep(Duration::from_millis(50)).await;
                    }
                    engine.limit_disk(None);
                    healthy(&engine).await;
                    for (key, id) in &acknowledged {
                        assert_eq!(actor(&engine, key).await.as_ref(), Some(id), "{key}");
                    }
                    acknowledged
                        .extend(actor(&engine, &format!("{round}")).await.map(|id| (format!("{round}"), id)));
                }
                assert!(refusals > 0, "the disk was never full");
                assert!(engine.is_running());
            })
            .expect_ok();
    }
}

#[test]
fn whatever_operation_of_the_disk_fails_it_comes_back_with_all_it_acknowledged() {
    for seed in 0..12 {
        Sim::seed(seed)
            .run(move |world| async move {
                let engine = engine(&world);
                healthy(&engine).await;
                pool(&engine).await;
                let mut acknowledged = Vec::new();
                for round in 0..3 {
                    let odds = Ratio::new(1, 8 + 16 * u32::try_from(seed % 3).unwrap());
                    engine.fail_writes(odds);
                    engine.fail_syncs(odds);
                    for number in 0..20 {
                        let key = format!("{round}-{number}");
                        acknowledged.extend(actor(&engine, &key).await.map(|id| (key, id)));
                        runtime::sleep(Duration::from_millis(100)).await;
                    }
                    engine.fail_writes(Often::Never);
                    engine.fail_syncs(Often::Never);
                    healthy(&engine).await;
                    for (key, id) in &acknowledged {
                        assert_eq!(actor(&engine, key).await.as_ref(), Some(id), "{key}");
                    }
                }
                let restarts = protocol::mark::hits()["engine_core_restarted"];
                assert!(restarts > 0, "no operation failed");
            })
            .expect_ok();
    }
}

#[test]
fn a_backup_can_be_taken_meanwhile_and_the_store_is_tried_again_when_it_ends() {
    Sim::seed(5)
        .run(|world| async move {
            let engine = engine(&world);
            healthy(&engine).await;
            pool(&engine).await;
            // More than what fits between the engine and a client that does not read.
            for number in 0..12 {
                assert!(large(&engine, &number.to_string()).await.is_some());
            }
            break_disk(&engine).await;
            let address = SocketAddr::new(engine.ip(), 6420);
            let mut slow = runtime::TcpStream::connect(address).await.unwrap();
            slow.write_all(b"GET /admin/backup HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            slow.read_exact(&mut [0; 15]).await.unwrap();
            engine.fail_syncs(Often::Never);
            for _ in 0..5 {
                runtime::sleep(Duration::from_secs(1)).await;
                let (status, body) = call(&engine, "GET", "/health", "").await.expect("the engine answers");
                assert_eq!((status, &body["code"]), (503, &"read_only".into()));
            }
            let (_, body) = call(&engine, "GET", "/health", "").await.unwrap();
            let message = body["message"].as_str().unwrap();
            assert!(message.contains("Input/output error"), "why nothing is written stays known: {message}");
            let mut rest = Vec::new();
            let read = runtime::timeout(Duration::from_secs(60), slow.read_to_end(&mut rest)).await;
            assert!(read.is_err() || rest.ends_with(b"0\r\n\r\n"), "it is whole, however late");
            assert!(rest.len() > 12 * 100_000);
            healthy(&engine).await;
        })
        .expect_ok();
}
