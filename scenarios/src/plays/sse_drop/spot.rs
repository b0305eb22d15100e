//! Where in what flows a stream or a socket is cut: places of the protocols, each a boundary that a parser may get wrong.

use sim::Side;
use sim::tap::{Field, Part, Place, Which};

use crate::stack::taps::{LIFE, MESSAGE, STORAGE, TUNNEL};

/// A place in an event stream, of which only the application speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamSpot {
    /// Inside an event, behind `data:`.
    AfterData,
    /// Between an event and its blank line.
    BeforeBlankLine,
    /// Between a chunk's size and the chunk.
    AfterChunkSize,
}

/// A place on a runner's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SocketSpot {
    /// Behind a frame's header: before the mask of the runner's frames, before the payload of the engine's.
    AfterFrameHeader,
    /// Inside the mask of a frame of the runner's.
    InMask,
    /// Inside the next message, whichever it is.
    InMessage,
    /// Inside one that asks for storage, or answers.
    InStorage,
    /// Inside one that carries a request or its answer.
    InTunnel,
    /// Inside one of commands or events.
    InLife,
}

impl StreamSpot {
    pub(super) const ALL: [Self; 3] = [Self::AfterData, Self::BeforeBlankLine, Self::AfterChunkSize];

    pub(super) const fn place(self) -> Place {
        match self {
            Self::AfterData => Place::after_field(Field::Data, Which::Next),
            Self::BeforeBlankLine => Place::before_blank_line(Which::Next),
            Self::AfterChunkSize => Place::after_chunk_size(Which::Next),
        }
    }
}

impl SocketSpot {
    pub(super) const ALL: [Self; 6] = [
        Self::AfterFrameHeader,
        Self::InMask,
        Self::InMessage,
        Self::InStorage,
        Self::InTunnel,
        Self::InLife,
    ];

    /// Its place in what `speaker` says, so many bytes into a message, and who says it: only runners mask.
    pub(super) fn place(self, speaker: Side, bytes: u64) -> (Side, Place) {
        let inside = |part: Part| (speaker, Place::inside(part, Which::Next, bytes));
        match (self, speaker) {
            (Self::AfterFrameHeader, Side::Opener) => {
                (speaker, Place::after_masked_frame_header(Which::Next))
            }
            (Self::AfterFrameHeader, Side::Acceptor) => (speaker, Place::before_payload(Which::Next)),
            (Self::InMask, _) => (Side::Opener, Place::inside(Part::Mask, Which::Next, 1 + bytes % 3)),
            (Self::InMessage, _) => inside(MESSAGE),
            (Self::InStorage, _) => inside(STORAGE),
            (Self::InTunnel, _) => inside(TUNNEL),
            (Self::InLife, _) => inside(LIFE),
        }
    }
}
