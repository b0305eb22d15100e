//! Stories of WebSockets through the gateway.

use machines::gateway::{ActorEvent, ClientEvent, Gateway, Input, Options};
use machines::route::Route;
use protocol::id::{BodyId, ConnId, Generation, Ticket};

use crate::names::{actor, request};
use crate::story::Story;

const READY: Route = Route::Ready { conn: ConnId(1), generation: Generation(1) };
const DRAINING: Route = Route::Draining { conn: ConnId(1), generation: Generation(1) };
const MOVED: Route = Route::Ready { conn: ConnId(2), generation: Generation(2) };

/// One client that wants a WebSocket.
fn story() -> Story<Gateway> {
    let options = Options { websocket_messages_max: 2, websocket_bytes_max: 100, ..Options::default() };
    let mut story = Story::of(Gateway::new(options));
    story.feed(Input::WebSocket { ticket: Ticket(1), actor: actor(7), fresh: request(1) });
    story
}

/// The same, let in by its actor.
fn open() -> Story<Gateway> {
    let mut story = story();
    story.route(READY);
    story.says(1, ActorEvent::Accepted);
    story
}

impl Story<Gateway> {
    /// Something of the WebSocket with this id, from session 1.
    fn says(&mut self, id: u32, event: ActorEvent) {
        self.feed(Input::FromActor { conn: ConnId(1), request: request(id), event });
    }

    fn hears(&mut self, event: ClientEvent) {
        self.feed(Input::FromClient { ticket: Ticket(1), event });
    }
}

fn message(body: u64, bytes: usize) -> ActorEvent {
    ActorEvent::Message { body: BodyId(body), bytes }
}

#[test]
fn it_opens_carries_messages_and_closes() {
    let mut story = story();
    story.route(READY);
    story.until(200);
    story.says(1, ActorEvent::Accepted);
    story.hears(ClientEvent::Message { body: BodyId(11) });
    story.hears(ClientEvent::Message { body: BodyId(12) });
    story.says(1, message(21, 5));
    story.hears(ClientEvent::Took { messages: 1, bytes: 5 });
    story.hears(ClientEvent::Closed { body: BodyId(13) });
    // Its answer crosses the end, and is nobody's.
    story.says(1, ActorEvent::Closed { body: BodyId(22), undelivered: false });
    insta::assert_snapshot!(story.told());
}

#[test]
fn until_it_is_accepted_it_is_tried_again() {
    let mut story = story();
    story.route(READY);
    story.says(1, ActorEvent::Closed { body: BodyId(21), undelivered: true });
    story.until(500);
    story.route(MOVED);
    // The former session accepts too late.
    story.says(1, ActorEvent::Accepted);
    story.feed(Input::FromActor { conn: ConnId(2), request: request(2), event: ActorEvent::Accepted });
    insta::assert_snapshot!(story.told());
}

#[test]
fn once_accepted_it_never_moves() {
    let mut story = open();
    story.route(DRAINING);
    story.hears(ClientEvent::Message { body: BodyId(11) });
    story.route(Route::Waiting);
    story.route(MOVED);
    story.hears(ClientEvent::Message { body: BodyId(12) });
    insta::assert_snapshot!(story.told());
}

#[test]
fn an_actor_that_does_not_accept_in_time_has_lost_it() {
    let mut story = story();
    story.route(READY);
    story.until(20_000);
    story.says(1, ActorEvent::Accepted);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_client_that_is_silent_is_asked_and_given_up() {
    let mut story = open();
    story.until(10_000);
    story.hears(ClientEvent::Heard);
    story.until(60_000);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_client_that_does_not_read_is_closed_at_its_bound() {
    let mut story = open();
    story.says(1, message(21, 99));
    story.says(1, message(22, 1));
    story.hears(ClientEvent::Took { messages: 1, bytes: 99 });
    story.says(1, message(23, 1_000));
    story.says(1, message(24, 1));
    insta::assert_snapshot!(story.told());
}
