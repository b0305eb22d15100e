//! How a state fails to be saved.

use machines::instance::SaveFailure;

/// Why an actor does not know that its state is stored. The change itself stands: it is written later if it can be, so
/// whoever asked for it must take it for possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// A write failed, or nobody knows how it went.
    #[error("the state of the actor may or may not have been stored")]
    Indeterminate,
    /// It cannot be written as it is: larger than 896 KiB, or not to be encoded as JSON.
    #[error("the state of the actor cannot be stored as it is: too large, or no JSON")]
    Unfit,
    /// The instance has ended.
    #[error("the instance ended before its state was stored")]
    Ended,
}

impl SaveError {
    /// Its stable name for clients.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Indeterminate => "indeterminate",
            Self::Unfit => "unfit",
            Self::Ended => "ended",
        }
    }
}

impl From<SaveFailure> for SaveError {
    fn from(failure: SaveFailure) -> Self {
        match failure {
            SaveFailure::Store(_) => Self::Indeterminate,
            SaveFailure::Unfit => Self::Unfit,
            SaveFailure::Ended => Self::Ended,
        }
    }
}
