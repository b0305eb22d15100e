//! How actors leave a runner that an upgrade overtook.

use protocol::api::{EvictionRate, PoolKind, RunnerConfig, Upgrade};
use protocol::wire::StopCode;

use super::plane::{Plane, serverless};
use crate::control::Input;

fn upgrade(delay: u32, period: u32, rate: f64) -> Upgrade {
    Upgrade {
        drain_on_version_upgrade: true,
        actor_eviction_delay: delay,
        actor_eviction_period: period,
        actor_eviction_rate: EvictionRate::new(rate).unwrap(),
    }
}

/// An old runner with as many actors, and a new one.
fn overtaken(upgrade: Upgrade, actors: usize) -> Plane {
    let mut plane = Plane::new();
    plane.configure(RunnerConfig { kind: PoolKind::Normal(upgrade), metadata: None });
    plane.connect_version("old", 100, 1).pong("old");
    for number in 0..actors {
        let name = format!("a{number}x");
        plane.create(&name).running("old", &name);
    }
    plane.connect_version("new", 100, 2).pong("new");
    plane
}

/// How many were asked to stop, second by second.
fn pace(plane: &mut Plane, seconds: usize) -> Vec<usize> {
    let mut asked = vec![plane.commands().len()];
    for _ in 0..seconds {
        plane.after(1_000);
        asked.push(plane.commands().len());
    }
    asked
}

#[test]
fn by_default_all_leave_at_once() {
    assert_eq!(pace(&mut overtaken(Upgrade::default(), 5), 2), [5, 0, 0]);
}

#[test]
fn a_delay_alone_puts_all_of_them_off() {
    let mut plane = overtaken(upgrade(2, 0, 1.0), 5);
    assert_eq!(plane.draining(), ["old"], "it gets nothing new meanwhile");
    assert_eq!(pace(&mut plane, 3), [0, 0, 5, 0]);
}

#[test]
fn they_leave_at_the_rate_and_all_within_the_period() {
    assert_eq!(pace(&mut overtaken(upgrade(1, 10, 2.0), 5), 4), [0, 2, 2, 1, 0]);
    assert_eq!(pace(&mut overtaken(upgrade(0, 10, 0.5), 3), 5), [1, 0, 1, 0, 1, 0]);
    assert_eq!(
        pace(&mut overtaken(upgrade(0, 2, 0.5), 6), 3),
        [6, 0, 0, 0],
        "one interval is the whole period"
    );
    assert_eq!(pace(&mut overtaken(upgrade(0, 3, 1.0), 6), 3), [2, 2, 2, 0]);
    assert_eq!(
        pace(&mut overtaken(upgrade(0, 100, 1.99), 5), 4),
        [2, 0, 2, 1, 0],
        "a batch every 1,006 ms: a rate need not be whole"
    );
}

#[test]
fn a_runner_that_wants_to_go_is_left_at_once() {
    let mut plane = overtaken(upgrade(60, 60, 1.0), 3);
    plane.stopping("old");
    assert_eq!(plane.commands().len(), 3);
}

#[test]
fn after_a_restart_whoever_is_left_leaves_at_once() {
    let mut plane = overtaken(upgrade(0, 60, 1.0), 3);
    assert_eq!(plane.commands().len(), 1);
    plane.restart(500).runner("old", 100);
    assert_eq!(plane.commands().len(), 3, "those asked before are asked again");
}

#[test]
fn the_end_of_the_request_does_not_wait_for_slow_leavers() {
    let mut config = serverless("http://app");
    if let PoolKind::Serverless(pool) = &mut config.kind {
        (pool.slots_per_runner, pool.request_lifespan, pool.upgrade) = (4, 30, upgrade(0, 600, 0.01));
    }
    let mut plane = Plane::new();
    plane.configure(config).create("a").create("b").runner("old", 4);
    let old = plane.streams[0];
    plane.live(old, "old").running("old", "a").running("old", "b");
    plane.connect_version("new", 4, 2).pong("new");
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    for _ in 0..20 {
        plane.after(1_000).input(Input::StreamPing { stream: old });
    }
    assert!(plane.phase("b") == "stopping", "twenty seconds of thirty are over");
    plane.stopped("old", "a", StopCode::Ok).stopped("old", "b", StopCode::Ok);
    assert!(!plane.streams.contains(&old), "drained");
}
