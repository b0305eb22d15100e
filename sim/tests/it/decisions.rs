//! Decisions: pinned, independent of what is added elsewhere, reported when a pin met nothing.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rand::RngExt;
use runtime::TcpListener;
use sim::{Fall, Latency, Network, Options, Override, Overrides, Ratio, Sim, Streams, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{connect, echo, server};

/// When each of some echoes came back.
async fn echoes(world: World, with_stranger: bool) -> Vec<Duration> {
    server(&world, echo).await;
    if with_stranger {
        world.node("stranger").boot(|| async {
            let mut stream = connect("server").await.expect("the server listens");
            for _ in 0..20 {
                stream.write_all(b"noise").await.expect("the server lives");
                let mut buffer = [0; 5];
                stream.read_exact(&mut buffer).await.expect("the server lives");
            }
        });
    }
    let mut stream = connect("server").await.expect("the server listens");
    let mut moments = Vec::new();
    for _ in 0..20 {
        stream.write_all(b"ping").await.expect("the server lives");
        stream.read_exact(&mut [0; 4]).await.expect("the server lives");
        moments.push(world.elapsed());
    }
    moments
}

#[test]
fn an_unrelated_node_leaves_the_latencies_of_the_others() {
    for seed in 0..20 {
        let sim = Sim::new(Options {
            net: Network { partial: Ratio::NEVER, ..Network::default() },
            ..Options::seed(seed)
        });
        let alone = sim.run(|world| echoes(world, false));
        let crowded = sim.run(|world| echoes(world, true));
        assert_ne!(alone.digest, crowded.digest, "the stranger did run");
        assert_eq!(alone.expect_ok(), crowded.expect_ok());
    }
}

/// A server that writes and syncs every 10 ms, and whoever fells it at decided moments, twelve times. When each sync
/// ended, and the falls; with a stranger who talks to the server all the time, or without.
async fn falls(world: World, with_stranger: bool) -> (Vec<Duration>, Vec<(Duration, Fall)>) {
    let (server, synced) = (world.node("server"), Rc::new(RefCell::new(Vec::new())));
    let (place, clock) = (Rc::clone(&synced), world.clone());
    server.boot(move || {
        let (place, clock) = (Rc::clone(&place), clock.clone());
        async move {
            let listener = TcpListener::bind(([0; 4], 80).into()).await.expect("port 80 is free");
            drop(runtime::spawn("accepts", async move {
                while let Ok((stream, _)) = listener.accept().await {
                    drop(runtime::spawn("echo", echo(stream)));
                }
            }));
            for number in 0u64.. {
                let write = move || {
                    let file = runtime::disk::open("log").expect("free");
                    file.write(number * 100, &[1; 100])?;
                    file.sync()
                };
                runtime::disk::blocking(write).await.expect("a disk that works");
                place.borrow_mut().push(clock.elapsed());
                runtime::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    if with_stranger {
        world.node("stranger").boot(|| async {
            loop {
                runtime::sleep(Duration::from_millis(7)).await;
                let talk = async {
                    let mut stream = connect("server").await?;
                    stream.write_all(b"noise").await?;
                    stream.read_exact(&mut [0; 5]).await
                };
                drop(runtime::timeout(Duration::from_millis(50), talk).await);
            }
        });
    }
    let (crash, mut falls) = (world.stream("crash/server"), Vec::new());
    for _ in 0..12 {
        // All else takes whole microseconds: nothing else comes at the moment of a fall, where `pick` would decide.
        world.sleep(Duration::from_nanos(1)).await;
        world.sleep(crash.span(Duration::from_millis(20)..=Duration::from_millis(200))).await;
        let how = *crash.one_of(&[Fall::Kill, Fall::PowerOff]);
        server.fall(how);
        falls.push((world.elapsed(), how));
        world.sleep(crash.span(Duration::from_millis(1)..=Duration::from_millis(50))).await;
        server.restart();
    }
    (synced.take(), falls)
}

#[test]
fn an_unrelated_client_moves_neither_falls_nor_syncs() {
    for seed in 0..20 {
        let sim = Sim::seed(seed);
        let (alone, crowded) = (sim.run(|world| falls(world, false)), sim.run(|world| falls(world, true)));
        assert!(crowded.events > 2 * alone.events, "the stranger did talk");
        let (alone, crowded) = (alone.expect_ok(), crowded.expect_ok());
        assert!(alone.0.len() > 40 && alone.1.len() == 12);
        assert_eq!(alone, crowded, "seed {seed}");
    }
}

#[test]
fn given_decisions_of_streams_that_are_to_be_kept_are_kept() {
    let options = Options { record_streams: vec![Streams::beginning("spare/")], ..Options::seed(1) };
    let report = Sim::new(options).run(async |world: World| {
        assert_eq!((world.given("spare/nodes", 3, 9), world.given("nodes", 2, 9)), (3, 2));
        assert!(!world.waives("spare/meteor") && !world.waives("spare/meteor"));
        world.stream("spare/drawn").below(5)
    });
    let kept: Vec<_> = report.recorded.iter().map(|each| (each.stream.as_str(), each.ordinal)).collect();
    assert_eq!(kept, [("spare/nodes", 0), ("spare/meteor", 0), ("spare/meteor", 1), ("spare/drawn", 0)]);
    let first = &report.recorded[0];
    assert_eq!((first.value, first.bound), (3, 9));
}

fn pins(stream: &str, values: &[(u64, u64)]) -> Overrides {
    let pin = |(ordinal, value): &(u64, u64)| Override::Pin {
        stream: stream.to_owned(),
        ordinal: *ordinal,
        value: *value,
    };
    values.iter().map(pin).collect()
}

#[test]
fn a_pin_moves_one_decision_and_no_other() {
    let net = Network { partial: Ratio::NEVER, ..Network::default() };
    let base = Options { net, record_decisions: 10_000, ..Options::seed(5) };
    let plain = Sim::new(base.clone()).run(|world| echoes(world, false));
    let pinned = Options { overrides: pins("latency/script→server:80#0", &[(3, 900)]), ..base };
    let pinned = Sim::new(pinned).run(|world| echoes(world, false));
    assert!(pinned.unmatched.is_empty());
    let latencies = |report: &sim::Report<Vec<Duration>>| {
        let all = report.recorded.iter().filter(|each| each.stream.starts_with("latency/script→server"));
        all.map(|each| (each.ordinal, each.bound, each.value)).collect::<Vec<_>>()
    };
    let (before, after) = (latencies(&plain), latencies(&pinned));
    let differ: Vec<_> = before.iter().zip(&after).filter(|(one, other)| one != other).collect();
    assert_eq!(before.len(), after.len());
    assert_eq!(differ.len(), 1);
    assert_eq!(*differ[0].1, (3, 901, 900));
}

#[test]
fn pins_that_meet_no_decision_are_reported_and_any_value_is_valid() {
    let mut overrides = pins("latency/nobody→server:80#0", &[(0, 1)]);
    overrides.extend(pins("latency/script→server:80#0", &[(0, u64::MAX), (1 << 40, 0)]).iter());
    overrides.extend(pins("pick", &[(0, u64::MAX)]).iter());
    overrides.extend([Override::Calm(Streams::beginning("weather/"))]);
    let report = Sim::new(Options { overrides, ..Options::seed(1) }).run(|world| echoes(world, true));
    let unmatched: Vec<_> = report.unmatched.iter().map(ToString::to_string).collect();
    let expected =
        ["weather/*#*", "latency/nobody→server:80#0#0", "latency/script→server:80#0#1099511627776"];
    assert_eq!(unmatched, expected);
    report.expect_ok();
}

#[sim::test]
async fn streams_are_independent_generators(world: World) {
    let mut one = world.stream("one");
    let first: [u64; 3] = [one.random(), one.random(), one.random()];
    assert_ne!(first[0], first[1]);
    let other = world.stream("other");
    assert_ne!(other.below(u64::MAX), first[0]);
    assert!((5..=7).contains(&other.within(5..=7)));
    assert_eq!(other.within(9..=9), 9);
    assert!((0..100).all(|_| !other.chance(Ratio::NEVER) && other.chance(Ratio::new(1, 1))));
    assert!([1, 2, 3].contains(other.one_of(&[1, 2, 3])));
}

#[sim::test(options = Options { net: Network { latency: bimodal(), ..Network::default() }, ..Options::default() })]
async fn a_bimodal_latency_has_both_modes(world: World) {
    let moments = echoes(world, false).await;
    let long = moments.windows(2).filter(|pair| pair[1] - pair[0] >= Duration::from_millis(50)).count();
    assert!((1..19).contains(&long), "{long} of 19 were long");
}

fn bimodal() -> Latency {
    let span = Duration::from_millis;
    Latency::Bimodal { usual: (span(1), span(2)), rare: (span(50), span(90)), odds: Ratio::new(1, 5) }
}

#[test]
fn a_calm_world_is_as_mild_as_it_can_be() {
    let overrides = Overrides::from_iter([Override::Calm(Streams::beginning(""))]);
    let net = Network { latency: bimodal(), ..Network::default() };
    let options = Options { net, overrides, name_streams: true, ..Options::seed(3) };
    let report = Sim::new(options).run(|world| async move {
        let drawn = world.stream("drawn");
        assert_eq!((drawn.below(9), drawn.within(3..=9), *drawn.one_of(&[7, 8])), (0, 3, 7));
        assert_eq!(drawn.span(Duration::from_secs(2)..=Duration::from_secs(9)), Duration::from_secs(2));
        assert!(!drawn.chance(Ratio::new(9, 10)) && drawn.chance(Ratio::new(1, 1)));
        assert_eq!(runtime::now().saturating_since(runtime::Instant::from_nanos(0)), Duration::ZERO);
        echoes(world, false).await
    });
    assert_eq!(report.unmatched, []);
    let partial = report.streams.iter().find(|each| each.stream.starts_with("partial/"));
    assert!(partial.is_some_and(|each| each.decisions > 0 && !each.given), "{:?}", report.streams);
    let moments = report.expect_ok();
    let trips: std::collections::BTreeSet<_> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(trips.into_iter().collect::<Vec<_>>(), [Duration::from_millis(2)], "one millisecond each way");
}

#[test]
fn calm_picks_let_tasks_run_first_in_first_out() {
    let order = |overrides: &[Override]| {
        let options = Options { overrides: overrides.iter().cloned().collect(), ..Options::seed(3) };
        let report = Sim::new(options).run(|world| async move {
            for name in ["a", "b", "c", "d", "e", "f"] {
                let told = world.clone();
                drop(world.spawn("teller", async move { told.note(name) }));
            }
            world.sleep(Duration::from_millis(1)).await;
            world.notes().into_iter().map(|note| note.text).collect::<String>()
        });
        report.expect_ok()
    };
    assert_ne!(order(&[]), "abcdef");
    assert_eq!(order(&[Override::Calm(Streams::named("pick"))]), "abcdef");
}

#[test]
fn asking_what_overrides_waive_moves_nothing() {
    let run = |asks: bool, overrides: &str| {
        let overrides = Vec::from_iter(overrides.parse::<Override>()).into();
        let options = Options { overrides, ..Options::seed(4) };
        Sim::new(options).run(move |world| async move {
            let mut waived = Vec::new();
            if asks {
                waived.extend([(); 3].map(|()| world.waives("spare/meteor")));
                assert_eq!(world.given("nodes", 3, 9), 3);
            }
            echoes(world, false).await;
            waived
        })
    };
    let (plain, asking) = (run(false, ""), run(true, ""));
    assert_eq!((plain.digest, plain.events), (asking.digest, asking.events));
    assert_eq!(asking.expect_ok(), [false; 3]);
    assert_eq!(run(true, "spare/meteor#1=1").expect_ok(), [false, true, false]);
    assert_eq!(run(true, "spare/*#*").expect_ok(), [true; 3]);
}
