//! A socket between the runner and the engine: in order each way, until it breaks.

use std::collections::VecDeque;

use machines::control;
use machines::runner::{CloseClass, Message};
use protocol::id::{ConnId, RequestId, Ticket};

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    /// Its handle at the runner, until it has seen its end.
    pub(crate) runner: Option<ConnId>,
    /// Its handle at the engine, until it has seen its end.
    pub(crate) engine: Option<ConnId>,
    pub(crate) up: VecDeque<Up>,
    pub(crate) down: VecDeque<Down>,
    /// Nothing more is sent on it. What is on its way may still arrive, until its receiver sees the end.
    pub(crate) broken: bool,
    /// What its end means to the runner.
    pub(crate) class: CloseClass,
}

/// What the runner says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Up {
    Plain(Message),
    Kv { request: u32, write: Write },
    Response { request: RequestId, done: bool },
    Undelivered { request: RequestId },
    Abort { request: RequestId },
}

/// What the engine says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Down {
    Plain(control::effect::Message),
    KvDone { request: u32 },
    Request { request: RequestId, ticket: Ticket },
    Abort { request: RequestId },
}

/// A KV write and, which no wire carries, who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Write {
    /// The client's request it belongs to.
    pub(crate) ticket: Ticket,
    /// The generation whose user code asked.
    pub(crate) generation: u32,
}

impl Link {
    pub(crate) const fn new(runner: ConnId, engine: ConnId) -> Self {
        Self {
            runner: Some(runner),
            engine: Some(engine),
            up: VecDeque::new(),
            down: VecDeque::new(),
            broken: false,
            class: CloseClass::Retry,
        }
    }
}
