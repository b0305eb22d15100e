//! Decisions: pinned, independent of what is added elsewhere, reported when a pin met nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use sim::{Latency, Network, Options, Overrides, Ratio, Sim, World};
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

fn pins(stream: &str, values: &[(u64, u64)]) -> Overrides {
    BTreeMap::from([(stream.to_owned(), values.iter().copied().collect())])
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
    overrides.extend(pins("latency/script→server:80#0", &[(0, u64::MAX), (1 << 40, 0)]));
    overrides.extend(pins("pick", &[(0, u64::MAX)]));
    let report = Sim::new(Options { overrides, ..Options::seed(1) }).run(|world| echoes(world, true));
    let unmatched: Vec<_> =
        report.unmatched.iter().map(|each| (each.stream.as_str(), each.ordinal)).collect();
    assert_eq!(unmatched, [("latency/nobody→server:80#0", 0), ("latency/script→server:80#0", 1 << 40)]);
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
