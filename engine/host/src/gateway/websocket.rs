//! An open WebSocket, between the task that serves its client and the driver.

use machines::gateway::{ClientEvent, Input};
use protocol::error::{WebSocketEnd, cut};
use protocol::id::{BodyId, Ticket};
use protocol::limits::CLOSE_REASON_BYTES_MAX;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite;

use super::clients::Part;
use crate::halt::Halt;
use crate::sockets::{Hold, Room};

/// A message, text or binary, with the room it takes in what waits for its runner.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) content: tungstenite::Message,
    pub(crate) hold: Option<Hold>,
}

/// How one end closed, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<u16>,
    pub(crate) reason: Option<String>,
}

/// How a client's WebSocket ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// As the actor said.
    Said(Said),
    /// By the platform.
    Because(WebSocketEnd),
}

/// What goes to a client.
#[derive(Debug)]
pub(crate) enum Down {
    Message(tungstenite::Message),
    Ping,
    Close(Ending),
}

/// What comes from a client.
#[derive(Debug)]
pub(crate) enum Up {
    Message(Message),
    /// So much was written.
    Took {
        messages: u32,
        bytes: usize,
    },
    /// It lives.
    Heard,
    /// A message that is not carried.
    Unfit(WebSocketEnd),
    Closed(Said),
}

/// The serving task's end.
#[derive(Debug)]
pub(crate) struct Line {
    /// What to send. The machine bounds what waits in it.
    pub(crate) down: mpsc::UnboundedReceiver<Down>,
    /// Given when what waits will not be read: it is not worth sending any more.
    pub(crate) cut: Halt,
    /// What the client's messages may take on their way to its runner.
    pub(crate) room: Room,
}

/// The driver's end.
#[derive(Debug)]
pub(super) struct Client {
    down: mpsc::UnboundedSender<Down>,
    cut: Halt,
}

pub(super) fn line(room: Room) -> (Client, Line) {
    let (sender, down) = mpsc::unbounded_channel();
    let cut = Halt::new();
    (Client { down: sender, cut: cut.clone() }, Line { down, cut, room })
}

impl Client {
    /// A task that has ended tells so by itself.
    pub(super) fn send(&self, down: Down) {
        self.down.send(down).ok();
    }

    /// Closes it; one that does not read, without what it has not read.
    pub(super) fn close(&self, ending: Ending) {
        let is_deaf = matches!(ending, Ending::Because(WebSocketEnd::PendingLimit | WebSocketEnd::TimedOut));
        self.send(Down::Close(ending));
        if is_deaf {
            protocol::mark!("websocket_client_cut");
            self.cut.give();
        }
    }
}

impl Up {
    /// What the machine shall know of it, and what is held meanwhile under this id.
    pub(super) fn input(self, ticket: Ticket, body: BodyId) -> (Input, Option<Part>) {
        let (event, part) = match self {
            Self::Message(message) => (ClientEvent::Message { body }, Some(Part::Message(message))),
            Self::Took { messages, bytes } => (ClientEvent::Took { messages, bytes }, None),
            Self::Heard => (ClientEvent::Heard, None),
            Self::Unfit(why) => (ClientEvent::Unfit { why }, None),
            Self::Closed(said) => (ClientEvent::Closed { body }, Some(Part::Closed(said))),
        };
        (Input::FromClient { ticket, event }, part)
    }
}

impl Said {
    /// Why the platform ended it, in its words.
    pub(super) fn because(why: WebSocketEnd) -> Self {
        Self { code: Some(why.code()), reason: Some(why.as_str().to_owned()) }
    }

    /// The code for a close frame: 1000 where none was given, 1011 for what may not be sent (RFC 6455 §7.4).
    pub(crate) fn code(&self) -> u16 {
        match self.code {
            None => 1000,
            Some(code @ (1000..=1003 | 1007..=1014 | 3000..=4999)) => code,
            Some(_) => {
                protocol::mark!("websocket_close_code_unfit");
                1011
            }
        }
    }

    /// The reason for a close frame.
    pub(crate) fn reason(&self) -> &str {
        cut(self.reason.as_deref().unwrap_or_default(), CLOSE_REASON_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_close_frame_cannot_carry_is_not_sent() {
        let said = |code, reason: &str| Said { code, reason: Some(reason.to_owned()) };
        assert_eq!(said(None, "").code(), 1000);
        assert_eq!((said(Some(4001), "").code(), said(Some(1000), "").code()), (4001, 1000));
        for reserved in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(said(Some(reserved), "").code(), 1011, "{reserved}");
        }
        assert_eq!(said(None, "bye").reason(), "bye");
        assert!(said(None, &"ü".repeat(100)).reason().len() <= CLOSE_REASON_BYTES_MAX);
    }
}
