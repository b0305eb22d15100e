//! Naming plays and runs: `smoke`, `smoke:17`, a failure bundle.

use std::path::PathBuf;
use std::str::FromStr;

use crate::bundle::{Bundle, BundleError};
use crate::cli::told::Told;
use crate::play::{Play, RunOptions};

/// One run of a play, as people and replay lines name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunName {
    /// The play's name.
    pub(super) play: String,
    /// The seed.
    pub(super) seed: u64,
}

/// Why a text names no run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run is named SCENARIO:SEED, such as smoke:17")]
pub(super) struct RunNameError;

impl FromStr for RunName {
    type Err = RunNameError;

    fn from_str(text: &str) -> Result<Self, RunNameError> {
        let (play, seed) = text.split_once(':').ok_or(RunNameError)?;
        let seed = seed.parse().map_err(|_| RunNameError)?;
        if play.is_empty() {
            return Err(RunNameError);
        }
        Ok(Self { play: play.to_owned(), seed })
    }
}

/// A run, by its name or by its bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// By its name.
    Run(RunName),
    /// By a file, whose name ends in `.json`.
    File(PathBuf),
}

impl Subject {
    /// The run, what it is told with this beside, and its bundle, if it is named by one.
    ///
    /// # Errors
    /// If the bundle cannot be read.
    pub(super) fn read(&self, told: &Told) -> Result<(RunName, RunOptions, Option<Bundle>), BundleError> {
        Ok(match self {
            Self::Run(run) => (run.clone(), told.options(), None),
            Self::File(path) => {
                let bundle = Bundle::read(path)?;
                let run = RunName { play: bundle.scenario.clone(), seed: bundle.seed };
                (run, told.beside(bundle.options.clone()), Some(bundle))
            }
        })
    }
}

/// Why a text names neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run is named SCENARIO:SEED, such as smoke:17, or by its bundle, FILE.json")]
pub(super) struct SubjectError;

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        if text.ends_with(".json") {
            return Ok(Self::File(text.into()));
        }
        text.parse().map(Self::Run).map_err(|RunNameError| SubjectError)
    }
}

/// Nobody has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no scenario is called {name:?}; there are {}", known.join(", "))]
pub(super) struct UnknownPlay {
    /// The name.
    pub(super) name: String,
    /// Who there is.
    pub(super) known: Vec<&'static str>,
}

/// The play of that name.
pub(super) fn find(plays: &[&'static dyn Play], name: &str) -> Result<&'static dyn Play, UnknownPlay> {
    let found = plays.iter().find(|play| play.name() == name).copied();
    found.ok_or_else(|| UnknownPlay {
        name: name.to_owned(),
        known: plays.iter().map(|play| play.name()).collect(),
    })
}

/// A play is too large to be run once per point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} is not made for one fault at every point: whoever such a fault fells would not come back; those made for it \
     are {}",
    small.join(", ")
)]
pub(super) struct NotSmall {
    /// The name.
    pub(super) name: &'static str,
    /// Which are not.
    pub(super) small: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_play_and_a_seed() {
        assert_eq!("smoke:17".parse(), Ok(RunName { play: "smoke".to_owned(), seed: 17 }));
        for bad in ["smoke", "smoke:", ":17", "smoke:-1", "smoke:17:1", "smoke 17"] {
            assert_eq!(bad.parse::<RunName>(), Err(RunNameError), "{bad}");
        }
    }

    #[test]
    fn a_subject_is_a_run_or_a_file() {
        let run = RunName { play: "smoke".to_owned(), seed: 17 };
        assert_eq!("smoke:17".parse(), Ok(Subject::Run(run)));
        assert_eq!("found/smoke:17.json".parse(), Ok(Subject::File("found/smoke:17.json".into())));
        assert_eq!("smoke".parse::<Subject>(), Err(SubjectError));
    }
}
