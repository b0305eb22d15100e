//! The chunked coding of a body (RFC 9112 §7.1).

use crate::tap::grammar::Spans;
use crate::tap::place::Part;

/// A size of more digits is none: so many fit 64 bits. Ours.
const SIZE_DIGITS_MAX: u32 = 15;

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
            State::Size { digits } => {
                spans.tell(Part::ChunkSize, chunk, self.got, at, 1);
                self.got += 1;
                self.digit_byte(digits, first)
            }
            State::Extension => {
                spans.tell(Part::ChunkSize, chunk, self.got, at, 1);
                self.got += 1;
                if first == b'\n' {
                    self.end_size();
                }
                Step::Framing { ends_chunk: false }
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

    /// A byte of the line before a chunk, of whose size so many digits have come.
    fn digit_byte(&mut self, digits: u32, byte: u8) -> Step {
        match byte {
            b'\n' if digits == 0 => return Step::Lost("a chunk without a size"),
            b'\n' => self.end_size(),
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' if digits < SIZE_DIGITS_MAX => {
                let digit = char::from(byte).to_digit(16).expect("a hexadecimal digit has a value");
                self.size = self.size << 4 | u64::from(digit);
                self.state = State::Size { digits: digits + 1 };
            }
            b';' | b' ' | b'\t' | b'\r' if digits > 0 => self.state = State::Extension,
            _ => return Step::Lost("no size of a chunk"),
        }
        Step::Framing { ends_chunk: false }
    }

    fn end_size(&mut self) {
        self.got = 0;
        self.state = if self.size == 0 { State::Trailers } else { State::Data { left: self.size } };
    }
}
