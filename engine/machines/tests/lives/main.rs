//! The control plane with one actor and the runners that may host it, and every order in which things can happen to them within
//! a budget of faults: sockets that break or fall silent, an engine that falls, also between commit and performing, commands
//! that come twice, processes that die, a second one of the same identity, deadlines that overtake messages; and of what
//! clients and actors want: requests, sleep, alarm, drain, crash, deletion.
//!
//! The runner here is what the protocol asks of one and no more ([`process`]); `composition` puts the real one beside it, with
//! the gateway. [`world`] is a state, [`model`] says what may happen and what must hold, in every state; among that, that from
//! there the actor can still be reached, or is destroyed ([`heal`]).

mod heal;
mod model;
mod process;
#[path = "../composition/relative.rs"]
mod relative;
mod world;

use stateright::{Checker, Model};

use crate::model::{Budget, Lives};

/// Enumerates every state within the budget; whether the actor can still be reached is asked in each, or in one of so many.
fn enumerate(name: &str, budget: Budget, healed_of: u64) {
    let checker = Lives { budget, healed_of }.checker().spawn_bfs().join();
    println!("{name}: {} states, depth {}", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

/// Deadlines are waited for until a runner is lost, its grace is over, and a backoff.
const CALM: Budget = Budget { waits: 6, ..Budget::NONE };

#[test]
fn clients_and_actors_want_things_in_any_order() {
    enumerate("wishes", Budget { wakes: 1, sleeps: 1, alarms: 1, ..CALM }, 8);
    enumerate("ends", Budget { crashes: 1, deletes: 1, wakes: 1, ..CALM }, 8);
    enumerate("drain", Budget { drains: 1, wakes: 1, sleeps: 1, ..CALM }, 8);
}

#[test]
fn sockets_break_and_fall_silent() {
    enumerate("breaks", Budget { breaks: 2, ..CALM }, 8);
    enumerate("break and sleep", Budget { breaks: 1, sleeps: 1, wakes: 1, ..CALM }, 16);
    enumerate("silence", Budget { silences: 1, sleeps: 1, ..CALM }, 8);
}

#[test]
fn the_engine_falls() {
    enumerate("fall and sleep", Budget { falls: 1, sleeps: 1, ..CALM }, 8);
    enumerate("fall and break", Budget { falls: 1, breaks: 1, writes: 1, ..CALM }, 16);
    enumerate("fall and delete", Budget { falls: 1, deletes: 1, ..CALM }, 8);
}

#[test]
fn commands_come_twice() {
    enumerate("twice", Budget { twice: 2, sleeps: 1, ..CALM }, 8);
    enumerate("twice and break", Budget { twice: 1, breaks: 1, ..CALM }, 8);
}

#[test]
fn processes_die_and_are_doubled() {
    enumerate("death", Budget { deaths: 1, sleeps: 1, ..CALM }, 8);
    enumerate("double", Budget { doubles: 1, ..CALM }, 4);
}

#[test]
fn deadlines_overtake_messages() {
    enumerate("delays", Budget { delays: 2, wakes: 1, ..CALM }, 8);
    enumerate("delay and break", Budget { delays: 1, breaks: 1, ..CALM }, 16);
}

/// One falls silent, the engine gives it up, and another one hosts the actor while the first still does.
#[test]
fn another_runner_takes_over() {
    enumerate("silence and another", Budget { silences: 1, others: 1, writes: 1, waits: 4, ..CALM }, 64);
}

/// Minutes: `cargo test -p rehearsal-machines --test lives deeper -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn deeper() {
    let all = Budget { breaks: 1, falls: 1, silences: 1, wakes: 1, sleeps: 1, ..CALM };
    enumerate("break, fall, silence", all, 1);
    enumerate("death, fall", Budget { deaths: 1, falls: 1, twice: 1, wakes: 1, sleeps: 1, ..CALM }, 1);
    enumerate("double, break, delete", Budget { doubles: 1, breaks: 1, deletes: 1, wakes: 1, ..CALM }, 1);
    enumerate(
        "alarm, drain, crash",
        Budget { alarms: 1, drains: 1, crashes: 1, wakes: 1, breaks: 1, ..CALM },
        1,
    );
    enumerate("delays", Budget { delays: 3, breaks: 1, wakes: 1, sleeps: 1, ..CALM }, 1);
}
