//! Stories of a runner: its session, its actors, what they ask and are asked.

use machines::runner::{CloseClass, Effect, Frame, Input, InstanceEvent, Options, Runner};
use protocol::id::{BodyId, ConnId, Generation, Ticket};
use protocol::wire::Checkpoint;

use crate::names::{GATEWAY, actor, request, runner};
use crate::story::Story;

pub(crate) fn story() -> Story<Runner> {
    Story::of(Runner::new(Options::default()))
}

/// A story in which the runner has a session as runner 1, on socket 1.
pub(crate) fn connected() -> Story<Runner> {
    let mut story = story();
    story.feed(Input::Start);
    story.connect(1, 1);
    story
}

impl Story<Runner> {
    pub(crate) fn connect(&mut self, conn: u64, id: u8) -> Vec<Effect> {
        self.feed(Input::Dialled { conn: ConnId(conn) });
        self.frame(
            conn,
            Frame::Init { runner: runner(id), lost_threshold: 15_000, drain_grace: Some(10_000) },
        )
    }

    pub(crate) fn frame(&mut self, conn: u64, frame: Frame) -> Vec<Effect> {
        self.feed(Input::Frame { conn: ConnId(conn), frame })
    }

    /// A start command with index 0, whose body is 1000 times the generation.
    pub(crate) fn start(&mut self, conn: u64, generation: u32) -> Vec<Effect> {
        let body = BodyId(u64::from(generation) * 1_000);
        self.frame(conn, Frame::Start { checkpoint: checkpoint(generation, 0), body })
    }

    pub(crate) fn stop(&mut self, conn: u64, generation: u32) -> Vec<Effect> {
        self.frame(conn, Frame::StopActor { checkpoint: checkpoint(generation, 1) })
    }

    pub(crate) fn ack(&mut self, conn: u64, generation: u32, index: i64) -> Vec<Effect> {
        self.frame(conn, Frame::AckEvents(vec![checkpoint(generation, index)]))
    }

    pub(crate) fn instance(&mut self, generation: u32, event: InstanceEvent) -> Vec<Effect> {
        self.feed(Input::Instance { actor: actor(7), generation: Generation(generation), event })
    }

    pub(crate) fn started(&mut self, generation: u32) -> Vec<Effect> {
        self.instance(generation, InstanceEvent::Started)
    }

    pub(crate) fn stopped(&mut self, generation: u32) -> Vec<Effect> {
        self.instance(generation, InstanceEvent::Stopped { error: None })
    }

    fn kv(&mut self, generation: u32, number: u64, repeatable: bool) -> Vec<Effect> {
        let (ticket, body) = (Ticket(number), BodyId(number));
        self.instance(generation, InstanceEvent::Kv { ticket, repeatable, body })
    }

    fn request(&mut self, conn: u64, number: u32) -> Vec<Effect> {
        let body = BodyId(u64::from(number));
        self.frame(conn, Frame::Request { gateway: GATEWAY, request: request(number), actor: actor(7), body })
    }

    fn respond(&mut self, generation: u32, number: u32) -> Vec<Effect> {
        let body = BodyId(u64::from(number) + 100);
        self.instance(generation, InstanceEvent::Respond { gateway: GATEWAY, request: request(number), body })
    }

    /// The socket closes; the next dial comes after half of the longest wait.
    pub(crate) fn drop_socket(&mut self, conn: u64) -> Vec<Effect> {
        self.feed(Input::Closed { conn: ConnId(conn), class: CloseClass::Retry, jitter: u64::MAX / 2 + 1 })
    }
}

pub(crate) fn checkpoint(generation: u32, index: i64) -> Checkpoint {
    Checkpoint { actor_id: actor(7), generation: Generation(generation), index }
}

#[test]
fn an_actor_from_start_to_acknowledged_stop() {
    let mut story = connected();
    story.start(1, 1);
    story.until(20);
    story.started(1);
    story.ack(1, 1, 0);
    story.frame(1, Frame::Ping { ts: 5 });
    story.instance(1, InstanceEvent::Alarm { ticket: Ticket(1), at: Some(99) });
    story.ack(1, 1, 1);
    story.instance(1, InstanceEvent::Sleep);
    story.instance(1, InstanceEvent::Sleep);
    story.stop(1, 1);
    story.instance(1, InstanceEvent::Destroy);
    story.stopped(1);
    story.ack(1, 1, 4);
    assert_eq!(story.machine.view().events, 0);
    insta::assert_snapshot!(story.told());
}

#[test]
fn commands_that_come_twice_or_late_do_nothing() {
    let mut story = connected();
    story.start(1, 2);
    story.start(1, 2);
    story.started(2);
    story.start(1, 1);
    story.stop(1, 1);
    story.stop(1, 2);
    story.stop(1, 2);
    story.stopped(2);
    story.start(1, 2);
    story.stop(1, 2);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_stop_before_the_start_has_returned_is_kept() {
    let mut story = connected();
    story.start(1, 1);
    story.request(1, 1);
    story.stop(1, 1);
    story.request(1, 2);
    story.started(1);
    story.stopped(1);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_stop_of_what_was_never_started_is_answered_and_its_start_refused() {
    let mut story = connected();
    story.stop(1, 1);
    story.start(1, 1);
    story.ack(1, 1, 0);
    story.start(1, 2);
    story.started(2);
    story.stop(1, 1);
    story.stop(1, 3);
    story.stopped(2);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_later_generation_waits_until_the_earlier_one_has_ended() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.kv(1, 1, true);
    story.start(1, 2);
    story.start(1, 3);
    story.kv(1, 2, true);
    story.stopped(1);
    story.start(1, 4);
    story.stop(1, 4);
    story.stopped(3);
    insta::assert_snapshot!(story.told());
}

#[test]
fn after_a_drop_everything_unacknowledged_goes_out_again_in_order() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.kv(1, 1, true);
    story.kv(1, 2, false);
    story.request(1, 1);
    story.until(100);
    story.drop_socket(1);
    story.kv(1, 3, false);
    story.instance(1, InstanceEvent::Alarm { ticket: Ticket(9), at: None });
    story.respond(1, 1);
    story.until(125);
    story.connect(2, 1);
    story.frame(2, Frame::KvResponse { request: 0, body: BodyId(201) });
    story.frame(2, Frame::KvResponse { request: 1, body: BodyId(202) });
    story.frame(2, Frame::KvResponse { request: 2, body: BodyId(203) });
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_refusal_says_nothing_about_what_was_sent_on_an_earlier_session() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.kv(1, 1, true);
    story.drop_socket(1);
    story.kv(1, 2, true);
    story.until(125);
    story.connect(2, 1);
    story.frame(2, Frame::KvRefused { request: 0, body: BodyId(201) });
    story.frame(2, Frame::KvRefused { request: 1, body: BodyId(202) });
    insta::assert_snapshot!(story.told());
}

#[test]
fn another_runner_id_cuts_off_what_the_former_hosted() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.kv(1, 1, true);
    story.request(1, 1);
    story.drop_socket(1);
    story.kv(1, 2, true);
    story.until(50);
    story.connect(2, 2);
    story.kv(1, 3, true);
    story.respond(1, 1);
    story.start(2, 2);
    story.stopped(1);
    story.started(2);
    insta::assert_snapshot!(story.told());
}

#[test]
fn disconnected_for_too_long_cuts_off_and_tells_it_as_a_failure() {
    let mut story = connected();
    story.start(1, 1);
    story.started(1);
    story.ack(1, 1, 0);
    story.drop_socket(1);
    story.until(1_000);
    story.drop_socket(2);
    story.until(16_000);
    story.stopped(1);
    story.drop_socket(3);
    let conn = story.dial_again();
    story.connect(conn, 1);
    insta::assert_snapshot!(story.told());
}

#[test]
fn requests_are_held_given_answered_cancelled_or_sent_back() {
    let mut story = connected();
    story.request(1, 1);
    story.start(1, 1);
    story.request(1, 2);
    story.request(1, 3);
    story.frame(1, Frame::RequestAbort { gateway: GATEWAY, request: request(3) });
    story.started(1);
    story.instance(1, InstanceEvent::Begun { gateway: GATEWAY, request: request(2) });
    story.request(1, 4);
    story.request(1, 5);
    story.request(1, 5);
    story.respond(1, 2);
    story.respond(1, 2);
    story.frame(1, Frame::RequestAbort { gateway: GATEWAY, request: request(4) });
    story.respond(1, 4);
    story.stop(1, 1);
    story.request(1, 6);
    story.stopped(1);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_request_held_when_the_socket_drops_is_never_executed() {
    let mut story = connected();
    story.start(1, 1);
    story.request(1, 1);
    story.drop_socket(1);
    let out = story.started(1);
    assert!(!out.iter().any(|effect| matches!(effect, Effect::Deliver { .. })), "{out:?}");
}

#[test]
fn kv_without_answer_fails_in_time_and_says_what_is_known() {
    let mut story = connected();
    story.start(1, 1);
    story.kv(1, 1, true);
    story.drop_socket(1);
    story.kv(1, 2, true);
    story.until(14_000);
    story.kv(1, 3, true);
    story.until(16_000);
    insta::assert_snapshot!(story.told());
}

#[test]
fn kv_is_refused_to_whoever_has_no_rights() {
    let mut story = connected();
    story.kv(1, 1, true);
    story.start(1, 1);
    story.kv(1, 2, true);
    story.stop(1, 1);
    story.started(1);
    story.kv(1, 3, true);
    story.instance(1, InstanceEvent::Stopped { error: Some("boom".into()) });
    story.kv(1, 4, true);
    insta::assert_snapshot!(story.told());
}

#[test]
fn responses_kept_for_a_session_are_bounded() {
    let mut story = Story::of(Runner::new(Options { responses_max: 1, ..Options::default() }));
    story.feed(Input::Start);
    story.connect(1, 1);
    story.start(1, 1);
    story.started(1);
    story.request(1, 1);
    story.request(1, 2);
    story.drop_socket(1);
    assert_eq!(story.respond(1, 1), []);
    assert_eq!(story.respond(1, 2), [Effect::Drop { body: BodyId(102) }]);
}
