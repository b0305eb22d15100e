//! Taps: what flows on a connection, read as it is sent, so that a cut can fall at a place of the protocol.
//!
//! A tap is laid on connections before they open ([`World::tap`](crate::World::tap)) and reads both directions from
//! their first byte, incrementally, one layer on top of the other: HTTP/1.1 heads, bodies, chunks, server-sent events;
//! after a 101 WebSocket frames, and in them an inhabitant's own messages. Each layer is a [`Grammar`]; the trait is
//! open, so what `sim` must not know can be stacked on top, or replace all of it ([`Tap::of`]). Grammars name spans of
//! bytes ([`Span`]); a plan ([`World::plan_cut`](crate::World::plan_cut), [`World::cut_in`](crate::World::cut_in))
//! names a [`Place`] among them: a byte before which the cut falls.
//!
//! A tap sees bytes when they are written, before any of them arrives. It changes nothing of a run; only its plans do.
//! It is no parser for programs: it does not decode, and takes much that a server would refuse. Where bytes do not
//! follow the grammar it stops to read, and says where.
//!
//! Here: what is laid where. Beside: `grammar` (the trait), `place` (the words), `http`, `sse`, `websocket` (the
//! grammars), `plan` (what waits for its place), `watch` (the parsers of one connection).

pub(crate) mod grammar;
pub(crate) mod http;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod sse;
pub(crate) mod watch;
pub(crate) mod websocket;

use std::fmt;
use std::rc::Rc;

pub use grammar::{Grammar, Lost, Span, Spans};
pub use http::Http;
pub use place::{Field, Part, Place, Which};
pub use plan::{At, Planned, Standing, Unmet};
pub use sse::Sse;
pub use websocket::WebSocket;

use crate::net::conn::Side;

/// Which connections: those for which everything that is said here is true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    from: Option<String>,
    to: Option<String>,
    port: Option<u16>,
    ordinal: Option<u32>,
}

impl Wire {
    /// All.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Those that the first node opens to the second.
    #[must_use]
    pub fn between(from: &str, to: &str) -> Self {
        Self { from: Some(from.to_owned()), to: Some(to.to_owned()), ..Self::default() }
    }

    /// Those that anybody opens to that node.
    #[must_use]
    pub fn to(to: &str) -> Self {
        Self { to: Some(to.to_owned()), ..Self::default() }
    }

    /// Of these, those to that port.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// Of these, the how-manieth from its opener to that node and port, from zero.
    #[must_use]
    pub fn ordinal(self, ordinal: u32) -> Self {
        Self { ordinal: Some(ordinal), ..self }
    }

    pub(crate) fn is(&self, from: &str, to: &str, port: u16, ordinal: u32) -> bool {
        self.from.as_deref().is_none_or(|name| name == from)
            && self.to.as_deref().is_none_or(|name| name == to)
            && self.port.is_none_or(|number| number == port)
            && self.ordinal.is_none_or(|number| number == ordinal)
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "anybody".to_owned());
        write!(out, "{}→{}", name(&self.from), name(&self.to))?;
        if let Some(port) = self.port {
            write!(out, ":{port}")?;
        }
        if let Some(ordinal) = self.ordinal {
            write!(out, "#{ordinal}")?;
        }
        Ok(())
    }
}

/// Makes the grammar of what a side says.
pub(crate) type Make = Rc<dyn Fn(Side) -> Box<dyn Grammar>>;

/// How connections are read.
#[derive(Clone)]
pub struct Tap(Kind);

#[derive(Clone)]
enum Kind {
    Http { messages: Option<Make> },
    Own(Make),
}

impl Tap {
    /// As HTTP/1.1: heads, bodies, chunks; server-sent events where the content type says so; WebSocket frames behind
    /// a 101.
    #[must_use]
    pub const fn http() -> Self {
        Self(Kind::Http { messages: None })
    }

    /// As HTTP/1.1, and the messages that a side sends in WebSocket frames by a grammar of the caller's: it begins and
    /// ends with each message and gets its payload, unmasked. `make` is called as a connection opens, and may do what a
    /// [`Grammar`] may.
    #[must_use]
    pub fn messages(make: impl Fn(Side) -> Box<dyn Grammar> + 'static) -> Self {
        Self(Kind::Http { messages: Some(Rc::new(make)) })
    }

    /// By a grammar of the caller's from the first byte on. `make` is called as a connection opens, and may do what a
    /// [`Grammar`] may.
    #[must_use]
    pub fn of(make: impl Fn(Side) -> Box<dyn Grammar> + 'static) -> Self {
        Self(Kind::Own(Rc::new(make)))
    }

    pub(crate) fn grammars(&self) -> [Box<dyn Grammar>; 2] {
        match &self.0 {
            Kind::Own(make) => Side::BOTH.map(|side| make(side)),
            Kind::Http { messages } => {
                let of = |side| messages.as_ref().map(|make| make(side));
                let [asks, answers] = Http::pair(of(Side::Opener), of(Side::Acceptor));
                [Box::new(asks), Box::new(answers)]
            }
        }
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match &self.0 {
            Kind::Http { messages: None } => "Tap(http)",
            Kind::Http { messages: Some(_) } => "Tap(http, messages)",
            Kind::Own(_) => "Tap(own)",
        })
    }
}
