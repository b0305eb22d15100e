//! The outcome of a trial: which laws held, which had nothing to judge, which were broken and how.

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

/// What one law says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It held.
    Held,
    /// The evidence it judges was not there: nothing is known of it.
    NotJudged,
    /// It was broken; the earliest breach.
    Broken(Broken),
}

/// What the judges say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Names of the laws that held.
    pub held: Vec<&'static str>,
    /// Names of the laws that had nothing to judge.
    pub unjudged: Vec<&'static str>,
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
            Judgement::Held => verdict.held.push(law.name()),
            Judgement::NotJudged => verdict.unjudged.push(law.name()),
            Judgement::Broken(broken) => verdict.broken.push(broken),
        }
    }
    verdict.broken.sort_by_key(|broken| broken.at);
    verdict
}
