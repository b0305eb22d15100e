//! Stories of the gateway.

use machines::gateway::{Effect, Gateway, Input, Options};
use machines::route::Route;
use protocol::id::{BodyId, ConnId, Generation, Ticket};

use crate::names::{actor, request};
use crate::story::Story;

const READY: Route = Route::Ready { conn: ConnId(1), generation: Generation(1) };
const ENDING: Route = Route::Ending { conn: ConnId(1), generation: Generation(1) };
const DRAINING: Route = Route::Draining { conn: ConnId(1), generation: Generation(1) };
const NEXT: Route = Route::Ready { conn: ConnId(1), generation: Generation(2) };
const MOVED: Route = Route::Ready { conn: ConnId(2), generation: Generation(1) };

fn story() -> Story<Gateway> {
    Story::of(Gateway::new(Options::default()))
}

impl Story<Gateway> {
    fn post(&mut self, number: u64) {
        self.ask(number, false);
    }

    fn get(&mut self, number: u64) {
        self.ask(number, true);
    }

    /// A request whose ticket, and wish for an id on the wire, is this number.
    fn ask(&mut self, number: u64, safe: bool) {
        let fresh = request(u32::try_from(number).expect("a small number"));
        self.feed(Input::Request { ticket: Ticket(number), actor: actor(7), safe, fresh });
    }

    pub(crate) fn route(&mut self, route: Route) {
        self.feed(Input::Route { actor: actor(7), route });
    }

    fn answer(&mut self, conn: u64, id: u32, body: u64, more: bool) {
        let (conn, request, body) = (ConnId(conn), request(id), BodyId(body));
        self.feed(Input::ResponseStart { conn, request, body, more, undelivered: false });
    }

    fn undelivered(&mut self, conn: u64, id: u32, body: u64) {
        let (conn, request, body) = (ConnId(conn), request(id), BodyId(body));
        self.feed(Input::ResponseStart { conn, request, body, more: false, undelivered: true });
    }

    fn chunk(&mut self, conn: u64, id: u32, body: u64, more: bool) {
        let (conn, request, body) = (ConnId(conn), request(id), BodyId(body));
        self.feed(Input::ResponseChunk { conn, request, body, more });
    }
}

#[test]
fn a_request_wakes_its_actor_is_forwarded_once_and_answered() {
    let mut story = story();
    story.post(1);
    story.post(2);
    story.until(200);
    story.route(Route::Waiting);
    story.until(400);
    story.route(READY);
    story.post(3);
    story.until(450);
    story.answer(1, 2, 12, false);
    story.answer(1, 1, 11, true);
    story.until(500);
    story.chunk(1, 1, 21, true);
    story.chunk(1, 1, 31, false);
    story.answer(1, 3, 13, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn an_actor_that_never_becomes_ready_fails_after_the_bound() {
    let mut story = story();
    story.post(1);
    story.route(Route::Waiting);
    story.until(10_000);
    story.post(2);
    story.route(DRAINING);
    story.until(60_000);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_pool_that_struggles_has_a_moment_and_one_that_fails_has_none() {
    let mut story = story();
    story.post(1);
    story.route(Route::Struggling);
    story.until(2_000);
    story.post(2);
    story.until(4_000);
    story.route(Route::Waiting);
    story.until(6_000);
    story.route(Route::Struggling);
    story.post(3);
    story.until(7_000);
    story.route(Route::Failing);
    story.post(4);
    story.route(READY);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_doomed_actor_may_answer_and_takes_nothing_new() {
    let mut story = story();
    story.post(1);
    story.route(READY);
    story.route(ENDING);
    story.post(2);
    story.answer(1, 1, 11, false);
    story.post(3);
    story.route(ENDING);
    insta::assert_snapshot!(story.told());
}

#[test]
fn an_unknown_actor_fails_at_once_and_what_it_may_have_carried_out_is_told() {
    let mut story = story();
    story.post(1);
    story.route(Route::Unknown);
    story.route(READY);
    story.post(2);
    story.get(3);
    story.route(READY);
    story.route(Route::Unknown);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_lost_session_fails_what_it_had_unless_it_was_safe() {
    let mut story = story();
    story.post(1);
    story.get(2);
    story.route(READY);
    story.until(100);
    story.route(Route::Waiting);
    story.until(1_100);
    story.route(MOVED);
    // The runner kept its answers and gives them to the new session: they match by session, and only the repeated one.
    story.answer(2, 1, 11, false);
    story.answer(2, 2, 12, false);
    story.answer(2, 3, 13, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_later_generation_on_the_same_session_never_answers_for_the_earlier_one() {
    let mut story = story();
    story.get(1);
    story.route(READY);
    story.route(NEXT);
    story.answer(1, 1, 11, false);
    story.answer(1, 2, 12, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn draining_lets_what_was_forwarded_finish_and_holds_what_is_new() {
    let mut story = story();
    story.post(1);
    story.route(READY);
    story.route(DRAINING);
    story.post(2);
    story.answer(1, 1, 11, false);
    story.route(Route::Waiting);
    story.route(NEXT);
    story.answer(1, 2, 12, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_response_that_has_begun_is_broken_off_and_never_repeated() {
    let mut story = story();
    story.get(1);
    story.route(READY);
    story.answer(1, 1, 11, true);
    story.route(Route::Waiting);
    story.chunk(1, 1, 21, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn what_reached_no_actor_is_sent_again_even_if_unsafe() {
    let mut story = story();
    story.post(1);
    story.route(READY);
    story.undelivered(1, 1, 11);
    story.until(300);
    story.route(Route::Waiting);
    story.route(NEXT);
    story.undelivered(1, 1, 12);
    story.until(1_000);
    story.answer(1, 1, 13, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_runner_that_sends_the_same_request_back_twice_has_never_heard_of_the_actor() {
    let mut story = story();
    story.post(1);
    story.route(READY);
    story.undelivered(1, 1, 11);
    story.until(500);
    story.undelivered(1, 1, 12);
    story.route(Route::Waiting);
    story.route(NEXT);
    story.answer(1, 1, 13, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn attempts_are_bounded() {
    let mut story = story();
    story.post(1);
    story.route(READY);
    for attempt in 1..=7 {
        story.undelivered(1, 1, attempt);
        story.until(attempt * 500);
    }
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_runner_that_gives_up_fails_the_request_unless_it_was_safe() {
    let mut story = story();
    story.post(1);
    story.get(2);
    story.get(3);
    story.route(READY);
    story.answer(1, 3, 13, true);
    for id in 1..=3 {
        story.feed(Input::ResponseAbort { conn: ConnId(1), request: request(id) });
    }
    story.until(1_000);
    story.answer(1, 2, 12, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn an_answer_that_is_too_large_fails_its_own_request_only() {
    let mut story = story();
    story.post(1);
    story.get(2);
    story.post(3);
    story.route(READY);
    story.answer(1, 2, 12, true);
    for id in [1, 2, 1] {
        story.feed(Input::ResponseTooLarge { conn: ConnId(1), request: request(id) });
    }
    story.answer(1, 3, 13, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn silence_fails_with_the_phase_it_fell_in() {
    let mut story = story();
    story.post(1);
    story.post(2);
    story.route(READY);
    story.until(50_000);
    story.answer(1, 2, 12, true);
    story.until(100_000);
    story.chunk(1, 2, 22, true);
    story.until(300_000);
    story.answer(1, 1, 11, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_client_that_leaves_is_forgotten_and_the_runner_told() {
    let mut story = story();
    story.post(1);
    story.feed(Input::ClientGone { ticket: Ticket(1) });
    story.post(2);
    story.route(READY);
    story.feed(Input::ClientGone { ticket: Ticket(2) });
    story.feed(Input::ClientGone { ticket: Ticket(2) });
    story.answer(1, 2, 12, false);
    insta::assert_snapshot!(story.told());
}

#[test]
fn requests_are_bounded_and_ids_on_the_wire_never_shared() {
    let options = Options { requests_max: 2, ..Options::default() };
    let mut story = Story::of(Gateway::new(options));
    let fresh = request(u32::MAX);
    for ticket in 1..=3 {
        story.feed(Input::Request { ticket: Ticket(ticket), actor: actor(7), safe: false, fresh });
    }
    story.route(READY);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_repeat_past_the_ready_bound_is_not_tried() {
    let mut story = story();
    story.get(1);
    story.route(READY);
    story.until(45_000);
    let out = story.feed(Input::Route { actor: actor(7), route: MOVED });
    assert!(matches!(out[1], Effect::Fail { .. }), "{out:?}");
}
