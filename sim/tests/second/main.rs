//! The third world, tried by what a stack asks of it. How its runs and processes end: `ends`.
#![cfg(madsim)]

mod ends;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::second::{Failed, Second, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// Plays a script that says itself what is wrong.
fn played<Fut: Future<Output = ()> + 'static>(script: impl FnOnce(World) -> Fut + Send) {
    Second::seed(1).run(script).expect("the script goes through");
}

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
    played(async |world: World| {
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
    });
}

#[test]
fn an_ended_process_leaves_its_port_free() {
    played(async |world: World| {
        let server = world.node("server");
        server.boot(|| async { drop(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 7).into()).await.unwrap()) });
        server.ended().await;
        assert!(!server.is_running());
        server.restart();
        server.ended().await;
    });
}

#[test]
fn flushes_of_nothing_are_no_packets() {
    played(async |world: World| {
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
    });
}

#[test]
fn timers_are_kept_once_moved_and_forgotten() {
    played(async |world: World| {
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
    });
}

#[test]
fn requests_to_stop_are_heard_or_deadly() {
    played(async |world: World| {
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
    });
}

#[test]
fn whoever_begins_to_listen_hears_nothing_from_before() {
    played(async |world: World| {
        let node = world.node("node");
        let asked = node.clone();
        node.boot(move || {
            let node = asked.clone();
            async move {
                let before = runtime::signals::Signals::new().unwrap();
                node.ask_to_stop();
                let mut after = runtime::signals::Signals::new().unwrap();
                drop(before);
                after.terminate().await;
            }
        });
        world.sleep(SECOND).await;
        assert!(node.is_running(), "it was asked before it listened");
        node.ask_to_stop();
        assert!(world.within(SECOND, node.ended()).await.is_some());
    });
}

#[test]
fn a_process_that_does_not_stop_in_time_is_killed() {
    played(async |world: World| {
        let (quick, slow) = (world.node("quick"), world.node("slow"));
        for (node, takes) in [(&quick, SECOND), (&slow, 9 * SECOND)] {
            node.boot(move || async move {
                let mut signals = runtime::signals::Signals::new().unwrap();
                signals.terminate().await;
                runtime::sleep(takes).await;
            });
        }
        world.sleep(SECOND).await;
        assert!(quick.stop(3 * SECOND).await);
        assert!(!slow.stop(3 * SECOND).await);
        assert!(!quick.is_running() && !slow.is_running());
    });
}

#[test]
fn a_main_that_restarts_its_own_node_does_not_fell_the_next() {
    played(async |world: World| {
        let node = world.node("node");
        let (own, boots) = (node.clone(), Arc::new(AtomicU32::new(0)));
        node.boot(move || {
            let (node, first) = (own.clone(), boots.fetch_add(1, Ordering::Relaxed) == 0);
            async move {
                if first {
                    node.kill();
                    node.restart();
                    return;
                }
                std::future::pending::<()>().await;
            }
        });
        world.sleep(SECOND).await;
        assert!(node.is_running(), "the second process runs");
    });
}

#[test]
fn a_paused_process_goes_on_where_it_was() {
    played(async |world: World| {
        let server = world.node("server");
        server.boot(echo);
        world.sleep(SECOND).await;
        let mut stream = connect("server").await.unwrap();
        server.pause();
        stream.write_all(b"x").await.unwrap();
        let mut back = [0];
        assert!(world.within(30 * SECOND, stream.read_exact(&mut back)).await.is_none());
        server.resume();
        assert!(world.within(SECOND, stream.read_exact(&mut back)).await.is_some());
        server.pause();
        server.kill();
        server.restart();
        world.sleep(SECOND).await;
        connect("server").await.unwrap();
    });
}

#[test]
fn a_further_name_resolves_to_its_nodes_in_their_order() {
    played(async |world: World| {
        let (one, other) = (world.node("one"), world.node("other"));
        for nodes in [[&one, &other], [&other, &one]] {
            world.alias("both", &nodes);
            let addresses = runtime::resolve("both", 7).await.unwrap();
            assert_eq!(addresses, nodes.map(|node| (node.ip(), 7).into()));
        }
    });
}

#[test]
fn one_seed_decides_the_same_in_both_worlds() {
    use sim::Ratio;
    macro_rules! draws {
        ($world:ty) => {
            async |world: $world| {
                let mut drawn = Vec::new();
                for least in 0..20 {
                    let stream = world.stream("fall/engine");
                    drawn.push(stream.span(Duration::ZERO..=SECOND).as_micros() as u64);
                    drawn.push(world.stream("other").within(least..=99));
                    drawn.push(u64::from(stream.chance(Ratio::new(1, 3))));
                    drawn.push(*stream.one_of(&[3, 5, 7]));
                }
                drawn
            }
        };
    }
    let here = Second::seed(9).run(draws!(World)).unwrap();
    assert_eq!(here, sim::Sim::seed(9).run(draws!(sim::World)).expect_ok());
}

#[test]
fn a_report_tells_the_story_of_a_run_that_failed_too() {
    let report = Second::seed(3).report(async |world: World| {
        world.sleep(SECOND).await;
        world.note("so far");
        panic!("no further");
    });
    assert!(matches!(report.outcome, Err::<(), _>(Failed::Panicked { .. })));
    assert_eq!(report.notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["so far"]);
    assert!(report.elapsed >= SECOND && report.notes[0].at >= SECOND);
}

#[test]
fn aborted_tasks_end_and_are_forgotten() {
    played(async |world: World| {
        let task = runtime::spawn("waits", std::future::pending::<()>());
        world.sleep(SECOND).await;
        task.abort();
        assert_eq!(task.await, Err(runtime::JoinError::Cancelled));
    });
}

#[test]
fn a_partition_refuses_until_it_is_healed() {
    played(async |world: World| {
        let (server, client) = (world.node("server"), world.node("client"));
        server.boot(echo);
        client.boot(std::future::pending);
        world.sleep(SECOND).await;
        world.partition(&server, &client);
        let refused = client.spawn("connect", async { connect("server").await.map(drop) }).await.unwrap();
        assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        world.heal(&server, &client);
        client.spawn("connect", async { connect("server").await.map(drop) }).await.unwrap().unwrap();
    });
}

#[test]
fn what_is_written_while_parted_arrives_within_the_back_off() {
    played(async |world: World| {
        let (server, client) = (world.node("server"), world.node("client"));
        server.boot(echo);
        client.boot(std::future::pending);
        world.sleep(SECOND).await;
        let (go, gone) = tokio::sync::oneshot::channel();
        let asked = client.spawn("ask", async {
            let mut stream = connect("server").await.unwrap();
            gone.await.unwrap();
            for byte in b"word" {
                stream.write_all(&[*byte]).await.unwrap();
            }
            let mut back = [0; 4];
            stream.read_exact(&mut back).await.unwrap();
            back
        });
        world.sleep(SECOND).await;
        world.partition(&server, &client);
        go.send(()).unwrap();
        world.sleep(60 * SECOND).await;
        assert_eq!(connect("server").await.map(drop).ok(), Some(()), "the script is not parted from it");
        world.heal(&server, &client);
        let back = world.within(11 * SECOND, asked).await;
        assert_eq!(back.flatten().as_ref(), Some(b"word"));
    });
}

#[test]
fn a_census_counts_what_each_node_holds_until_it_is_gone() {
    played(async |world: World| {
        let server = world.node("server");
        server.boot(|| async {
            let _file = runtime::disk::blocking(|| runtime::disk::open(Path::new("store")).unwrap()).await;
            drop(runtime::spawn("naps", runtime::sleep(3600 * SECOND)));
            echo().await;
        });
        world.sleep(SECOND).await;
        let stream = connect("server").await.unwrap();
        world.sleep(SECOND).await;
        let held = world.census()["server"].clone();
        assert_eq!(held.tasks, [("echo", 1), ("main", 1), ("naps", 1)].into());
        assert_eq!((held.timers, held.listeners, held.sockets, held.files), (1, 1, 1, 1));
        assert_eq!(world.census()["script"].sockets, 1);
        drop(stream);
        world.sleep(SECOND).await;
        let held = world.census()["server"].clone();
        assert_eq!((held.sockets, held.tasks.contains_key("echo")), (0, false));
        server.kill();
        world.sleep(SECOND).await;
        assert_eq!(world.census()["server"], sim::Census::default());
    });
}

#[test]
fn a_place_beyond_memory_is_refused() {
    played(async |_: World| {
        let file = runtime::disk::blocking(|| runtime::disk::open(Path::new("store")).unwrap()).await;
        let refused = file.write(u64::MAX, b"beyond").unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::FileTooLarge);
    });
}
