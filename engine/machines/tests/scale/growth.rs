//! Every step among a thousand and among a hundred thousand.

use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "the cost of a step is the host's time")]
use std::time::Instant;

use machines::control::input::{ActorFilter, Call, Frame, Page};
use machines::control::{Index, Input, Seat, Stand, Stands};
use protocol::id::ConnId;

use crate::crowd::{Crowd, actor};

const FEW: u64 = 1_000;
const MANY: u64 = 100_000;

/// How much longer a step may take among a hundred times as many. A tree is twice as deep, and its nodes are not in the
/// processor's caches: two to four times as long is usual, a hundred times what a walk over all would take.
const RATIO_MAX: u32 = 12;

const ROUNDS: usize = 7;
const STEPS: u64 = 40;

/// What is measured: a name, and the step for a running number.
type Step = (&'static str, fn(&mut Crowd, u64));

const STEPS_OF_A_LIFE: [Step; 12] = [
    ("a tick", |crowd, _| {
        crowd.step(Input::Tick);
    }),
    ("an actor is created, placed and deleted", |crowd, _| {
        let actor = crowd.create("open");
        crowd.call(Call::DeleteActor { namespace: None, actor });
    }),
    ("an actor is created where everybody is held by what lingers", |crowd, _| {
        let actor = crowd.create("held");
        crowd.call(Call::DeleteActor { namespace: None, actor });
    }),
    ("a sleeping actor is asked for", |crowd, number| {
        crowd.step(Input::Watch { actor: actor(b's', number) });
        crowd.step(Input::Unwatch { actor: actor(b's', number) });
    }),
    ("an actor that waits is slept and woken", |crowd, number| {
        crowd.call(Call::SleepActor { namespace: None, actor: actor(b'w', number) });
        crowd.step(Input::Watch { actor: actor(b'w', number) });
        crowd.step(Input::Unwatch { actor: actor(b'w', number) });
    }),
    ("a page of living actors", |crowd, number| crowd.call(by_name(None, false, Some(number)))),
    ("a page of all actors", |crowd, number| crowd.call(by_name(None, true, Some(number)))),
    ("the dead that held a key", |crowd, number| crowd.call(by_name(Some((b'd', number)), true, None))),
    ("a page of runners of a pool", |crowd, _| crowd.call(runners(Some("open")))),
    ("a page of all runners", |crowd, _| crowd.call(runners(None))),
    ("a runner leaves and comes back", |crowd, number| {
        let conn = ConnId(2 + number);
        crowd.step(Input::SocketClosed { conn });
        crowd.connect(10_000_000 + number, 1 + number, "open", 4);
        crowd.step(Input::SocketClosed { conn: ConnId(10_000_000 + number) });
    }),
    ("a runner drains", |crowd, number| {
        crowd.step(Input::Frame { conn: ConnId(600 + number), frame: Frame::Stopping });
    }),
];

fn by_name(key: Option<(u8, u64)>, include_destroyed: bool, after: Option<u64>) -> Call {
    let cursor = after.map(|number| {
        let created = crate::crowd::NOW.wall.0 - number;
        let create_ts = protocol::time::Wall(created);
        protocol::api::ActorCursor { create_ts, actor_id: actor(b's', number) }.to_string()
    });
    let key = key.map(|(kind, number)| format!("{kind:03}-{number:028}"));
    let filter = ActorFilter::Name {
        name: "counter".into(),
        key,
        include_destroyed,
        page: Page { limit: 20, cursor },
    };
    Call::ListActors { namespace: "default".into(), filter }
}

fn runners(pool: Option<&str>) -> Call {
    let (namespace, pool) = ("default".to_owned(), pool.map(str::to_owned));
    Call::ListRunners { namespace, pool, ids: Vec::new(), page: Page { limit: 20, cursor: None } }
}

/// The shortest of some rounds, each of some steps.
#[expect(clippy::disallowed_types, reason = "the cost of a step is the host's time")]
fn cost(crowd: &mut Crowd, step: fn(&mut Crowd, u64)) -> Duration {
    let round = |round: usize| {
        let first = u64::try_from(round).expect("a count fits") * STEPS;
        let begun = Instant::now();
        (first..first + STEPS).for_each(|number| step(crowd, number));
        begun.elapsed()
    };
    (0..ROUNDS).map(round).min().expect("there are rounds")
}

#[test]
fn no_step_takes_as_long_as_there_are_many() {
    let [few, many] = [FEW, MANY].map(|count| {
        let mut crowd = Crowd::new(count);
        assert_eq!(crowd.hosts(), 0);
        let costs = STEPS_OF_A_LIFE.map(|(_, step)| cost(&mut crowd, step));
        assert!(crowd.hosts() > 0, "some were placed");
        costs
    });
    for (((name, _), few), many) in STEPS_OF_A_LIFE.iter().zip(few).zip(many) {
        let steps = u32::try_from(STEPS).expect("a count fits");
        println!("{name}: {:?} among {FEW}, {:?} among {MANY}", few / steps, many / steps);
        assert!(many <= few.max(Duration::from_micros(20)) * RATIO_MAX, "{name}: {few:?} became {many:?}");
    }
}

/// Where runners stand, by seat.
struct Standing(Vec<Stand>);

impl Stands for Standing {
    fn stand_mut(&mut self, seat: Seat) -> &mut Stand {
        &mut self.0[seat.number()]
    }
}

/// Chooses by a word that follows from the number, takes a slot there, and gives it back.
fn turn(index: &mut Index, runners: &mut Standing, number: u64) {
    let word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seat = index.choose(word).expect("there is room");
    index.update(runners, seat, 7, 8);
    index.update(runners, seat, 8, 8);
}

#[test]
#[expect(clippy::disallowed_types, reason = "the cost of a step is the host's time")]
fn to_choose_take_and_release_costs_as_much_among_many() {
    const TURNS: u64 = 2_000;
    let [few, many] = [FEW, MANY].map(|count| {
        let count = usize::try_from(count).expect("a count fits");
        let mut index = Index::default();
        let mut runners =
            Standing((0..count).map(|number| index.insert(Seat::new(number), 1, 8, 8)).collect());
        let round = |round: u64| {
            let begun = Instant::now();
            (round * TURNS..(round + 1) * TURNS).for_each(|number| turn(&mut index, &mut runners, number));
            begun.elapsed()
        };
        (0..9).map(round).min().expect("there are rounds")
    });
    println!("a turn of the index: {:?} among {FEW}, {:?} among {MANY}", few / 2_000, many / 2_000);
    assert!(many <= few * RATIO_MAX, "{few:?} became {many:?}");
}
