//! A failure bundle: everything that shows a failing run again, and proves that it is the same, in one JSON file.
//!
//! `explore --bundles` writes one per failure, `shrink` one for what it found, `replay` takes them. A bundle names its
//! run (play, seed, options), tells what came of it (law, digest with checkpoints, story), and of which commit the
//! code was that ran it: another commit may decide at other points.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sim::{Checkpoint, Decision};

use crate::hex;
use crate::play::{RunOptions, RunReport};
use crate::search::twice;
use crate::whole::write_whole;

mod mismatch;

pub use mismatch::{Build, Mismatch};

/// What the field `format` says.
const FORMAT: &str = "rehearsal failure";
/// The version that is written and read. It changes when a field changes its meaning or is taken away.
const VERSION: u64 = 1;

/// The commit of this build; [`UNKNOWN`] outside of git and in debug builds.
pub const COMMIT: &str = env!("REHEARSAL_COMMIT");

/// What stands for the commit of a build that knows none.
pub const UNKNOWN: &str = "unknown";

/// The law that a run breaks which is not the same again.
pub const DETERMINISM: &str = "determinism";

/// A failing run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// What kind of file it is.
    format: String,
    /// Which version of it.
    version: u64,
    /// The line that shows the run without this file.
    pub replay: String,
    /// The play.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// What it was told beside.
    pub options: RunOptions,
    /// The commit of the code that ran it.
    pub commit: String,
    /// Whether libraries underneath were intercepted.
    pub hosted: bool,
    /// The law it broke, or `determinism`.
    pub law: String,
    /// What happened, with its moment.
    pub text: String,
    /// The digest over all events.
    #[serde(with = "hex::one")]
    pub digest: u128,
    /// How many events there were.
    pub events: u64,
    /// The digest on the way, as (events, digest).
    #[serde(with = "hex::checkpoints")]
    pub checkpoints: Vec<Checkpoint>,
    /// Virtual time.
    pub virtual_seconds: f64,
    /// Every fault family that was on, with how often somebody felt it.
    pub faults: BTreeMap<String, u64>,
    /// What was decided of faults, and what overrides moved.
    pub decisions: Vec<Decision>,
    /// What the script told.
    pub story: Vec<Line>,
}

/// A line of a story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Virtual time.
    pub at_seconds: f64,
    /// The text.
    pub text: String,
}

impl From<&sim::Note> for Line {
    fn from(note: &sim::Note) -> Self {
        Self { at_seconds: note.at.as_secs_f64(), text: note.text.clone() }
    }
}

/// Why a file is no bundle that can be replayed, or was not written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no JSON, or a field is missing or wrong.
    #[error("{} is no whole failure bundle: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// Its parts do not belong together.
    #[error("{} is no whole failure bundle: its checkpoints do not end in its digest", path.display())]
    Torn {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{} is no failure bundle", path.display())]
    Other {
        /// The file.
        path: PathBuf,
    },
    /// It is of another version.
    #[error("{} is a failure bundle of version {version}, this reads version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
}

impl Bundle {
    /// Of a run that broke a law (or was not the same twice), made with these options.
    #[must_use]
    pub fn new(
        scenario: &str,
        options: &RunOptions,
        (law, text): (&str, String),
        report: &RunReport,
        replay: String,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            replay,
            scenario: scenario.to_owned(),
            seed: report.seed,
            options: options.clone(),
            commit: COMMIT.to_owned(),
            hosted: sim::is_hosted(),
            law: law.to_owned(),
            text,
            digest: report.digest,
            events: report.events,
            checkpoints: report.checkpoints.clone(),
            virtual_seconds: report.elapsed.as_secs_f64(),
            faults: report.faults.iter().map(|(family, felt)| ((*family).to_owned(), *felt)).collect(),
            decisions: report.recorded.clone(),
            story: report.notes.iter().map(Line::from).collect(),
        }
    }

    /// The file name that a folder of bundles has for it: equal for equal runs.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}-{:08x}.json", self.scenario, self.seed, self.digest >> 96)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, path: &Path) -> Result<(), BundleError> {
        let mut text = serde_json::to_string_pretty(self).expect("numbers and strings are JSON");
        text.push('\n');
        write_whole(path, text.as_bytes()).map_err(|source| BundleError::Io { path: path.to_owned(), source })
    }

    /// Reads one.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, something else, or of another version.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let path = || path.to_owned();
        let text =
            std::fs::read_to_string(path()).map_err(|source| BundleError::Io { path: path(), source })?;
        let damaged = |source| BundleError::Damaged { path: path(), source };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(damaged)?;
        if value["format"] != FORMAT {
            return Err(BundleError::Other { path: path() });
        }
        match value["version"].as_u64() {
            Some(VERSION) => {}
            Some(version) => return Err(BundleError::Version { path: path(), version }),
            None => return Err(BundleError::Other { path: path() }),
        }
        let bundle: Self = serde_json::from_value(value).map_err(damaged)?;
        let end = bundle.checkpoints.last().map(|end| (end.events, end.digest));
        // A run that took its thread with it has no events, and no checkpoints.
        if bundle.events > 0 && end != Some((bundle.events, bundle.digest)) {
            return Err(BundleError::Torn { path: path() });
        }
        Ok(bundle)
    }

    /// Compares the run with one that was made anew.
    ///
    /// # Errors
    /// Where the two part, or that they are judged otherwise.
    pub fn compare(&self, report: &RunReport) -> Result<(), Mismatch> {
        let build = || Build { commit: self.commit.clone(), hosted: self.hosted };
        if (self.digest, self.events) != (report.digest, report.events) {
            let (agreed, next) = twice::parting(&self.checkpoints, &report.checkpoints);
            let differs = next.unwrap_or(agreed);
            return Err(Mismatch::Run { agreed, differs, build: build() });
        }
        // Whether it is the same again is not the run's to say.
        let broken = report.outcome.as_ref().err().map(|broken| broken.law);
        if self.law == DETERMINISM || broken == Some(&self.law) {
            return Ok(());
        }
        Err(Mismatch::Law { law: self.law.clone(), broken, build: build() })
    }
}

#[cfg(test)]
mod tests;
