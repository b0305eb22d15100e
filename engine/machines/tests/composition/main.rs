//! The three machines composed for one runner and one actor, and every interleaving of them enumerated: messages in
//! order on each socket, sockets that drop, an engine that crashes (also between commit and performing) and comes back
//! from its records, time that passes to the next deadline.
//!
//! [`world`] is a state, [`engine`] and [`app`] are its two sides, [`link`] the socket between them, [`model`] says what
//! may happen next and what must always hold, [`relative`] makes states equal that differ in the date only.

mod app;
mod engine;
mod link;
mod model;
mod relative;
mod world;

use stateright::{Checker, Model};

use crate::model::{Budget, Composition};

/// Enumerates every state within the budget.
fn enumerate(name: &str, budget: Budget) {
    let checker = Composition { budget }.checker().spawn_bfs().join();
    println!(
        "{name}: {} states, {} generated, depth {}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

#[test]
fn without_faults_every_request_is_answered() {
    enumerate("no faults", Budget { requests: 2, sleeps: 1, ..Budget::default() });
}

#[test]
fn sockets_drop() {
    enumerate("drops", Budget { requests: 2, drops: 2, ..Budget::default() });
}

#[test]
fn the_engine_crashes() {
    enumerate("crash", Budget { requests: 2, crashes: 1, ..Budget::default() });
}

#[test]
fn the_engine_crashes_and_a_socket_drops() {
    enumerate("crash and drop", Budget { requests: 1, drops: 1, crashes: 1, ..Budget::default() });
}

#[test]
fn an_actor_sleeps_while_a_socket_drops() {
    enumerate("sleep and drop", Budget { requests: 2, sleeps: 1, drops: 1, ..Budget::default() });
}

#[test]
fn deadlines_overtake_messages() {
    enumerate("delays", Budget { requests: 1, delays: 2, ..Budget::default() });
    enumerate("sleep and delay", Budget { requests: 1, sleeps: 1, delays: 1, ..Budget::default() });
}

#[test]
fn deadlines_overtake_messages_while_a_socket_drops() {
    enumerate("drop and delay", Budget { requests: 1, drops: 1, delays: 1, ..Budget::default() });
}
