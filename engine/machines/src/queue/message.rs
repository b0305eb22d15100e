//! A message. The bytes of its row are the driver's, this is what is decided by.

use std::fmt;

use protocol::id::BodyId;

/// A message of an actor. Counts up in the order of sending; after a restart from what is stored, so that one that is
/// gone may have had the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}

/// A message, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// Of which kind; takers may choose by it.
    pub name: String,
    /// The payload.
    pub body: BodyId,
    /// The payload's length.
    pub bytes: usize,
}

/// A message that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stored {
    pub(super) message: Message,
    pub(super) stage: Stage,
}

/// How far a stored message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Nobody has it.
    Ready,
    /// It is being deleted for a taker.
    Claimed,
    /// A taker has it and will complete it.
    Open,
    /// It has been completed and is being deleted.
    Completing,
}

impl Stored {
    /// Whether somebody has it.
    pub(super) const fn is_held(&self) -> bool {
        match self.stage {
            Stage::Ready | Stage::Claimed => false,
            Stage::Open | Stage::Completing => true,
        }
    }
}
