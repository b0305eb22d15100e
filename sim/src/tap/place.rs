//! The words in which a plan says where to cut.

use std::fmt;

/// A field of a server-sent event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `data`
    Data,
    /// `event`
    Event,
    /// `id`
    Id,
    /// `retry`
    Retry,
    /// Any that the standard does not know.
    Other,
}

impl Field {
    pub(crate) const fn of(name: &[u8]) -> Self {
        match name {
            b"data" => Self::Data,
            b"event" => Self::Event,
            b"id" => Self::Id,
            b"retry" => Self::Retry,
            _ => Self::Other,
        }
    }
}

/// What a byte is part of. Parts overlap: a byte of a value is one of its event and of its chunk, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The request or status line of a head (RFC 9112 §2.1), its line end included.
    StartLine,
    /// The fields of a head and the blank line behind them.
    Headers,
    /// A body whose length a head has told, or that lasts until the connection ends.
    Body,
    /// The line before a chunk (RFC 9112 §7.1): its size, extensions, line end. The last chunk of a body, which is
    /// empty, has a number, too.
    ChunkSize,
    /// The data of a chunk.
    Chunk,
    /// The line end behind the data of a chunk.
    ChunkEnd,
    /// What follows the line of the last, empty chunk: trailer fields and a blank line. Its number is that of the body.
    Trailers,
    /// A server-sent event (WHATWG HTML §9.2.5), from its first field to its blank line, which is included.
    Event,
    /// The name of a field of an event, without the colon.
    FieldName,
    /// What follows the colon, the first byte of the line end included.
    Value(Field),
    /// The end of a field's line: CR, LF, or both.
    LineEnd,
    /// The blank line that ends an event.
    BlankLine,
    /// All but the first bytes of characters of several bytes in the values of an event, so that a cut before one of
    /// them splits a character.
    Character,
    /// The header of a WebSocket frame (RFC 6455 §5.2): the two bytes and the extended length.
    FrameHeader,
    /// The masking key of a frame.
    Mask,
    /// The payload of a frame, control frames included.
    Payload,
    /// Part of a grammar that is not `sim`'s: the names under which its cuts are counted.
    Own {
        /// Of those before its first byte: "cut before a message".
        before: &'static str,
        /// Of those inside it.
        inside: &'static str,
    },
}

impl Part {
    /// The names of cuts, in tables: before its first byte, and inside it.
    pub(crate) const fn cut_names(self) -> (&'static str, &'static str) {
        match self {
            Self::StartLine => ("cut before a start line", "cut in a start line"),
            Self::Headers => ("cut behind a start line", "cut in headers"),
            Self::Body => ("cut before a body", "cut in a body"),
            Self::ChunkSize => ("cut before a chunk's size", "cut in a chunk's size"),
            Self::Chunk => ("cut behind a chunk's size", "cut in a chunk"),
            Self::ChunkEnd => ("cut behind a chunk", "cut in a chunk's end"),
            Self::Trailers => ("cut behind the last chunk", "cut in trailers"),
            Self::Event => ("cut before an event", "cut in an event"),
            Self::FieldName => ("cut before a field", "cut in a field's name"),
            Self::Value(Field::Data) => ("cut behind data:", "cut in data"),
            Self::Value(Field::Event) => ("cut behind event:", "cut in an event's type"),
            Self::Value(Field::Id) => ("cut behind id:", "cut in an event's id"),
            Self::Value(Field::Retry) => ("cut behind retry:", "cut in a retry time"),
            Self::Value(Field::Other) => ("cut behind an unknown field's name", "cut in an unknown field"),
            Self::LineEnd => ("cut before a field's line end", "cut in a field's line end"),
            Self::BlankLine => ("cut before an event's blank line", "cut in an event's blank line"),
            Self::Character => ("cut behind a character's first byte", "cut in a character"),
            Self::FrameHeader => ("cut before a frame", "cut in a frame header"),
            Self::Mask => ("cut before a mask", "cut in a mask"),
            Self::Payload => ("cut before a payload", "cut in a payload"),
            Self::Own { before, inside } => (before, inside),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { inside, .. } => out.write_str(inside),
            Self::Value(field) => write!(out, "value of {field:?}"),
            Self::StartLine
            | Self::Headers
            | Self::Body
            | Self::ChunkSize
            | Self::Chunk
            | Self::ChunkEnd
            | Self::Trailers
            | Self::Event
            | Self::FieldName
            | Self::LineEnd
            | Self::BlankLine
            | Self::Character
            | Self::FrameHeader
            | Self::Mask
            | Self::Payload => write!(out, "{self:?}"),
        }
    }
}

/// Which one of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// The how-manieth of the direction, from zero.
    The(u64),
    /// The first one of which the byte is sent from here on.
    Next,
}

/// A place in what flows: the byte before which a cut falls. It falls when that byte is about to arrive: those before
/// it have, it and those behind it never will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The part.
    pub part: Part,
    /// Which one.
    pub which: Which,
    /// Before which of its bytes, from zero.
    pub byte: u64,
}

impl Place {
    /// Before a part.
    #[must_use]
    pub const fn before(part: Part, which: Which) -> Self {
        Self::inside(part, which, 0)
    }

    /// Behind so many bytes of a part that has more.
    #[must_use]
    pub const fn inside(part: Part, which: Which, byte: u64) -> Self {
        Self { part, which, byte }
    }

    /// Inside an event, behind a field's name and colon.
    #[must_use]
    pub const fn after_field(field: Field, which: Which) -> Self {
        Self::before(Part::Value(field), which)
    }

    /// Between an event and its blank line.
    #[must_use]
    pub const fn before_blank_line(which: Which) -> Self {
        Self::before(Part::BlankLine, which)
    }

    /// Between a chunk's size and the chunk.
    #[must_use]
    pub const fn after_chunk_size(which: Which) -> Self {
        Self::before(Part::Chunk, which)
    }

    /// Between the header of a masked frame (one that a client sends) and its mask.
    #[must_use]
    pub const fn after_masked_frame_header(which: Which) -> Self {
        Self::before(Part::Mask, which)
    }

    /// Between the header of a frame (with its mask, if it has one) and its payload.
    #[must_use]
    pub const fn before_payload(which: Which) -> Self {
        Self::before(Part::Payload, which)
    }

    /// Between the head of an upgrade (the request, or the 101) and the first frame of that direction.
    #[must_use]
    pub const fn after_upgrade() -> Self {
        Self::before(Part::FrameHeader, Which::The(0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.which {
            Which::The(number) => write!(out, "before byte {} of {} {number}", self.byte, self.part),
            Which::Next => write!(out, "before byte {} of the next {}", self.byte, self.part),
        }
    }
}
