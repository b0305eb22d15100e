//! What every layer of a tap is: a parser that takes bytes in any pieces and names spans of them.

use crate::tap::place::Part;

/// Bytes that lie side by side in a direction and belong to one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What they are.
    pub part: Part,
    /// The how-manieth of its kind in this direction, from zero; for parts of an event or a chunk that event's or
    /// chunk's number.
    pub unit: u64,
    /// Which byte of the part comes first, from zero.
    pub first: u64,
    /// Where it lies: bytes of the direction before it.
    pub at: u64,
    /// How many bytes; above zero.
    pub len: u64,
}

/// A grammar no longer understands what flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Bytes of the direction before the one that it does not understand, or a little less.
    pub at: u64,
    /// Why.
    pub why: &'static str,
}

/// Where a grammar tells what it found.
pub struct Spans<'a> {
    each: &'a mut dyn FnMut(Span),
    lost: Option<Lost>,
}

impl<'a> Spans<'a> {
    /// Hands each span to a function.
    pub fn new(each: &'a mut dyn FnMut(Span)) -> Self {
        Self { each, lost: None }
    }

    /// `len` bytes of a part, from its byte `first` on, lie at `at`. None at all is no span.
    #[inline]
    pub fn tell(&mut self, part: Part, unit: u64, first: u64, at: u64, len: usize) {
        if len > 0 {
            (self.each)(Span { part, unit, first, at, len: len as u64 });
        }
    }

    /// The grammar stops to read. The first one counts.
    pub fn lose(&mut self, at: u64, why: &'static str) {
        self.lost.get_or_insert(Lost { at, why });
    }

    /// Whether a grammar has stopped to read.
    #[must_use]
    pub const fn lost(&self) -> Option<Lost> {
        self.lost
    }
}

/// One layer of what flows in one direction. It must not panic on any bytes, and what it tells must not depend on the
/// pieces in which they come.
///
/// It is made, called and dropped while the network is worked on. It may write down what it reads; to ask the network there
/// (for a name, an address, connections) or to cut panics, since it is borrowed already.
pub trait Grammar {
    /// What it reads begins (anew): the connection, a body, a message.
    fn begin(&mut self) {}

    /// Takes the next bytes, of which the first lies at `at`. A byte that a span names must be told of when that byte
    /// is fed, not later: a plan has until then to cut before it.
    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>);

    /// What it reads has ended in order. A connection's end is not told.
    fn end(&mut self) {}
}
