//! Server-sent events (WHATWG HTML §9.2.5): lines of fields, ended by CR, LF or both, and a blank line behind each event.
//!
//! An event begins with its first field; comments and blank lines between events belong to none. Events are counted
//! whether or not a browser would dispatch them (it needs `data`).

use crate::tap::grammar::{Grammar, Spans};
use crate::tap::place::{Field, Part};

/// The longest name the standard knows: `event`, `retry`.
const NAME_BYTES: usize = 5;

/// The byte order mark, which may come before all else.
const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Where in a line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Start,
    Comment,
    Name,
    Value,
}

/// The events of a direction.
#[derive(Clone, Debug)]
pub struct Sse {
    line: Line,
    /// Bytes of the byte order mark that have come; beyond it: something else has.
    bom: usize,
    /// The line end that a CR began, and an LF may go on with.
    after_cr: Option<Part>,
    /// The event that began last, from zero.
    event: u64,
    begun: bool,
    /// It has not ended.
    open: bool,
    event_bytes: u64,
    character_bytes: u64,
    name: [u8; NAME_BYTES],
    name_bytes: u64,
    value_bytes: u64,
    field: Field,
}

impl Default for Sse {
    fn default() -> Self {
        Self::new()
    }
}

impl Sse {
    /// Before the first byte.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            line: Line::Start,
            bom: 0,
            after_cr: None,
            event: 0,
            begun: false,
            open: false,
            event_bytes: 0,
            character_bytes: 0,
            name: [0; NAME_BYTES],
            name_bytes: 0,
            value_bytes: 0,
            field: Field::Other,
        }
    }

    /// Takes at least one byte, and says how many.
    fn step(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) -> usize {
        let first = bytes[0];
        if let Some(part) = self.after_cr.take()
            && first == b'\n'
        {
            spans.tell(part, self.event, 1, at, 1);
            self.count(at, 1, spans);
            return 1;
        }
        match (self.line, first) {
            (Line::Start, b'\r' | b'\n') => self.blank(at, first, spans),
            (Line::Start, b':') => {
                self.line = Line::Comment;
                self.in_event(at, 1, spans)
            }
            (Line::Start, _) => {
                self.begin_event();
                self.line = Line::Name;
                self.name_bytes = 0;
                self.name(at, bytes, spans)
            }
            (Line::Comment | Line::Name | Line::Value, b'\r' | b'\n') => self.line_end(at, first, spans),
            (Line::Name, b':') => {
                let known = usize::try_from(self.name_bytes).ok().and_then(|len| self.name.get(..len));
                self.field = known.map_or(Field::Other, Field::of);
                self.line = Line::Value;
                self.value_bytes = 0;
                self.in_event(at, 1, spans)
            }
            (Line::Name, _) => self.name(at, bytes, spans),
            (Line::Comment, _) => {
                let len = until(bytes, is_line_end);
                self.in_event(at, len, spans)
            }
            (Line::Value, _) => self.value(at, bytes, spans),
        }
    }

    fn begin_event(&mut self) {
        if self.open {
            return;
        }
        self.event += u64::from(self.begun);
        (self.begun, self.open) = (true, true);
        (self.event_bytes, self.character_bytes) = (0, 0);
    }

    fn name(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) -> usize {
        let len = until(bytes, |byte| byte == b':' || is_line_end(byte));
        let from = usize::try_from(self.name_bytes).unwrap_or(NAME_BYTES).min(NAME_BYTES);
        let fits = len.min(NAME_BYTES - from);
        self.name[from..from + fits].copy_from_slice(&bytes[..fits]);
        spans.tell(Part::FieldName, self.event, self.name_bytes, at, len);
        self.name_bytes += len as u64;
        self.in_event(at, len, spans)
    }

    fn value(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) -> usize {
        let len = until(bytes, is_line_end);
        spans.tell(Part::Value(self.field), self.event, self.value_bytes, at, len);
        self.value_bytes += len as u64;
        for (at, _) in (at..).zip(&bytes[..len]).filter(|(_, byte)| is_continuation(**byte)) {
            spans.tell(Part::Character, self.event, self.character_bytes, at, 1);
            self.character_bytes += 1;
        }
        self.in_event(at, len, spans)
    }

    fn line_end(&mut self, at: u64, byte: u8, spans: &mut Spans<'_>) -> usize {
        if self.line == Line::Value {
            spans.tell(Part::Value(self.field), self.event, self.value_bytes, at, 1);
        }
        if self.open {
            spans.tell(Part::LineEnd, self.event, 0, at, 1);
            self.after_cr = (byte == b'\r').then_some(Part::LineEnd);
        }
        self.line = Line::Start;
        self.in_event(at, 1, spans)
    }

    fn blank(&mut self, at: u64, byte: u8, spans: &mut Spans<'_>) -> usize {
        if self.open {
            spans.tell(Part::BlankLine, self.event, 0, at, 1);
            self.after_cr = (byte == b'\r').then_some(Part::BlankLine);
            self.count(at, 1, spans);
            self.open = false;
        }
        1
    }

    /// These belong to the event that is open, if one is.
    fn in_event(&mut self, at: u64, len: usize, spans: &mut Spans<'_>) -> usize {
        if self.open {
            self.count(at, len, spans);
        }
        len
    }

    fn count(&mut self, at: u64, len: usize, spans: &mut Spans<'_>) {
        spans.tell(Part::Event, self.event, self.event_bytes, at, len);
        self.event_bytes += len as u64;
    }
}

impl Grammar for Sse {
    /// A stream begins. An event that the last one left open was never one; its number is not given again.
    fn begin(&mut self) {
        *self = Self { event: self.event, begun: self.begun, ..Self::new() };
    }

    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        let mut taken = 0;
        while self.bom < BOM.len() && taken < bytes.len() {
            if bytes[taken] != BOM[self.bom] {
                self.bom = BOM.len();
                break;
            }
            self.bom += 1;
            taken += 1;
        }
        while taken < bytes.len() {
            taken += self.step(at + taken as u64, &bytes[taken..], spans);
        }
    }
}

fn until(bytes: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| is_end(*byte)).unwrap_or(bytes.len())
}

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}
