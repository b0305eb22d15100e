//! HTTP/1.1 (RFC 9112): heads one after the other, each with its body, until an upgrade.
//!
//! Both directions of a connection are read together: whether an answer has a body depends on what was asked, and the
//! asker speaks WebSocket once the other side has said 101. Next: `head` (what a head says of its body), `chunked`.

mod chunked;
mod head;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::tap::grammar::{Grammar, Spans};
use crate::tap::place::Part;
use crate::tap::sse::Sse;
use crate::tap::websocket::WebSocket;

use chunked::Chunked;
use head::{Framing, Head, Method};

/// A longer head is none: hyper's `DEFAULT_MAX_BUFFER_SIZE`, 8,192 bytes and a hundred times 4,096.
const HEAD_BYTES_MAX: usize = 417_792;

/// Why it stops to read behind an answer that opens a tunnel, on both sides.
const TUNNEL: &str = "what follows is not HTTP";

/// What both directions know of each other.
#[derive(Debug, Default)]
struct Exchange {
    /// Asked and not answered.
    asked: VecDeque<Method>,
    upgraded: bool,
    /// What follows the answer is not HTTP.
    tunnels: bool,
}

/// Which direction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Asks,
    Answers,
}

/// Where in a message it is.
#[derive(Debug)]
enum State {
    /// Before a head, or inside it.
    Head,
    /// Inside a body of so many more bytes.
    Sized {
        left: u64,
    },
    Chunked(Chunked),
    /// Inside a body that the connection's end ends.
    Endless,
    Upgraded,
    Lost,
}

/// One direction.
pub struct Http {
    role: Role,
    exchange: Rc<RefCell<Exchange>>,
    state: State,
    /// The head so far.
    head: Vec<u8>,
    /// Bytes of its current line, without the line end.
    line: u64,
    /// Bytes of its fields.
    fields: u64,
    in_fields: bool,
    heads: u64,
    bodies: u64,
    chunks: u64,
    body_bytes: u64,
    sse: Sse,
    /// The body is one of server-sent events.
    is_sse: bool,
    websocket: WebSocket,
}

impl Http {
    /// What the opener says, and what the acceptor answers; each with the grammar of the messages that it sends in
    /// WebSocket frames, if there is one.
    #[must_use]
    pub fn pair(asks: Option<Box<dyn Grammar>>, answers: Option<Box<dyn Grammar>>) -> [Self; 2] {
        let exchange = Rc::new(RefCell::new(Exchange::default()));
        [Self::new(Role::Asks, Rc::clone(&exchange), asks), Self::new(Role::Answers, exchange, answers)]
    }

    fn new(role: Role, exchange: Rc<RefCell<Exchange>>, messages: Option<Box<dyn Grammar>>) -> Self {
        Self {
            role,
            exchange,
            state: State::Head,
            head: Vec::new(),
            line: 0,
            fields: 0,
            in_fields: false,
            heads: 0,
            bodies: 0,
            chunks: 0,
            body_bytes: 0,
            sse: Sse::new(),
            is_sse: false,
            websocket: WebSocket::new(messages),
        }
    }

    /// Takes at least one byte, and says how many.
    fn step(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) -> usize {
        match &mut self.state {
            State::Lost => bytes.len(),
            State::Upgraded => {
                self.websocket.feed(at, bytes, spans);
                bytes.len()
            }
            State::Head if self.role == Role::Asks && self.exchange.borrow().tunnels => {
                self.lose(at, bytes, TUNNEL, spans)
            }
            State::Head if self.head.is_empty() && self.exchange.borrow().upgraded => {
                self.state = State::Upgraded;
                self.step(at, bytes, spans)
            }
            State::Head => self.head_byte(at, bytes[0], spans),
            State::Sized { left } => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                let bytes = &bytes[..bytes.len().min(most)];
                *left -= bytes.len() as u64;
                let is_over = *left == 0;
                self.body(at, bytes, spans);
                if is_over {
                    self.end_body();
                }
                bytes.len()
            }
            State::Endless => {
                self.body(at, bytes, spans);
                bytes.len()
            }
            State::Chunked(chunked) => {
                let step = chunked.step(at, bytes, self.chunks, self.bodies, spans);
                match step {
                    chunked::Step::Framing { ends_chunk } => {
                        self.chunks += u64::from(ends_chunk);
                        1
                    }
                    chunked::Step::Data(len) => {
                        self.content(at, &bytes[..len], spans);
                        len
                    }
                    chunked::Step::Over => {
                        self.chunks += 1; // the last, empty one
                        self.end_body();
                        1
                    }
                    chunked::Step::Lost(why) => self.lose(at, bytes, why, spans),
                }
            }
        }
    }

    fn lose(&mut self, at: u64, bytes: &[u8], why: &'static str, spans: &mut Spans<'_>) -> usize {
        self.state = State::Lost;
        self.head = Vec::new();
        spans.lose(at, why);
        bytes.len()
    }

    fn head_byte(&mut self, at: u64, byte: u8, spans: &mut Spans<'_>) -> usize {
        if self.head.is_empty() && matches!(byte, b'\r' | b'\n') {
            return 1; // RFC 9112 §2.2: a blank line before a request line is to be ignored
        }
        if self.in_fields {
            spans.tell(Part::Headers, self.heads, self.fields, at, 1);
            self.fields += 1;
        } else {
            spans.tell(Part::StartLine, self.heads, self.head.len() as u64, at, 1);
        }
        self.head.push(byte);
        match byte {
            b'\n' if self.in_fields && self.line == 0 => return self.end_head(at, spans),
            b'\n' => (self.in_fields, self.line) = (true, 0),
            b'\r' => {}
            _ => self.line += 1,
        }
        if self.head.len() > HEAD_BYTES_MAX {
            return self.lose(at, &[byte], "a head without an end", spans);
        }
        1
    }

    /// The last byte of a head has come.
    fn end_head(&mut self, at: u64, spans: &mut Spans<'_>) -> usize {
        let head = std::mem::take(&mut self.head);
        let read = match self.role {
            Role::Asks => Head::of_request(&head),
            Role::Answers => {
                let asked = self.exchange.borrow().asked.front().copied();
                Head::of_answer(&head, asked)
            }
        };
        self.head = head;
        self.head.clear();
        (self.line, self.fields, self.in_fields) = (0, 0, false);
        self.heads += 1;
        let Some(read) = read else { return self.lose(at, &[0], "no HTTP/1.1 head", spans) };
        let mut exchange = self.exchange.borrow_mut();
        match self.role {
            Role::Asks => exchange.asked.push_back(read.method),
            Role::Answers if read.is_final => drop(exchange.asked.pop_front()),
            Role::Answers => {}
        }
        self.is_sse = read.is_sse;
        self.body_bytes = 0;
        self.state = match read.framing {
            Framing::None | Framing::Sized(0) => State::Head,
            Framing::Sized(left) => State::Sized { left },
            Framing::Chunked => State::Chunked(Chunked::new()),
            Framing::Endless => State::Endless,
            Framing::WebSocket => {
                exchange.upgraded = true;
                State::Upgraded
            }
            Framing::Unknown => {
                exchange.tunnels = true;
                drop(exchange);
                return self.lose(at, &[0], TUNNEL, spans);
            }
        };
        if self.is_sse && !matches!(self.state, State::Head) {
            self.sse.begin();
        }
        1
    }

    fn body(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        spans.tell(Part::Body, self.bodies, self.body_bytes, at, bytes.len());
        self.body_bytes += bytes.len() as u64;
        self.content(at, bytes, spans);
    }

    fn content(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        if self.is_sse {
            self.sse.feed(at, bytes, spans);
        }
    }

    const fn end_body(&mut self) {
        self.bodies += 1;
        self.is_sse = false;
        self.state = State::Head;
    }
}

impl Grammar for Http {
    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        let mut taken = 0;
        while taken < bytes.len() {
            taken += self.step(at + taken as u64, &bytes[taken..], spans);
        }
    }
}
