//! What goes into the machine and comes out of it.

use std::time::Duration;

use protocol::id::{ConnId, Ticket};

use crate::client::{Executed, Failure};

/// Timings and bounds. Defaults are ours unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Whether it means whichever actor is at its address, and not one actor: then one that is gone is looked for anew.
    pub follows: bool,
    /// How long a dial may take, until the actor has taken the connection. Default 15 s (upstream).
    pub open_timeout: Duration,
    /// Longest wait before the first dial after a drop. Default 50 ms.
    pub redial_first: Duration,
    /// Longest wait before the second; it doubles from there, with full jitter. Default 250 ms (upstream).
    pub redial_base: Duration,
    /// Longest wait of all. Default 30 s (upstream).
    pub redial_max: Duration,
    /// A connection that lived this long forgets earlier failures. Default 5 s: one that the actor ends as soon as it is
    /// open is not dialled without pause.
    pub stable: Duration,
    /// Messages held at most until the connection is open. Default 1000.
    pub messages_max: usize,
    /// Bytes of them at most. Default 16 MiB.
    pub bytes_max: usize,
    /// Calls without answer at most. Default 1000.
    pub calls_max: usize,
    /// Subscriptions at most. Default 1000.
    pub topics_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            follows: false,
            open_timeout: Duration::from_secs(15),
            redial_first: Duration::from_millis(50),
            redial_base: Duration::from_millis(250),
            redial_max: Duration::from_secs(30),
            stable: Duration::from_secs(5),
            messages_max: 1000,
            bytes_max: 16 * 1024 * 1024,
            calls_max: 1000,
            topics_max: 1000,
        }
    }
}

/// An event's name, which the driver keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(pub u64);

/// How the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Not wanted, or given up.
    Idle,
    /// Being opened for the first time since it was wanted.
    Connecting,
    /// Open.
    Connected,
    /// It was open, and is dialled again, or could not be opened yet.
    Disconnected,
}

/// One input of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// The connection is wanted.
    Connect,
    /// It is wanted no more, and with it whatever was sent, called and subscribed to.
    Dispose,
    /// The actor has taken it.
    Opened {
        /// Which dial.
        conn: ConnId,
    },
    /// It has ended, or could not be opened; the last input of it.
    Closed {
        /// Which dial.
        conn: ConnId,
        /// Why; one that was open and ended in whatever way is [`Failure::Broken`].
        failure: Failure,
        /// A random number for the wait before the next dial.
        jitter: u64,
    },
    /// A message without answer: ends in `Transmit` or in `Fail`.
    Send {
        /// Which. Used once, by calls too.
        ticket: Ticket,
        /// How large.
        bytes: usize,
    },
    /// A call: ends in `Answered`, in `Abandon` or in `Fail`.
    Call {
        /// Which.
        ticket: Ticket,
        /// How large.
        bytes: usize,
        /// How long it may take, from here on.
        within: Duration,
    },
    /// The actor has answered a call.
    Answered {
        /// On which connection.
        conn: ConnId,
        /// Which call.
        ticket: Ticket,
    },
    /// Whoever called, or sent, waits no more. What was not sent is not.
    Abandon {
        /// Which.
        ticket: Ticket,
    },
    /// Events of this name are wanted.
    Subscribe {
        /// Which.
        topic: Topic,
    },
    /// Not any more.
    Unsubscribe {
        /// Which.
        topic: Topic,
    },
}

/// One effect of a step, performed in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Open a connection; `Closed` follows, `Opened` may before it.
    Dial {
        /// Told back. Counts from 1.
        conn: ConnId,
        /// Whether the actor known so far is gone: it is to be looked for anew.
        anew: bool,
    },
    /// End a connection; its `Closed` may still come and is ignored.
    Hangup {
        /// Which.
        conn: ConnId,
    },
    /// Send a message, or a call.
    Transmit {
        /// On which connection.
        conn: ConnId,
        /// Which.
        ticket: Ticket,
    },
    /// Ask the actor for events.
    Subscribe {
        /// On which connection.
        conn: ConnId,
        /// Of which name.
        topic: Topic,
    },
    /// Not any more.
    Unsubscribe {
        /// On which connection.
        conn: ConnId,
        /// Of which name.
        topic: Topic,
    },
    /// Tell whoever sent or called that it failed.
    Fail {
        /// Which.
        ticket: Ticket,
        /// Why.
        reason: Reason,
        /// Whether it had its effect.
        executed: Executed,
    },
    /// Refuse a subscription: there are as many as there may be.
    RefuseTopic {
        /// Which.
        topic: Topic,
    },
    /// How it stands has changed.
    Status(Status),
    /// It is given up, by the failure of the last dial; the last effect.
    GivenUp,
}

/// Why a message or a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nobody wants the connection.
    Idle,
    /// Too much waits for it, or for answers.
    Full,
    /// It ended before the answer came.
    Closed,
    /// It cannot be opened.
    GivenUp,
    /// The call took too long.
    TimedOut,
}
