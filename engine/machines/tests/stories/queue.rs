//! Stories of an actor's queue.

use std::time::Duration;

use machines::queue::{Activity, Answer, Input, MessageId, Options, Post, QueueError, Received, Reply};
use protocol::id::{BodyId, Ticket};

use crate::queue_world::World;

fn world() -> World {
    World::new(Options::default())
}

/// One whose messages, named so, are stored.
fn with(names: &[&str]) -> World {
    let mut world = world();
    for name in names {
        world.send(name, Reply::Stored);
    }
    world.pass(Duration::ZERO);
    world
}

fn taken(world: &World, ticket: Ticket) -> Vec<u64> {
    match world.told.get(&ticket) {
        Some(Ok(Answer::Received { messages })) => messages.iter().map(|of| of.message.0).collect(),
        told => panic!("it was given messages, not {told:?}"),
    }
}

#[test]
fn a_message_is_stored_before_its_sender_is_told_and_deleted_before_its_taker_is() {
    let mut world = world();
    let sent = world.send("a", Reply::Stored);
    let next = world.next(&[], 1, None, false);
    assert!(world.told.is_empty());
    world.write_ends(true, 0);
    assert_eq!(world.told[&sent], Ok(Answer::Sent { message: MessageId(1) }));
    assert!(!world.told.contains_key(&next), "it is being deleted");
    world.write_ends(true, 0);
    let messages = vec![Received { message: MessageId(1), name: "a".into(), body: BodyId(sent.0) }];
    assert_eq!(world.told[&next], Ok(Answer::Received { messages }));
}

#[test]
fn messages_are_taken_by_name_and_number_in_the_order_they_were_sent() {
    let mut world = with(&["a", "b", "a", "b", "a"]);
    let names = world.next(&["a"], 2, None, false);
    let any = world.next(&[], 9, None, false);
    let none = world.next(&["a"], 1, Some(Duration::ZERO), false);
    world.pass(Duration::ZERO);
    assert_eq!(taken(&world, names), [1, 3]);
    assert_eq!(taken(&world, any), [2, 4, 5]);
    assert_eq!(taken(&world, none), [0; 0]);
}

#[test]
fn who_comes_first_is_served_first_and_a_wait_ends_in_time() {
    let mut world = world();
    let short = world.next(&[], 1, Some(Duration::from_secs(1)), false);
    let first = world.next(&[], 1, None, false);
    let second = world.next(&[], 1, None, false);
    assert_eq!(world.activity, Activity { waiting: 3, holding: 0 });
    world.pass(Duration::from_secs(1));
    assert_eq!(taken(&world, short), [0; 0]);
    world.send("a", Reply::Stored);
    world.send("a", Reply::Stored);
    world.pass(Duration::ZERO);
    assert_eq!((taken(&world, first), taken(&world, second)), (vec![1], vec![2]));
    assert_eq!(world.activity, Activity::default());
}

#[test]
fn a_message_stays_until_it_is_completed_and_is_there_again_after_a_fall() {
    let mut world = with(&["a", "a"]);
    let first = world.next(&[], 1, None, true);
    assert_eq!(taken(&world, first), [1]);
    assert_eq!(world.activity, Activity { waiting: 0, holding: 1 });
    let early = world.next(&[], 1, None, false);
    assert_eq!(world.told[&early], Err(QueueError::PreviousNotCompleted));
    world.fall(0);
    let again = world.next(&[], 1, None, true);
    assert_eq!(taken(&world, again), [1]);
    let completed = world.complete(MessageId(1), None);
    let twice = world.complete(MessageId(1), None);
    assert_eq!(world.told[&twice], Err(QueueError::AlreadyCompleted));
    assert!(!world.told.contains_key(&completed), "it is being deleted");
    world.pass(Duration::ZERO);
    assert_eq!(world.told[&completed], Ok(Answer::Completed));
    let twice = world.complete(MessageId(1), Some(BodyId(7)));
    assert_eq!(world.told[&twice], Err(QueueError::AlreadyCompleted));
    world.fall(0);
    let last = world.next(&[], 9, None, true);
    assert_eq!(taken(&world, last), [2]);
}

#[test]
fn who_waited_before_gets_nothing_while_a_message_is_held() {
    let mut world = world();
    let holder = world.next(&[], 1, None, true);
    let waits = world.next(&[], 1, None, false);
    world.send("a", Reply::Stored);
    world.send("a", Reply::Stored);
    world.pass(Duration::ZERO);
    assert_eq!(taken(&world, holder), [1]);
    assert!(!world.told.contains_key(&waits));
    world.complete(MessageId(1), None);
    world.pass(Duration::ZERO);
    assert_eq!(taken(&world, waits), [2]);
}

#[test]
fn a_sender_that_waits_gets_the_response_or_its_time_is_over() {
    let mut world = world();
    let late = world.send("a", Reply::Completed(Some(Duration::from_secs(1))));
    let waits = world.send("b", Reply::Completed(None));
    let taken_only = world.send("c", Reply::Completed(None));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.told[&late], Ok(Answer::TimedOut));
    assert_eq!(world.stored.len(), 3, "the messages stay");
    world.next(&["b"], 1, None, true);
    world.complete(MessageId(2), Some(BodyId(77)));
    assert!(!world.told.contains_key(&waits), "it is being deleted");
    world.pass(Duration::ZERO);
    assert_eq!(world.told[&waits], Ok(Answer::Replied { response: Some(BodyId(77)) }));
    world.next(&["c"], 1, None, false);
    world.pass(Duration::ZERO);
    assert_eq!(world.told[&taken_only], Ok(Answer::Replied { response: None }));
}

#[test]
fn a_queue_is_bounded_and_so_is_a_message() {
    let mut world = world();
    for _ in 0..1_000 {
        world.send("a", Reply::Stored);
    }
    let full = world.send("a", Reply::Stored);
    assert_eq!(
        world.told[&full],
        Err(QueueError::Full { max: 1_000 }),
        "those count that are not stored yet"
    );
    world.pass(Duration::ZERO);
    assert_eq!(world.stored.len(), 1_000);
    let full = world.send("a", Reply::Stored);
    assert_eq!(world.told[&full], Err(QueueError::Full { max: 1_000 }));
    let next = world.next(&[], 1_000, None, false);
    world.pass(Duration::ZERO);
    assert_eq!(taken(&world, next).len(), 100, "as many as are deleted at once");
    let max = 65_536;
    for (bytes, refused) in [(max, false), (max + 1, true)] {
        let post = Post { name: "a".into(), body: BodyId(5_000), bytes, reply: Reply::Stored };
        let told = world.story.feed(Input::Send { ticket: Ticket(5_000), post });
        let told = format!("{told:?}");
        assert_eq!(told.contains("MessageTooLarge"), refused, "{told}");
    }
}

#[test]
fn writes_are_bounded_in_rows_and_bytes() {
    let mut world = world();
    for number in 0..50 {
        let post =
            Post { name: "a".into(), body: BodyId(number), bytes: 60_000, reply: Reply::Completed(None) };
        let ticket = Ticket(100 + number);
        world.feed(Input::Send { ticket, post });
    }
    let mut most = 0;
    while let Some((_, puts, _)) = &world.write {
        most = most.max(puts.iter().map(|message| message.bytes).sum());
        world.write_ends(true, 0);
    }
    assert!((600_000..=976 * 1_024 * 3 / 4).contains(&most), "{most}");
    assert_eq!(world.stored.len(), 50);
}

#[test]
fn a_signal_or_the_stop_ends_every_wait() {
    let mut world = with(&["a"]);
    let waits = world.send("b", Reply::Completed(None));
    let held = world.next(&["a"], 1, None, true);
    assert_eq!(taken(&world, held), [1]);
    world.complete(MessageId(1), None);
    let taker = world.next(&["x"], 1, None, false);
    let signalled = world.next(&["x"], 1, None, false);
    world.abort(signalled);
    assert_eq!(world.told[&signalled], Err(QueueError::Aborted));
    world.stop();
    assert_eq!(world.told[&taker], Err(QueueError::Aborted));
    assert_eq!(world.told[&waits], Err(QueueError::Aborted));
    let next = world.next(&[], 1, None, false);
    let send = world.send("b", Reply::Completed(None));
    assert_eq!(world.told[&next], Err(QueueError::Aborted));
    assert_eq!(world.told[&send], Err(QueueError::Aborted));
    let sent = world.send("c", Reply::Stored);
    let settled = world.settle();
    world.pass(Duration::ZERO);
    assert!(matches!(world.told[&sent], Ok(Answer::Sent { .. })), "messages are still sent");
    assert_eq!(world.told[&settled], Ok(Answer::Settled));
    assert_eq!(world.stored.values().map(|message| message.name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn what_was_claimed_for_somebody_who_went_away_is_put_back_in_its_place() {
    let mut world = with(&["a", "a"]);
    let gone = world.next(&[], 1, None, false);
    world.abort(gone);
    let next = world.next(&[], 1, None, false);
    world.write_ends(true, 0);
    assert_eq!(world.stored.keys().map(|id| id.0).collect::<Vec<_>>(), [2], "it had been deleted");
    let last = world.next(&[], 1, None, false);
    world.pass(Duration::ZERO);
    assert_eq!((taken(&world, next), taken(&world, last)), (vec![1], vec![2]));
}

#[test]
fn a_write_that_fails_is_tried_again_and_whoever_waits_for_too_long_is_told() {
    let mut world = world();
    let sent = world.send("a", Reply::Stored);
    let later = world.send("a", Reply::Stored);
    world.write_ends(false, 0);
    world.idle(Duration::from_secs(1));
    assert!(world.write.is_some(), "it is tried again");
    world.idle(Duration::from_secs(29));
    assert_eq!(world.told[&sent], Err(QueueError::Indeterminate));
    assert_eq!(world.told[&later], Err(QueueError::Indeterminate));
    world.pass(Duration::ZERO);
    assert_eq!(world.stored.len(), 1, "what was not begun is not done");
}
