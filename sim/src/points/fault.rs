//! What can strike at a point, and where it can.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::points::{Point, PointKind, UnknownPoint};

/// How long a black hole or a pause lasts: beyond the 15 s after which most systems, the one under rehearsal among
/// them, take a silent peer for lost. Ours.
pub const AWAY: Duration = Duration::from_secs(20);

/// What strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointFault {
    /// The node's process is killed; inside a disk operation, if the point is one.
    Kill,
    /// The node loses power; inside a disk operation, if the point is one.
    PowerOff,
    /// The connection is cut by FIN.
    Fin,
    /// The connection is cut by RST, near the point's node.
    Reset,
    /// Nothing passes between both nodes of the connection, or between the node and all others where there is none, for
    /// [`AWAY`].
    BlackHole,
    /// The disk operation fails: nothing was written, or what was written is not durable.
    DiskError,
    /// The node's process stops running for [`AWAY`]. Inside a poll: from its end on.
    Pause,
}

impl PointFault {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::Kill, Self::PowerOff, Self::Fin, Self::Reset, Self::BlackHole, Self::DiskError, Self::Pause];

    /// The name in tables and in strikes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::PowerOff => "power-off",
            Self::Fin => "fin",
            Self::Reset => "reset",
            Self::BlackHole => "black-hole",
            Self::DiskError => "disk-error",
            Self::Pause => "pause",
        }
    }

    /// Whether it can strike there: a fall and a pause need a process that runs, a cut an open connection, a black hole
    /// somebody else, a disk error an operation whose process does not fall in it. The script's own node neither
    /// falls nor pauses.
    #[must_use]
    pub fn applies(self, point: &Point) -> bool {
        match self {
            Self::Kill | Self::PowerOff | Self::Pause => point.guest && point.runs,
            Self::Fin | Self::Reset => point.link.as_ref().is_some_and(|link| link.open),
            Self::BlackHole => point.link.as_ref().map_or(point.guest, |link| link.from != link.to),
            Self::DiskError => point.runs && matches!(point.kind, PointKind::DiskWrite | PointKind::DiskSync),
        }
    }
}

impl fmt::Display for PointFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// A fault at one point of a run: `disk-sync#17=power-off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Strike {
    /// At which kind of point.
    pub kind: PointKind,
    /// At the how-manieth of that kind, from zero.
    pub ordinal: u64,
    /// What strikes.
    pub fault: PointFault,
}

impl Strike {
    /// A fault at a point that an earlier run has met.
    #[must_use]
    pub const fn at(point: &Point, fault: PointFault) -> Self {
        Self { kind: point.kind, ordinal: point.ordinal, fault }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, ordinal, fault } = self;
        write!(out, "{kind}#{ordinal}={fault}")
    }
}

/// Why a text is no strike.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrikeError {
    /// It has not the form of one.
    #[error("a strike is POINT#ORDINAL=FAULT, such as disk-sync#17=power-off, not {text:?}")]
    Form {
        /// The text.
        text: String,
    },
    /// It names no point.
    #[error(transparent)]
    Point(#[from] UnknownPoint),
    /// It names no fault.
    #[error("no fault is called {text:?}; there are {}", PointFault::ALL.map(PointFault::name).join(", "))]
    Fault {
        /// The text.
        text: String,
    },
}

impl FromStr for Strike {
    type Err = StrikeError;

    fn from_str(text: &str) -> Result<Self, StrikeError> {
        let form = || StrikeError::Form { text: text.to_owned() };
        let (point, fault) = text.split_once('=').ok_or_else(form)?;
        let (kind, ordinal) = point.split_once('#').ok_or_else(form)?;
        let found = PointFault::ALL.into_iter().find(|each| each.name() == fault);
        let fault = found.ok_or_else(|| StrikeError::Fault { text: fault.to_owned() })?;
        Ok(Self { kind: kind.parse()?, ordinal: ordinal.parse().map_err(|_| form())?, fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strike_comes_back_from_its_text() {
        for kind in PointKind::ALL {
            for fault in PointFault::ALL {
                let strike = Strike { kind, ordinal: 17, fault };
                assert_eq!(strike.to_string().parse(), Ok(strike));
            }
        }
        for bad in ["", "timer", "timer#1", "timer=kill", "timer#x=kill", "#1=kill", "1=kill", "timer#1=nap"]
        {
            assert!(bad.parse::<Strike>().is_err(), "{bad}");
        }
    }
}
