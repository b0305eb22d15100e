//! WebSocket frames (RFC 6455 §5.2), and the messages in them.

use crate::tap::grammar::{Grammar, Spans};
use crate::tap::place::Part;

/// Two bytes, and up to eight of extended length.
const HEADER_BYTES_MAX: usize = 10;

/// So many bytes are unmasked at once. Ours: a piece that stays in the cache.
const PIECE_BYTES: usize = 512;

/// Where in a frame it is, with the bytes that have come of that part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header(usize),
    Mask(usize),
    Payload(u64),
    Lost,
}

/// The frames of a direction.
pub struct WebSocket {
    state: State,
    header: [u8; HEADER_BYTES_MAX],
    mask: [u8; 4],
    length: u64,
    /// The how-manieth frame this is, from zero.
    frame: u64,
    /// A message has begun and not ended.
    open: bool,
    /// Its payload is compressed (RSV1, RFC 7692): not for the grammar of messages.
    compressed: bool,
    messages: Option<Box<dyn Grammar>>,
}

impl WebSocket {
    /// Before the first frame; payloads of messages go to a grammar, if there is one.
    #[must_use]
    pub fn new(messages: Option<Box<dyn Grammar>>) -> Self {
        Self {
            state: State::Header(0),
            header: [0; HEADER_BYTES_MAX],
            mask: [0; 4],
            length: 0,
            frame: 0,
            open: false,
            compressed: false,
            messages,
        }
    }

    const fn opcode(&self) -> u8 {
        self.header[0] & 0x0f
    }

    const fn is_final(&self) -> bool {
        self.header[0] & 0x80 != 0
    }

    const fn is_control(&self) -> bool {
        self.opcode() & 0x08 != 0
    }

    const fn is_masked(&self) -> bool {
        self.header[1] & 0x80 != 0
    }

    fn lose(&mut self, at: u64, why: &'static str, spans: &mut Spans<'_>) {
        self.state = State::Lost;
        spans.lose(at, why);
    }

    /// Takes at least one byte, and says how many.
    fn step(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) -> usize {
        match self.state {
            State::Lost => bytes.len(),
            State::Header(got) => {
                spans.tell(Part::FrameHeader, self.frame, got as u64, at, 1);
                self.header[got] = bytes[0];
                self.header_byte(at, got + 1, spans);
                1
            }
            State::Mask(got) => {
                spans.tell(Part::Mask, self.frame, got as u64, at, 1);
                self.mask[got] = bytes[0];
                self.state = State::Mask(got + 1);
                if got + 1 == self.mask.len() {
                    self.begin_payload();
                }
                1
            }
            State::Payload(got) => {
                let left = usize::try_from(self.length - got).unwrap_or(usize::MAX);
                let bytes = &bytes[..bytes.len().min(left)];
                spans.tell(Part::Payload, self.frame, got, at, bytes.len());
                self.pass_on(got, at, bytes, spans);
                self.state = State::Payload(got + bytes.len() as u64);
                if self.state == State::Payload(self.length) {
                    self.end_frame();
                }
                bytes.len()
            }
        }
    }

    /// So many bytes of the header have come.
    fn header_byte(&mut self, at: u64, got: usize, spans: &mut Spans<'_>) {
        self.state = State::Header(got);
        if got < 2 {
            return;
        }
        let short = self.header[1] & 0x7f;
        let need = match short {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        if got < need {
            return;
        }
        self.length = match need {
            2 => u64::from(short),
            _ => self.header[2..need].iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
        };
        let known = matches!(self.opcode(), 0..=2 | 8..=10);
        if !known || self.header[0] & 0x30 != 0 || self.length > i64::MAX as u64 {
            return self.lose(at, "no WebSocket frame begins so", spans);
        }
        if !self.is_control() && (self.opcode() == 0) != self.open {
            return self.lose(at, "a frame goes on with no message, or begins one inside another", spans);
        }
        if matches!(self.opcode(), 1 | 2) {
            self.open = true;
            self.compressed = self.header[0] & 0x40 != 0;
            if let Some(messages) = &mut self.messages {
                messages.begin();
            }
        }
        if self.is_masked() {
            self.state = State::Mask(0);
        } else {
            self.mask = [0; 4];
            self.begin_payload();
        }
    }

    fn begin_payload(&mut self) {
        self.state = State::Payload(0);
        if self.length == 0 {
            self.end_frame();
        }
    }

    fn end_frame(&mut self) {
        if !self.is_control() && self.is_final() {
            self.open = false;
            if let Some(messages) = &mut self.messages {
                messages.end();
            }
        }
        self.frame += 1;
        self.state = State::Header(0);
    }

    /// Hands payload to the grammar of messages, unmasked; `got` bytes of the frame's came before.
    fn pass_on(&mut self, got: u64, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        if self.is_control() || self.compressed {
            return;
        }
        let Some(messages) = &mut self.messages else { return };
        let mut clear = [0; PIECE_BYTES];
        let mut done = 0u64;
        for piece in bytes.chunks(PIECE_BYTES) {
            for ((clear, byte), place) in clear.iter_mut().zip(piece).zip(got + done..) {
                *clear = byte ^ self.mask[(place % 4) as usize];
            }
            messages.feed(at + done, &clear[..piece.len()], spans);
            done += piece.len() as u64;
        }
    }
}

impl Grammar for WebSocket {
    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        let mut taken = 0;
        while taken < bytes.len() {
            taken += self.step(at + taken as u64, &bytes[taken..], spans);
        }
    }
}
