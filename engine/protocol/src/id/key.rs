//! The key under which a runner is known again after its socket dropped.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::RUNNER_KEY_BYTES_MAX;

/// What a runner calls itself: chosen by the runner, the same over all its reconnects, 1 to 256 bytes. RivetKit sends
/// a UUID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RunnerKey(String);

/// Why a text is no runner key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunnerKeyError {
    /// The text is empty.
    #[error("a runner key is empty")]
    Empty,
    /// The text is longer than [`RUNNER_KEY_BYTES_MAX`].
    #[error("a runner key of {length} bytes: at most {RUNNER_KEY_BYTES_MAX}")]
    TooLong {
        /// Length of the text in bytes.
        length: usize,
    },
}

crate::api::schema::text!(RunnerKey, "1 to 256 bytes", None);

impl RunnerKey {
    /// Takes the text as a key.
    ///
    /// # Errors
    /// When it is empty or longer than [`RUNNER_KEY_BYTES_MAX`] bytes.
    pub fn new(text: impl Into<String>) -> Result<Self, RunnerKeyError> {
        let text = text.into();
        match text.len() {
            0 => Err(RunnerKeyError::Empty),
            length if length > RUNNER_KEY_BYTES_MAX => Err(RunnerKeyError::TooLong { length }),
            _ => Ok(Self(text)),
        }
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunnerKey {
    type Err = RunnerKeyError;

    fn from_str(text: &str) -> Result<Self, RunnerKeyError> {
        Self::new(text)
    }
}

impl fmt::Display for RunnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RunnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.0.chars().take(8).collect();
        write!(f, "key:{short}")
    }
}

impl<'de> Deserialize<'de> for RunnerKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_are_kept() {
        assert_eq!(RunnerKey::new(""), Err(RunnerKeyError::Empty));
        assert_eq!(RunnerKey::new("k".repeat(256)).map(|key| key.as_str().len()), Ok(256));
        assert_eq!(RunnerKey::new("k".repeat(257)), Err(RunnerKeyError::TooLong { length: 257 }));
        assert!(serde_json::from_str::<RunnerKey>("\"\"").is_err());
    }
}
