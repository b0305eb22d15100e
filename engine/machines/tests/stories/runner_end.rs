//! Stories of dialling, draining and ending.

use std::time::Duration;

use machines::runner::{CloseClass, Effect, EndReason, Input, InstanceEvent, Message, Options, Runner};
use protocol::id::{ConnId, Ticket};
use protocol::time::Mono;

use crate::runner::{connected, story};
use crate::story::Story;

impl Story<Runner> {
    /// Lets failed dials and waits pass until a dial is out, and tells its socket.
    pub(crate) fn dial_again(&mut self) -> u64 {
        loop {
            let (at, _) = self.machine.next_deadline().expect("it dials for ever");
            let out = self.until(u64::try_from(at.since(Mono::ZERO).as_millis()).expect("a short story") + 1);
            if let Some(Effect::Dial { conn }) = out.last() {
                return conn.0;
            }
        }
    }

    fn closed(&mut self, conn: u64, class: CloseClass) -> Vec<Effect> {
        self.feed(Input::Closed { conn: ConnId(conn), class, jitter: u64::MAX })
    }
}

fn ended(out: &[Effect]) -> Option<EndReason> {
    out.iter().find_map(|effect| if let Effect::Ended { reason } = effect { Some(*reason) } else { None })
}

fn dials(out: &[Effect]) -> usize {
    out.iter().filter(|effect| matches!(effect, Effect::Dial { .. })).count()
}

#[test]
fn waits_double_up_to_a_second_and_after_a_minute_up_to_thirty() {
    let mut story = story();
    story.feed(Input::Start);
    let mut waits = Vec::new();
    for conn in 1..=75 {
        story.closed(conn, CloseClass::Retry);
        let closed = story.now.mono;
        loop {
            let (at, _) = story.machine.next_deadline().unwrap();
            story.now = story.now.after(at.since(story.now.mono));
            if dials(&story.feed(Input::Tick)) == 1 {
                break;
            }
        }
        waits.push(story.now.mono.since(closed).as_millis());
    }
    assert_eq!(waits[..7], [49, 99, 199, 399, 799, 999, 999]);
    assert_eq!(waits.iter().filter(|ms| **ms == 999).count(), 59, "a minute of seconds");
    assert_eq!(waits[70..], [29_999; 5]);
}

#[test]
fn a_dial_a_greeting_and_a_silent_session_each_have_their_bound() {
    let mut story = story();
    story.feed(Input::Start);
    story.until(5_000);
    story.closed(1, CloseClass::Retry);
    story.until(5_100);
    story.feed(Input::Dialled { conn: ConnId(2) });
    story.until(10_100);
    story.closed(2, CloseClass::Retry);
    story.until(10_300);
    story.connect(3, 1);
    story.until(25_300);
    story.frame(3, machines::runner::Frame::Ping { ts: 1 });
    story.closed(3, CloseClass::Retry);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_stable_session_forgets_earlier_failures() {
    let mut story = story();
    story.feed(Input::Start);
    for conn in 1..=4 {
        story.closed(conn, CloseClass::Retry);
        story.dial_again();
    }
    story.connect(5, 1);
    let opened = u64::try_from(story.now.mono.since(Mono::ZERO).as_millis()).unwrap();
    for second in 1..=60 {
        story.frame(5, machines::runner::Frame::Ping { ts: 1 });
        story.until(opened + second * 1_000);
    }
    story.closed(5, CloseClass::Retry);
    let (at, _) = story.machine.next_deadline().unwrap();
    assert!(at.since(story.now.mono) <= Options::default().redial_first);
}

#[test]
fn an_evicted_or_refused_runner_ends_for_good() {
    for (class, reason) in
        [(CloseClass::Evicted, EndReason::Evicted), (CloseClass::Refused, EndReason::Refused)]
    {
        let mut story = connected();
        story.start(1, 1);
        assert_eq!(ended(&story.closed(1, class)), None, "user code still ends");
        assert_eq!(ended(&story.stopped(1)), Some(reason));
        assert_eq!(story.machine.next_deadline(), None);
    }
}

#[test]
fn a_namespace_that_stays_unknown_is_given_up() {
    let unknown = CloseClass::NamespaceUnknown;
    let mut story = story();
    story.feed(Input::Start);
    // Something else in between: it was no row of three.
    for (conn, class) in [(1, unknown), (2, unknown), (3, CloseClass::Retry), (4, unknown), (5, unknown)] {
        assert_eq!(ended(&story.closed(conn, class)), None);
        story.dial_again();
    }
    assert_eq!(ended(&story.closed(6, unknown)), Some(EndReason::NamespaceUnknown));
    assert_eq!(story.machine.next_deadline(), None);
}

#[test]
fn a_drain_may_be_bounded_by_whoever_asked_for_it() {
    let max = Duration::from_secs(60);
    let mut story = Story::of(Runner::new(Options { drain_max: Some(max), ..Options::default() }));
    story.feed(Input::Start);
    story.connect(1, 1);
    story.start(1, 1);
    story.started(1);
    story.feed(Input::Drain);
    let cut = |out: &[Effect]| {
        out.iter().any(|effect| matches!(effect, Effect::StopInstance { graceful: false, .. }))
    };
    for second in 1..60 {
        story.frame(1, machines::runner::Frame::Ping { ts: 1 });
        assert!(!cut(&story.until(second * 1_000)), "cut off after {second} s");
    }
    assert!(cut(&story.until(60_000)));
}

#[test]
fn a_drain_waits_for_the_engines_stops_and_their_acknowledgement() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.feed(Input::Drain);
    story.feed(Input::Drain);
    story.until(1_000);
    story.stop(1, 1);
    story.stopped(1);
    story.ack(1, 1, 1);
    story.feed(Input::Start);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_drain_survives_a_dropped_socket() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.ack(1, 1, 0);
    story.feed(Input::Drain);
    story.drop_socket(1);
    story.until(1_000);
    let out = story.connect(2, 1);
    assert!(out.contains(&Effect::Send { conn: ConnId(2), message: Message::Stopping }), "{out:?}");
    story.stop(2, 1);
    story.drop_socket(2);
    assert_eq!(
        ended(&story.stopped(1)),
        None,
        "its end is not acknowledged, and its actor may want to be destroyed"
    );
    let conn = story.dial_again();
    story.connect(conn, 1);
    assert_eq!(ended(&story.ack(conn, 1, 1)), Some(EndReason::Drained));
}

#[test]
fn a_drain_the_engine_ignores_puts_actors_to_sleep_by_itself() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.feed(Input::Drain);
    story.until(9_000);
    story.frame(1, machines::runner::Frame::Ping { ts: 1 });
    story.until(10_500);
    story.stopped(1);
    story.until(21_000);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_drain_that_an_actor_ignores_cuts_it_off() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.feed(Input::Drain);
    story.until(10_000);
    story.frame(1, machines::runner::Frame::Ping { ts: 1 });
    let out = story.until(20_000);
    assert!(
        out.iter().any(|effect| matches!(effect, Effect::StopInstance { graceful: false, .. })),
        "{out:?}"
    );
    assert_eq!(ended(&story.stopped(1)), Some(EndReason::DrainTimeout));
}

#[test]
fn a_drain_with_nothing_to_wait_for_ends_at_once() {
    assert_eq!(ended(&story().feed(Input::Drain)), Some(EndReason::Drained));
    let mut dialling = story();
    dialling.feed(Input::Start);
    assert_eq!(ended(&dialling.feed(Input::Drain)), Some(EndReason::Drained));
    assert_eq!(ended(&connected().feed(Input::Drain)), Some(EndReason::Drained));
}

#[test]
fn a_stop_cuts_off_hangs_up_and_ends() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.feed(Input::Stop);
    story.instance(1, InstanceEvent::Sleep);
    story.stopped(1);
    story.feed(Input::Start);
    insta::assert_snapshot!(story.told());
}

#[test]
fn an_engine_that_acknowledges_nothing_is_given_up() {
    let mut story = Story::of(Runner::new(Options { events_max: 3, ..Options::default() }));
    story.feed(Input::Start);
    story.connect(1, 1);
    story.start(1, 1);
    story.started(1);
    for at in 0..2 {
        assert_eq!(ended(&story.instance(1, InstanceEvent::Alarm { ticket: Ticket(1), at: Some(at) })), None);
    }
    story.instance(1, InstanceEvent::Alarm { ticket: Ticket(1), at: None });
    assert_eq!(ended(&story.stopped(1)), Some(EndReason::Overflow));
}
