//! The third world, tried by what a stack asks of it.
#![cfg(madsim)]

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::second::{Failed, Second, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// Echoes whatever comes on port 7, for ever.
async fn echo() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 7).into()).await.expect("a free port");
    loop {
        let (mut stream, _) = listener.accept().await.expect("it listens");
        drop(runtime::spawn("echo", async move {
            let (mut read, mut write) = tokio::io::split(&mut stream);
            tokio::io::copy(&mut read, &mut write).await
        }));
    }
}

async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(runtime::resolve(host, 7).await?[0]).await
}

/// What a client of the echo hears, and when.
async fn hear(world: World) -> Vec<(Duration, String)> {
    world.node("server").boot(echo);
    world.sleep(SECOND).await;
    let mut stream = connect("server").await.expect("it listens");
    let mut heard = Vec::new();
    for word in ["one", "two", "three"] {
        stream.write_all(word.as_bytes()).await.expect("it reads");
        let mut back = vec![0; word.len()];
        stream.read_exact(&mut back).await.expect("it writes");
        let entropy = runtime::entropy::u64("any");
        heard.push((
            world.elapsed(),
            format!("{} {entropy:x}", String::from_utf8(back).expect("as it was sent")),
        ));
    }
    heard
}

#[test]
fn one_seed_gives_one_run_and_another_gives_another() {
    let first = Second::seed(7).run(hear).unwrap();
    assert_eq!(first, Second::seed(7).run(hear).unwrap());
    assert_ne!(first, Second::seed(8).run(hear).unwrap());
    assert!(first[2].1.starts_with("three "), "{first:?}");
}

#[test]
fn a_killed_node_ends_its_streams_and_comes_back_with_its_files() {
    let files = Second::seed(1).run(async |world: World| {
        let lengths = Arc::new(Mutex::new(Vec::new()));
        let server = world.node("server");
        let found = Arc::clone(&lengths);
        server.boot(move || {
            let found = Arc::clone(&found);
            async move {
                let open = || runtime::disk::open(Path::new("store")).unwrap();
                let file = runtime::disk::blocking(open).await;
                found.lock().unwrap().push(file.len().unwrap());
                file.write(file.len().unwrap(), b"boot").unwrap();
                echo().await;
            }
        });
        world.sleep(SECOND).await;
        let mut stream = connect("server").await.unwrap();
        server.kill();
        assert!(!server.is_running());
        let mut rest = Vec::new();
        assert_eq!(stream.read_to_end(&mut rest).await.unwrap(), 0, "the peer is gone");
        assert_eq!(connect("server").await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        server.restart();
        world.sleep(SECOND).await;
        connect("server").await.unwrap();
        lengths.lock().unwrap().clone()
    });
    assert_eq!(files.unwrap(), [0, 4]);
}

#[test]
fn files_of_a_former_process_refuse() {
    Second::seed(1)
        .run(async |world: World| {
            let node = world.node("node");
            node.boot(std::future::pending);
            let open = async { runtime::disk::open("store") };
            let file = node.spawn("open", open).await.unwrap().unwrap();
            let again = node.spawn("open", async { runtime::disk::open("store") }).await.unwrap();
            assert!(matches!(again, Err(runtime::disk::DiskError::InUse { .. })), "{again:?}");
            node.kill();
            assert!(file.write(0, b"late").is_err(), "its process is gone");
            node.restart();
            let free = node.spawn("open", async { runtime::disk::open("store") }).await.unwrap().unwrap();
            assert!(free.is_empty().unwrap());
            drop(file); // does not unlock what another process holds
            let again = node.spawn("open", async { runtime::disk::open("store") }).await.unwrap();
            assert!(again.is_err());
        })
        .unwrap();
}

#[test]
fn an_ended_process_leaves_its_port_free() {
    Second::seed(1)
        .run(async |world: World| {
            let server = world.node("server");
            server
                .boot(|| async { drop(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 7).into()).await.unwrap()) });
            server.ended().await;
            assert!(!server.is_running());
            server.restart();
            server.ended().await;
        })
        .unwrap();
}

#[test]
fn flushes_of_nothing_are_no_packets() {
    Second::seed(1)
        .run(async |world: World| {
            world.node("server").boot(echo);
            world.sleep(SECOND).await;
            let mut stream = connect("server").await.unwrap();
            let packets = || madsim::net::NetSim::current().stat().msg_count;
            let before = packets();
            for _ in 0..100 {
                stream.flush().await.unwrap();
                stream.write_all(b"").await.unwrap();
            }
            assert_eq!(packets(), before);
            stream.write_all(b"x").await.unwrap();
            assert_eq!(packets(), before + 1, "a write needs no flush");
        })
        .unwrap();
}

#[test]
fn timers_are_kept_once_moved_and_forgotten() {
    Second::seed(1)
        .run(async |world: World| {
            for _ in 0..100 {
                let never = runtime::timeout(3600 * SECOND, std::future::ready(()));
                never.await.unwrap();
            }
            let mut sleep = Box::pin(runtime::sleep(SECOND));
            for _ in 0..10 {
                let short = runtime::timeout(Duration::from_millis(10), &mut sleep).await;
                assert!(short.is_err());
            }
            assert_eq!(world.timers(), 1, "one sleep waits");
            let moved = runtime::now() + 2 * SECOND;
            sleep.as_mut().reset(moved);
            sleep.await;
            assert!(runtime::now() >= moved && runtime::now().saturating_since(moved) < SECOND / 10);
            assert_eq!(world.timers(), 0);
            assert!(world.elapsed() < 3 * SECOND);
        })
        .unwrap();
}

#[test]
fn requests_to_stop_are_heard_or_deadly() {
    Second::seed(1)
        .run(async |world: World| {
            let (deaf, polite) = (world.node("deaf"), world.node("polite"));
            deaf.boot(std::future::pending);
            polite.boot(|| async {
                let mut signals = runtime::signals::Signals::new().unwrap();
                signals.terminate().await;
                signals.terminate().await;
            });
            world.sleep(SECOND).await;
            for node in [&deaf, &polite] {
                node.ask_to_stop();
            }
            world.sleep(SECOND).await;
            assert!(!deaf.is_running());
            assert!(polite.is_running(), "it waits for a second request");
            polite.ask_to_stop();
            assert!(world.within(SECOND, polite.ended()).await.is_some());
        })
        .unwrap();
}

#[test]
fn aborted_tasks_end_and_are_forgotten() {
    Second::seed(1)
        .run(async |world: World| {
            let task = runtime::spawn("waits", std::future::pending::<()>());
            world.sleep(SECOND).await;
            task.abort();
            assert_eq!(task.await, Err(runtime::JoinError::Cancelled));
        })
        .unwrap();
}

#[test]
fn a_partition_refuses_until_it_is_healed() {
    Second::seed(1)
        .run(async |world: World| {
            let (server, client) = (world.node("server"), world.node("client"));
            server.boot(echo);
            client.boot(std::future::pending);
            world.sleep(SECOND).await;
            world.partition(&server, &client);
            let refused = client.spawn("connect", async { connect("server").await.map(drop) }).await.unwrap();
            assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
            world.heal(&server, &client);
            client.spawn("connect", async { connect("server").await.map(drop) }).await.unwrap().unwrap();
        })
        .unwrap();
}

#[test]
fn a_run_that_fails_says_why() {
    let stuck = Second::seed(3).run(async |_| std::future::pending::<()>().await);
    assert!(matches!(stuck, Err(Failed::Stuck { seed: 3 })), "{stuck:?}");
    let panicked = Second::seed(3).run(async |world: World| {
        let node = world.node("node");
        node.boot(|| async { panic!("out of luck") });
        world.sleep(SECOND).await;
    });
    let text = panicked.unwrap_err().to_string();
    assert!(text.starts_with("madsim, seed 0x3: out of luck"), "{text}");
}
