//! Overrides: what a run is told to decide otherwise than its seed does.
//!
//! A pin gives one decision a value. A calm gives every decision of some streams its mildest outcome, whatever was
//! drawn; a pin inside it counts before it. Any set is valid: a pin's value is taken modulo the bound, and what met no
//! decision is reported after the run. Each has a text, `STREAM#ORDINAL=VALUE` or `STREAMS#*`, for command lines and
//! files. Next: `decide` asks them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// One stream by its name, or all whose names begin alike: `pick`, `latency/*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Streams {
    name: String,
    all_beginning: bool,
}

impl Streams {
    /// The stream of that name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), all_beginning: false }
    }

    /// All streams whose names begin so; all there are if it is empty.
    pub fn beginning(with: impl Into<String>) -> Self {
        Self { name: with.into(), all_beginning: true }
    }

    /// Whether a stream is one of them.
    #[must_use]
    pub fn contains(&self, stream: &str) -> bool {
        if self.all_beginning { stream.starts_with(&self.name) } else { stream == self.name }
    }
}

impl fmt::Display for Streams {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.name, if self.all_beginning { "*" } else { "" })
    }
}

/// Why a text is no override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an override is STREAM#ORDINAL=VALUE, such as crash/engine#0=3, or STREAMS#*, such as latency/*#*")]
pub struct OverrideError;

impl FromStr for Streams {
    type Err = OverrideError;
    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let (name, all_beginning) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
        if name.contains('*') || (name.is_empty() && !all_beginning) {
            return Err(OverrideError);
        }
        Ok(Self { name: name.to_owned(), all_beginning })
    }
}

/// One override.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Override {
    /// Every decision of these streams has its mildest outcome: the least of a span or a latency, no for a chance, the
    /// first of several, first in, first out for `pick`, nothing partial, nothing lost. A decision that a script
    /// gives is waived. Any-64-bit values stay as they are: none is milder than another.
    Calm(Streams),
    /// One decision has this value, modulo its bound.
    Pin {
        /// The stream.
        stream: String,
        /// The how-manieth decision of that stream, from zero.
        ordinal: u64,
        /// The value.
        value: u64,
    },
}

impl fmt::Display for Override {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calm(streams) => write!(out, "{streams}#*"),
            Self::Pin { stream, ordinal, value } => write!(out, "{stream}#{ordinal}={value}"),
        }
    }
}

impl FromStr for Override {
    type Err = OverrideError;
    fn from_str(text: &str) -> Result<Self, OverrideError> {
        if let Some(streams) = text.strip_suffix("#*") {
            return streams.parse().map(Self::Calm);
        }
        // A stream's name may hold both separators: the last ones count.
        let (decision, value) = text.rsplit_once('=').ok_or(OverrideError)?;
        let (stream, ordinal) = decision.rsplit_once('#').ok_or(OverrideError)?;
        let number = |text: &str| text.parse().map_err(|_| OverrideError);
        if stream.is_empty() || stream.contains('*') {
            return Err(OverrideError);
        }
        Ok(Self::Pin { stream: stream.to_owned(), ordinal: number(ordinal)?, value: number(value)? })
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl From<$type> for String {
            fn from(it: $type) -> Self {
                it.to_string()
            }
        }
        impl TryFrom<String> for $type {
            type Error = OverrideError;
            fn try_from(text: String) -> Result<Self, OverrideError> {
                text.parse()
            }
        }
    )*};
}
as_text!(Streams, Override);

/// A set of overrides.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<Override>", into = "Vec<Override>")]
pub struct Overrides {
    calm: BTreeSet<Streams>,
    pins: BTreeMap<String, BTreeMap<u64, u64>>,
}

impl Overrides {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { calm: BTreeSet::new(), pins: BTreeMap::new() }
    }

    /// Adds one. Of two pins of one decision the later counts.
    pub fn add(&mut self, one: Override) {
        match one {
            Override::Calm(streams) => {
                self.calm.insert(streams);
            }
            Override::Pin { stream, ordinal, value } => self.pin(stream, ordinal, value),
        }
    }

    /// Gives one decision a value.
    pub fn pin(&mut self, stream: impl Into<String>, ordinal: u64, value: u64) {
        self.pins.entry(stream.into()).or_default().insert(ordinal, value);
    }

    /// Gives every decision of these streams its mildest outcome.
    pub fn calm(&mut self, streams: Streams) {
        self.calm.insert(streams);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calm.is_empty() && self.pins.is_empty()
    }

    /// All of them, calms first.
    pub fn iter(&self) -> impl Iterator<Item = Override> {
        let calms = self.calm.iter().cloned().map(Override::Calm);
        let pins = self.pins.iter().flat_map(|(stream, pins)| {
            pins.iter().map(|(ordinal, value)| Override::Pin {
                stream: stream.clone(),
                ordinal: *ordinal,
                value: *value,
            })
        });
        calms.chain(pins)
    }

    /// Whether what a given stream speaks of with that ordinal is waived: see [`World::waives`](crate::World::waives).
    #[must_use]
    pub fn waives(&self, stream: &str, ordinal: u64) -> bool {
        let pinned = self.pins(stream).and_then(|pins| pins.get(&ordinal));
        pinned.map_or_else(|| self.calms(stream), |pinned| pinned % 2 == 1)
    }

    /// Whether decisions of that stream are calm.
    pub(crate) fn calms(&self, stream: &str) -> bool {
        self.calm.iter().any(|streams| streams.contains(stream))
    }

    /// The pins of that stream.
    pub(crate) fn pins(&self, stream: &str) -> Option<&BTreeMap<u64, u64>> {
        self.pins.get(stream)
    }
}

impl Extend<Override> for Overrides {
    fn extend<I: IntoIterator<Item = Override>>(&mut self, more: I) {
        for one in more {
            self.add(one);
        }
    }
}

impl FromIterator<Override> for Overrides {
    fn from_iter<I: IntoIterator<Item = Override>>(all: I) -> Self {
        let mut overrides = Self::new();
        overrides.extend(all);
        overrides
    }
}

impl From<Vec<Override>> for Overrides {
    fn from(all: Vec<Override>) -> Self {
        all.into_iter().collect()
    }
}

impl From<Overrides> for Vec<Override> {
    fn from(overrides: Overrides) -> Self {
        overrides.iter().collect()
    }
}

/// An override that met no decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// No stream has such a name.
    Calm(Streams),
    /// That stream has fewer decisions.
    Pin {
        /// The stream it names.
        stream: String,
        /// The ordinal it names.
        ordinal: u64,
    },
}

impl fmt::Display for Unmatched {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calm(streams) => write!(out, "{streams}#*"),
            Self::Pin { stream, ordinal } => write!(out, "{stream}#{ordinal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_is_read_as_it_is_written() {
        let pin = Override::Pin { stream: "latency/engine→app#3".to_owned(), ordinal: 17, value: 250 };
        let calm = |streams| Override::Calm(streams);
        for (text, one) in [
            ("latency/engine→app#3#17=250", pin),
            ("latency/*#*", calm(Streams::beginning("latency/"))),
            ("latency/a→b:80#3#*", calm(Streams::named("latency/a→b:80#3"))),
            ("*#*", calm(Streams::beginning(""))),
        ] {
            assert_eq!(text.parse(), Ok(one.clone()));
            assert_eq!(one.to_string(), text);
        }
        for bad in
            ["", "pick", "pick#1", "pick=1", "#1=1", "pick#x=1", "pick#1=y", "#*", "a*b#*", "a/*#3=1", "**#*"]
        {
            assert_eq!(bad.parse::<Override>(), Err(OverrideError), "{bad}");
        }
    }

    #[test]
    fn a_set_of_overrides_is_the_same_after_being_written_and_read() {
        let texts = ["pick#*", "spare/*#*", "spare/engine#0=0", "spare/engine#3=1"];
        let overrides: Overrides = texts.iter().map(|text| text.parse::<Override>().unwrap()).collect();
        let written: Vec<_> = overrides.iter().map(|one| one.to_string()).collect();
        assert_eq!(written, texts);
        assert_eq!(Overrides::from(Vec::from(overrides.clone())), overrides);
    }
}
