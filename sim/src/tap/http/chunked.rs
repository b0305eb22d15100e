//! The chunked coding of a body (RFC 9112 §7.1).

use crate::tap::grammar::Spans;
use crate::tap::place::Part;

/// Where in the coding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The line of a size, of which so many digits have come.
    Size {
        digits: u32,
    },
    /// Its extensions, or its CR.
    Extension,
    Data {
        left: u64,
    },
    /// The line end behind a chunk.
    End {
        got: u64,
    },
    /// Trailer fields and a blank line.
    Trailers,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// One byte of framing; it may be the last one of a chunk.
    Framing { ends_chunk: bool },
    /// So many bytes of content.
    Data(usize),
    /// One byte, the last one of the body.
    Over,
    /// No chunk.
    Lost(&'static str),
}

/// A chunked body.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    size: u64,
    /// Bytes of the part it is in.
    got: u64,
    /// Bytes of the current line of trailers.
    line: u64,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self { state: State::Size { digits: 0 }, size: 0, got: 0, line: 0 }
    }

    /// Takes the next bytes, of which there is one at least; `chunk` and `body` are the numbers of this chunk and body.
    pub(super) fn step(
        &mut self,
        at: u64,
        bytes: &[u8],
        chunk: u64,
        body: u64,
        spans: &mut Spans<'_>,
    ) -> Step {
        let first = bytes[0];
        match self.state {
            State::Size { .. } | State::Extension => {
                spans.tell(Part::ChunkSize, chunk, self.got, at, 1);
                self.got += 1;
                self.size_byte(first)
            }
            State::Data { left } => {
                let len = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                spans.tell(Part::Chunk, chunk, self.got, at, len);
                self.got += len as u64;
                let left = left - len as u64;
                self.state = if left == 0 { State::End { got: 0 } } else { State::Data { left } };
                Step::Data(len)
            }
            State::End { got } => {
                spans.tell(Part::ChunkEnd, chunk, got, at, 1);
                match first {
                    b'\r' if got == 0 => {
                        self.state = State::End { got: 1 };
                        Step::Framing { ends_chunk: false }
                    }
                    b'\n' => {
                        *self = Self::new();
                        Step::Framing { ends_chunk: true }
                    }
                    _ => Step::Lost("a chunk longer than its size"),
                }
            }
            State::Trailers => {
                spans.tell(Part::Trailers, body, self.got, at, 1);
                self.got += 1;
                match first {
                    b'\n' if self.line == 0 => return Step::Over,
                    b'\n' => self.line = 0,
                    b'\r' => {}
                    _ => self.line += 1,
                }
                Step::Framing { ends_chunk: false }
            }
        }
    }

    fn size_byte(&mut self, byte: u8) -> Step {
        match (self.state, byte) {
            (State::Size { digits: 0 } | State::Extension, b'\n') if self.got == 1 => {
                return Step::Lost("a chunk without a size");
            }
            (State::Size { digits: 1.. } | State::Extension, b'\n') => {
                self.got = 0;
                self.state = if self.size == 0 { State::Trailers } else { State::Data { left: self.size } };
            }
            (State::Size { digits }, byte) if byte.is_ascii_hexdigit() && digits < 15 => {
                let digit = (byte as char).to_digit(16).expect("a hexadecimal digit has a value");
                self.size = self.size << 4 | u64::from(digit);
                self.state = State::Size { digits: digits + 1 };
            }
            (State::Size { digits: 1.. }, b';' | b' ' | b'\t' | b'\r') => self.state = State::Extension,
            (State::Extension, _) => {}
            _ => return Step::Lost("no size of a chunk"),
        }
        Step::Framing { ends_chunk: false }
    }
}
