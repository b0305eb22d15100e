//! Stories of the serverless event stream.

use machines::runner::stream::{Stream, StreamEffect, StreamEnd, StreamInput};
use machines::runner::{EndReason, Options};

use crate::names::runner;
use crate::story::Story;

fn story() -> Story<Stream> {
    let mut story = Story::of(Stream::new(Options::default()));
    story.feed(StreamInput::Tick);
    story
}

fn reason(out: &[StreamEffect]) -> Option<StreamEnd> {
    out.iter().find_map(|effect| match effect {
        StreamEffect::End { reason, .. } => Some(*reason),
        StreamEffect::WriteInit(_)
        | StreamEffect::WritePing
        | StreamEffect::DrainRunner
        | StreamEffect::Fact(_) => None,
    })
}

#[test]
fn the_first_bytes_go_out_at_once_then_the_runner_is_named_and_pings_keep_time() {
    let mut story = story();
    story.feed(StreamInput::Written);
    story.until(40);
    story.feed(StreamInput::Ready(runner(1)));
    story.feed(StreamInput::Written);
    for second in 1..=3 {
        story.until(second * 1_000 + 10);
        story.feed(StreamInput::Written);
    }
    story.feed(StreamInput::RunnerEnded(EndReason::Drained));
    story.feed(StreamInput::PeerClosed);
    insta::assert_snapshot!(story.told());
}

#[test]
fn one_ping_a_second_exactly() {
    let mut story = story();
    story.feed(StreamInput::Written);
    for second in 1..=60 {
        let out = story.until(second * 1_000);
        assert_eq!(out, [StreamEffect::WritePing], "at second {second}");
        story.feed(StreamInput::Written);
    }
    assert_eq!(story.machine.pings(), 61);
}

#[test]
fn no_pings_pile_up_behind_a_slow_write() {
    let mut story = story();
    story.until(5_300);
    story.feed(StreamInput::Ready(runner(1)));
    story.feed(StreamInput::Written);
    story.feed(StreamInput::Written);
    story.feed(StreamInput::Written);
    story.until(6_400);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_write_that_hangs_is_a_failed_one() {
    let mut story = story();
    assert_eq!(reason(&story.until(14_999)), None);
    assert_eq!(reason(&story.until(15_000)), Some(StreamEnd::WriteError));
}

#[test]
fn whoever_ends_it_first_is_the_reason_even_in_the_middle_of_a_write() {
    let cases = [
        (StreamInput::RunnerEnded(EndReason::Evicted), StreamEnd::Stopped, false),
        (StreamInput::PeerClosed, StreamEnd::ClientClosed, true),
        (StreamInput::WriteFailed, StreamEnd::WriteError, true),
        (StreamInput::Disconnected, StreamEnd::Disconnected, true),
    ];
    for (input, end, drains) in cases {
        let mut story = story();
        story.feed(StreamInput::Ready(runner(1)));
        let out = story.feed(input);
        assert_eq!(reason(&out), Some(end));
        assert_eq!(out.contains(&StreamEffect::DrainRunner), drains, "{end:?}");
        for late in [input, StreamInput::Written, StreamInput::Shutdown, StreamInput::Tick] {
            assert_eq!(story.feed(late), [], "{end:?} was the end");
        }
        assert!(story.machine.ended());
    }
}

#[test]
fn another_runner_id_means_that_the_engine_gave_this_one_up() {
    let mut story = story();
    story.feed(StreamInput::Ready(runner(1)));
    assert_eq!(story.feed(StreamInput::Ready(runner(1))), []);
    assert_eq!(reason(&story.feed(StreamInput::Ready(runner(2)))), Some(StreamEnd::Disconnected));
}

#[test]
fn a_process_that_ends_waits_for_the_drain_within_a_bound() {
    let mut story = story();
    story.feed(StreamInput::Written);
    story.until(100);
    story.feed(StreamInput::Shutdown);
    story.feed(StreamInput::Shutdown);
    story.until(1_000);
    story.feed(StreamInput::Written);
    let out = story.feed(StreamInput::RunnerEnded(EndReason::Drained));
    assert_eq!(reason(&out), Some(StreamEnd::Shutdown));
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_drain_without_end_does_not_hold_the_process() {
    let mut story = story();
    story.feed(StreamInput::Shutdown);
    for second in 0..25 {
        story.feed(StreamInput::Written);
        assert_eq!(reason(&story.until(second * 1_000)), None);
    }
    story.feed(StreamInput::Written);
    assert_eq!(reason(&story.until(25_000)), Some(StreamEnd::Shutdown));
}

#[test]
fn no_stream_is_open_for_ever() {
    let mut story = story();
    let mut ended = None;
    for second in 0..=5_460 {
        story.feed(StreamInput::Written);
        let out = story.until(second * 1_000);
        if let Some(reason) = reason(&out) {
            assert!(out.contains(&StreamEffect::DrainRunner));
            ended = Some((second, reason));
            break;
        }
    }
    assert_eq!(ended, Some((5_460, StreamEnd::Lifetime)));
}

#[test]
fn a_stream_says_that_its_runner_has_stopped_unless_something_else_is_being_written() {
    for (written, farewell) in [(true, true), (false, false)] {
        let mut story = story();
        if written {
            story.feed(StreamInput::Written);
        }
        let out = story.feed(StreamInput::RunnerEnded(EndReason::Drained));
        assert_eq!(out[0], StreamEffect::End { reason: StreamEnd::Stopped, farewell });
    }
}
