//! A random walk over an actor's queue: its writes fail, takers and senders go away, it stops and falls at any point.

use std::time::Duration;

use machines::queue::{MessageId, Options, Reply};
use proptest::prelude::*;
use protocol::id::{BodyId, Ticket};

use crate::queue_world::World;
use crate::walk::walk_often;

/// Something that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Send { name: u8 },
    SendAndWait { name: u8, ms: Option<u64> },
    Next { name: Option<u8>, count: usize, ms: Option<u64>, manual: bool },
    Complete { nth: usize, response: bool },
    CompleteAny { message: u64 },
    Abort { back: u64 },
    Write { ok: bool, steps: usize },
    Succeed,
    Wait { ms: u64 },
    Settle,
    Stop,
    Fall { steps: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let wait = || prop::option::of(0_u64..4_000);
    let next = (prop::option::weighted(0.3, 0_u8..2), 1_usize..4, wait(), prop::bool::weighted(0.3));
    prop_oneof![
        6 => (0_u8..2).prop_map(|name| Step::Send { name }),
        2 => (0_u8..2, wait()).prop_map(|(name, ms)| Step::SendAndWait { name, ms }),
        6 => next.prop_map(|(name, count, ms, manual)| Step::Next { name, count, ms, manual }),
        3 => (0_usize..3, any::<bool>()).prop_map(|(nth, response)| Step::Complete { nth, response }),
        1 => (0_u64..6).prop_map(|message| Step::CompleteAny { message }),
        2 => (0_u64..5).prop_map(|back| Step::Abort { back }),
        6 => (any::<bool>(), 0_usize..4).prop_map(|(ok, steps)| Step::Write { ok, steps }),
        5 => Just(Step::Succeed),
        3 => (0_u64..5_000).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Wait { ms: 31_000 }),
        1 => Just(Step::Settle),
        1 => Just(Step::Stop),
        1 => (0_usize..4).prop_map(|steps| Step::Fall { steps }),
    ]
}

fn play(world: &mut World, step: &Step, last: &mut u64) {
    let name = |name: u8| ["a", "b"][usize::from(name)];
    let ticket = match step {
        Step::Send { name: of } => world.send(name(*of), Reply::Stored),
        Step::SendAndWait { name: of, ms } => {
            world.send(name(*of), Reply::Completed(ms.map(Duration::from_millis)))
        }
        Step::Next { name: of, count, ms, manual } => {
            let names: Vec<&str> = of.map(name).into_iter().collect();
            world.next(&names, *count, ms.map(Duration::from_millis), *manual)
        }
        Step::Complete { nth, response } => {
            let Some(message) = world.open.keys().nth(*nth).copied() else { return };
            world.complete(message, response.then_some(BodyId(1_000_000)))
        }
        Step::CompleteAny { message } => {
            let message = MessageId(*message);
            world.complete(message, None)
        }
        Step::Abort { back } => return world.abort(Ticket(last.saturating_sub(*back))),
        Step::Write { ok, steps } => return world.write_ends(*ok, *steps),
        Step::Succeed => return world.pass(Duration::ZERO),
        Step::Wait { ms } => return world.idle(Duration::from_millis(*ms)),
        Step::Settle => world.settle(),
        Step::Stop => return world.stop(),
        Step::Fall { steps } => return world.fall(*steps),
    };
    *last = ticket.0;
}

#[test]
fn whatever_fails_what_was_sent_is_taken_once_and_in_order() {
    walk_often(512, "queue_", &[], prop::collection::vec(step(), 1..60), |steps| {
        let options = Options { messages_max: 8, write_rows_max: 3, take_max: 2, ..Options::default() };
        let mut world = World::new(options);
        let mut last = 0;
        for step in &steps {
            play(&mut world, step, &mut last);
        }
        world.heal();
    });
}
