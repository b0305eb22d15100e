//! Values as people write them.

use std::fmt;
use std::time::Duration;

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A time, written with its unit.
    Duration(Duration),
    /// Things or bytes.
    Number(u64),
}

/// Why a text is no value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no such setting.
    #[error("there is no setting `{setting}`{}", similar.map_or(String::new(), |it| format!(": is `{it}` meant?")))]
    Unknown {
        /// What was asked for.
        setting: String,
        /// What it is most like.
        similar: Option<&'static str>,
    },
    /// It is no time.
    #[error("`{setting}` is a time with its unit, such as \"250ms\", \"15s\" or \"5m\", not {text:?}")]
    Duration {
        /// The setting.
        setting: String,
        /// The text.
        text: String,
    },
    /// It is no number.
    #[error("`{setting}` is a whole number, not {text:?}")]
    Number {
        /// The setting.
        setting: String,
        /// The text.
        text: String,
    },
    /// It is out of bounds.
    #[error("`{setting}` must be {least} to {most}, not {value}")]
    Bounds {
        /// The setting.
        setting: String,
        /// The value.
        value: Value,
        /// The least it can be.
        least: Value,
        /// The most it can be.
        most: Value,
    },
}

impl Value {
    pub(super) fn parse_duration(setting: &str, text: &str) -> Result<Self, SettingError> {
        let refused = || SettingError::Duration { setting: setting.to_owned(), text: text.to_owned() };
        humantime::parse_duration(text).map(Self::Duration).map_err(|_| refused())
    }

    pub(super) fn parse_number(setting: &str, text: &str) -> Result<Self, SettingError> {
        let refused = || SettingError::Number { setting: setting.to_owned(), text: text.to_owned() };
        text.replace('_', "").parse().map(Self::Number).map_err(|_| refused())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => humantime::format_duration(*duration).fmt(out),
            Self::Number(number) => number.fmt(out),
        }
    }
}
