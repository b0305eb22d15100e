//! How a database call fails.

use protocol::error::UserText;

use crate::actor::KvError;

/// Why a database call failed. After every one but [`SqlError::Indeterminate`] the database is as it was before the
/// call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// SQLite refused a statement or failed in it.
    #[error("{}", message.as_str())]
    Sqlite {
        /// Its extended result code; 0 where the fault is in how it was called or its result read.
        code: i32,
        /// What it says.
        message: UserText,
    },
    /// A statement that would reach past its transaction: `BEGIN`, `COMMIT`, `ATTACH`, most of `PRAGMA`, what is
    /// temporary.
    #[error("not within a transaction of an actor: {}", message.as_str())]
    Forbidden {
        /// What SQLite says of it.
        message: UserText,
    },
    /// A statement rolled the whole transaction back (`ON CONFLICT ROLLBACK`, `RAISE(ROLLBACK)`), and the work went on.
    #[error("the transaction was rolled back by one of its statements")]
    RolledBack,
    /// The work gave it up.
    #[error("{}", reason.as_str())]
    Aborted {
        /// Why.
        reason: UserText,
    },
    /// It goes beyond a bound, and was rolled back.
    #[error("beyond a bound of the database: {bound}")]
    TooLarge {
        /// Which.
        bound: &'static str,
    },
    /// It was rolled back, and rolling back failed as well. The first error tells why it was.
    #[error("{first} (and its rollback failed: {second})")]
    Rollback {
        /// Why it was rolled back.
        first: Box<Self>,
        /// Why that failed.
        second: Box<Self>,
    },
    /// Storage did not take it: it is not committed and never will be.
    #[error("the transaction was not committed: {cause}")]
    NotCommitted {
        /// What storage says.
        cause: KvError,
    },
    /// Nobody knows whether it is committed. The next call finds out: look before you repeat it.
    #[error("the transaction may or may not have been committed")]
    Indeterminate,
    /// The database could not be read from storage.
    #[error("the database could not be loaded: {cause}")]
    Unread {
        /// What storage says.
        cause: KvError,
    },
    /// What is in storage is no database of ours.
    #[error("the stored database is damaged")]
    Damaged,
    /// Too many calls wait already.
    #[error("too many calls wait for the database")]
    QueueFull,
}

impl SqlError {
    /// What work returns that wants its transaction rolled back.
    #[must_use]
    pub fn aborted(reason: &str) -> Self {
        Self::Aborted { reason: UserText::new(reason) }
    }

    /// Its stable name for clients.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Forbidden { .. } => "forbidden",
            Self::RolledBack => "rolled_back",
            Self::Aborted { .. } => "aborted",
            Self::TooLarge { .. } => "too_large",
            Self::Rollback { first, .. } => first.code(),
            Self::NotCommitted { .. } => "not_committed",
            Self::Indeterminate => "indeterminate",
            Self::Unread { .. } => "unread",
            Self::Damaged => "damaged",
            Self::QueueFull => "queue_full",
        }
    }

    /// Whether storage failed or was too busy, rather than the statement.
    pub(crate) fn is_of_storage(&self) -> bool {
        match self {
            Self::NotCommitted { .. } | Self::Indeterminate | Self::Unread { .. } | Self::QueueFull => true,
            Self::Rollback { first, .. } => first.is_of_storage(),
            Self::Sqlite { .. }
            | Self::Forbidden { .. }
            | Self::RolledBack
            | Self::Aborted { .. }
            | Self::TooLarge { .. }
            | Self::Damaged => false,
        }
    }

    /// With how a rollback went that followed.
    pub(super) fn rolled_back(self, rollback: Result<(), Self>) -> Self {
        match rollback {
            Ok(()) => self,
            Err(second) => {
                protocol::mark!("sdk_sql_rollback_failed");
                Self::Rollback { first: Box::new(self), second: Box::new(second) }
            }
        }
    }
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        let message = UserText::new(&error.to_string());
        match error.sqlite_error() {
            Some(known) if known.code == rusqlite::ErrorCode::AuthorizationForStatementDenied => {
                Self::Forbidden { message }
            }
            known => Self::Sqlite { code: known.map_or(0, |known| known.extended_code), message },
        }
    }
}
