//! The outcome of a trial: which laws held, which were broken and how.

use std::fmt;

use protocol::time::Mono;
use serde::Serialize;

use crate::evidence::{Evidence, Place};
use crate::law::Law;

/// A law was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Stable name of the law.
    pub law: &'static str,
    /// The moment from which it cannot hold any more, on the world's clock.
    pub at: Mono,
    /// Where, if it happened at one place.
    pub place: Option<Place>,
    /// What happened, in one sentence.
    pub text: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.law, self.at)?;
        if let Some(place) = &self.place {
            write!(f, " on {place}")?;
        }
        write!(f, ": {}", self.text)
    }
}

impl std::error::Error for Broken {}

/// What the judges say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Names of the laws that held.
    pub held: Vec<&'static str>,
    /// What was broken, the earliest first.
    pub broken: Vec<Broken>,
}

impl Verdict {
    /// The earliest breach, or nothing.
    ///
    /// # Errors
    /// If any law was broken.
    pub fn into_result(self) -> Result<(), Broken> {
        match self.broken.into_iter().next() {
            Some(broken) => Err(broken),
            None => Ok(()),
        }
    }
}

/// Tries every law on the evidence.
pub fn judge(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    for law in Law::ALL {
        match law.check(evidence) {
            Ok(()) => verdict.held.push(law.name()),
            Err(broken) => verdict.broken.push(broken),
        }
    }
    verdict.broken.sort_by_key(|broken| broken.at);
    verdict
}
