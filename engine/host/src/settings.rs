//! Every timing and bound of an engine as a setting: named, bounded, explained, read from text.
//!
//! [`table`](mod@table) lists them all; the file, the environment and the command line name them by it, and
//! `docs/serve.md` shows it. A [`Setting`] knows its place in [`Options`], so that a default is said once. Which
//! source wins is decided by whoever asks ([`Settings`]); [`conflicts`] tells values apart that are each in bounds and
//! make no sense together.

mod conflict;
mod sources;
mod table;
mod value;

pub use conflict::{Conflict, conflicts};
pub use sources::{Origin, Settings, similar};
pub use table::SETTINGS;
pub use value::{SettingError, Value};

use std::time::Duration;

use crate::Options;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The section of the file that it is in.
    pub section: &'static str,
    /// Its name in there.
    pub name: &'static str,
    /// What it does.
    pub effect: &'static str,
    pub(crate) place: Place,
}

/// Where a setting is kept, and between which values, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Duration {
        of: fn(&mut Options) -> &mut Duration,
        least: Duration,
        most: Duration,
    },
    Number {
        of: fn(&mut Options) -> &mut u32,
        least: u32,
        most: u32,
    },
    /// Things or bytes.
    Count {
        of: fn(&mut Options) -> &mut usize,
        least: usize,
        most: usize,
    },
}

impl Setting {
    /// `section.name`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("REHEARSAL_{}", self.path().replace(['.', '-'], "_").to_uppercase())
    }

    /// The setting of this path.
    #[must_use]
    pub fn by_path(path: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.path() == path)
    }

    /// Its value in these options.
    #[must_use]
    pub fn get(&self, options: &Options) -> Value {
        let mut options = options.clone();
        match self.place {
            Place::Duration { of, .. } => Value::Duration(*of(&mut options)),
            Place::Number { of, .. } => Value::Number(u64::from(*of(&mut options))),
            Place::Count { of, .. } => Value::Number(*of(&mut options) as u64),
        }
    }

    /// Its default.
    #[must_use]
    pub fn default(&self) -> Value {
        self.get(&Options::new(""))
    }

    /// The least and the most that it can be.
    #[must_use]
    pub const fn bounds(&self) -> (Value, Value) {
        match self.place {
            Place::Duration { least, most, .. } => (Value::Duration(least), Value::Duration(most)),
            Place::Number { least, most, .. } => (Value::Number(least as u64), Value::Number(most as u64)),
            Place::Count { least, most, .. } => (Value::Number(least as u64), Value::Number(most as u64)),
        }
    }

    /// Reads a value and puts it into the options.
    ///
    /// # Errors
    /// [`SettingError`] when it does not read, or is out of bounds.
    pub fn set(&self, options: &mut Options, text: &str) -> Result<(), SettingError> {
        let (least, most) = self.bounds();
        let value = match self.place {
            Place::Duration { .. } => Value::parse_duration(&self.path(), text)?,
            Place::Number { .. } | Place::Count { .. } => Value::parse_number(&self.path(), text)?,
        };
        if value < least || value > most {
            return Err(SettingError::Bounds { setting: self.path(), value, least, most });
        }
        match (self.place, value) {
            (Place::Duration { of, .. }, Value::Duration(value)) => *of(options) = value,
            (Place::Number { of, .. }, Value::Number(value)) => {
                *of(options) = u32::try_from(value).expect("the bounds of the setting are of its type");
            }
            (Place::Count { of, .. }, Value::Number(value)) => {
                *of(options) = usize::try_from(value).expect("the bounds of the setting are of its type");
            }
            (Place::Duration { .. }, Value::Number(_))
            | (Place::Number { .. } | Place::Count { .. }, Value::Duration(_)) => {
                unreachable!("a value is read as what its setting is")
            }
        }
        Ok(())
    }
}
