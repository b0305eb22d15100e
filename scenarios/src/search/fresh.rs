//! The same runs in a fresh process: what differs between processes (addresses, hash keys, the environment) must not
//! show.
//!
//! One process runs a whole stretch of a search, so that its start is paid once per stretch. It is this very binary,
//! called with the hidden commands `digests` and `events`, which print one JSON object per line.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sim::{Checkpoint, Event};

use crate::hex;
use crate::play::{RunOptions, RunReport};

/// What tells two runs apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The digest over every event.
    #[serde(with = "hex::one")]
    pub digest: u128,
    /// How many events there were.
    pub events: u64,
    /// The digest on the way.
    #[serde(with = "hex::checkpoints")]
    pub checkpoints: Vec<Checkpoint>,
}

/// What is seen of a run from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sighting {
    /// It ran to an end, whichever.
    Ran(Fingerprint),
    /// It took its thread with it, for this reason.
    Fell(String),
}

impl From<&RunReport> for Sighting {
    fn from(report: &RunReport) -> Self {
        match report.fell() {
            Some(text) => Self::Fell(text.to_owned()),
            None => Self::Ran(report.into()),
        }
    }
}

impl From<&RunReport> for Fingerprint {
    fn from(report: &RunReport) -> Self {
        Self { digest: report.digest, events: report.events, checkpoints: report.checkpoints.clone() }
    }
}

/// Why a fresh process gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum FreshError {
    /// It could not be started or read.
    #[error("a fresh process cannot be run: {0}")]
    Start(#[from] io::Error),
    /// It failed.
    #[error("a fresh process ended with {status}: {stderr}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        stderr: String,
    },
    /// A run fell there, but not here.
    #[error("the run falls in a fresh process, and not in this one: {text}")]
    FellThere {
        /// What it said.
        text: String,
    },
    /// A run fell here, but not there.
    #[error("the run falls in this process, and not in a fresh one: {text}")]
    FellHere {
        /// What it said.
        text: String,
    },
    /// It answered something else than was asked.
    #[error("a fresh process answered line {line:?}")]
    Answer {
        /// The first line that is wrong; empty if one is missing.
        line: String,
    },
}

/// A run that is asked of a fresh process: `smoke:17`, with what it is told behind it, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its play's name.
    pub play: String,
    /// Its seed.
    pub seed: u64,
    /// What it is told.
    pub options: RunOptions,
}

impl fmt::Display for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = serde_json::to_string(&self.options).expect("numbers and strings are JSON");
        write!(out, "{}:{} {options}", self.play, self.seed)
    }
}

/// Why a text asks for no run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run is asked for by SCENARIO:SEED and JSON, not {text:?}")]
pub struct AskedError {
    /// The text.
    pub text: String,
}

impl FromStr for Asked {
    type Err = AskedError;

    fn from_str(text: &str) -> Result<Self, AskedError> {
        let parse = || {
            let (run, options) = text.split_once(' ').unwrap_or((text, "{}"));
            let (play, seed) = run.split_once(':')?;
            let options = serde_json::from_str(options).ok()?;
            Some(Self { play: play.to_owned(), seed: seed.parse().ok()?, options })
        };
        parse().ok_or_else(|| AskedError { text: text.to_owned() })
    }
}

/// Somebody who runs plays somewhere else.
pub trait Fresh: Sync {
    /// What becomes of these runs, in their order.
    ///
    /// # Errors
    /// If there is no answer for one of them.
    fn sightings(&self, runs: &[Asked]) -> Result<Vec<Sighting>, FreshError>;
    /// These events of one run.
    ///
    /// # Errors
    /// If there is no answer.
    fn events(&self, run: &Asked, which: Range<u64>) -> Result<Vec<Event>, FreshError>;
}

/// An event as a line. Its words are hexadecimal, as digests are.
#[derive(Debug, Serialize, Deserialize)]
struct EventLine {
    index: u64,
    at_nanos: u64,
    text: String,
    words: [String; 2],
}

/// A sighting, as the command `digests` prints it.
#[must_use]
pub fn sighting_line(sighting: &Sighting) -> String {
    serde_json::to_string(sighting).expect("numbers and strings are JSON")
}

fn read_sighting(line: &str) -> Option<Sighting> {
    serde_json::from_str(line).ok()
}

/// An event, as the command `events` prints it.
#[must_use]
pub fn event_line(event: &Event) -> String {
    let at_nanos = u64::try_from(event.at.as_nanos()).unwrap_or(u64::MAX);
    let words = event.words.map(|word| format!("{word:016x}"));
    let line = EventLine { index: event.index, at_nanos, text: event.text.clone(), words };
    serde_json::to_string(&line).expect("numbers and strings are JSON")
}

fn read_event(line: &str) -> Option<Event> {
    let EventLine { index, at_nanos, text, words: [head, detail] } = serde_json::from_str(line).ok()?;
    let word = |hex: &str| u64::from_str_radix(hex, 16).ok();
    Some(Event { index, at: Duration::from_nanos(at_nanos), text, words: [word(&head)?, word(&detail)?] })
}

/// Fresh processes of a binary.
#[derive(Clone, Debug)]
pub struct Process {
    /// The binary.
    binary: PathBuf,
}

impl Process {
    /// Of the binary that runs.
    ///
    /// # Errors
    /// If the system does not say where it lies.
    pub fn of_this_binary() -> io::Result<Self> {
        Ok(Self { binary: std::env::current_exe()? })
    }

    /// Of another binary that knows the commands.
    #[must_use]
    pub const fn of(binary: PathBuf) -> Self {
        Self { binary }
    }

    fn lines(&self, arguments: impl IntoIterator<Item = String>) -> Result<Vec<String>, FreshError> {
        let output = Command::new(&self.binary).args(arguments).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(FreshError::Failed { status: output.status, stderr });
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(ToOwned::to_owned).collect())
    }
}

fn read_all<T>(lines: &[String], read: fn(&str) -> Option<T>) -> Result<Vec<T>, FreshError> {
    let read = |line: &String| read(line).ok_or_else(|| FreshError::Answer { line: line.clone() });
    lines.iter().map(read).collect()
}

impl Fresh for Process {
    fn sightings(&self, runs: &[Asked]) -> Result<Vec<Sighting>, FreshError> {
        let runs_given = runs.iter().map(ToString::to_string);
        let lines = self.lines(["digests".to_owned()].into_iter().chain(runs_given))?;
        if lines.len() != runs.len() {
            return Err(FreshError::Answer { line: lines.get(runs.len()).cloned().unwrap_or_default() });
        }
        read_all(&lines, read_sighting)
    }

    fn events(&self, run: &Asked, which: Range<u64>) -> Result<Vec<Event>, FreshError> {
        let arguments =
            ["events".to_owned(), run.to_string(), which.start.to_string(), which.end.to_string()];
        read_all(&self.lines(arguments)?, read_event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked { play: "p".to_owned(), seed: 1, options: RunOptions { swarm: true, ..RunOptions::default() } }
    }

    #[test]
    fn a_run_is_asked_for_with_all_that_it_is_told() {
        let strike = "disk-sync#17=power-off".parse().expect("a strike");
        let options = RunOptions { strikes: vec![strike], ..asked().options };
        let asked = Asked { options, ..asked() };
        assert_eq!(asked.to_string().parse(), Ok(asked));
        assert_eq!("p:1".parse::<Asked>().map(|asked| asked.options), Ok(RunOptions::default()));
        for bad in ["", "p", "p:x", "p:1 {", "p:1 {\"strikes\":3}"] {
            assert!(bad.parse::<Asked>().is_err(), "{bad}");
        }
    }

    #[test]
    fn lines_carry_fingerprints_and_events_whole() {
        let checkpoints = vec![Checkpoint { events: 1024, digest: u128::MAX }];
        let ran = Sighting::Ran(Fingerprint { digest: 1, events: u64::MAX, checkpoints });
        assert_eq!(read_sighting(&sighting_line(&ran)), Some(ran));
        let fell = Sighting::Fell("it \"fell\"\n".to_owned());
        assert_eq!(read_sighting(&sighting_line(&fell)), Some(fell));
        let (at, text) = (Duration::from_nanos(1_000_000_007), "a \"b\"\n".to_owned());
        let event = Event { index: 3, at, text, words: [u64::MAX, 1] };
        assert_eq!(read_event(&event_line(&event)), Some(event));
        assert_eq!(read_sighting("{}"), None);
        assert_eq!(read_sighting(r#"{"ran":{"digest":"x","events":1,"checkpoints":[]}}"#), None);
    }

    #[test]
    fn a_process_that_fails_is_told_with_what_it_said() {
        let shell = Process::of(PathBuf::from("/bin/false"));
        assert!(matches!(shell.sightings(&[asked()]), Err(FreshError::Failed { .. })));
        let echo = Process::of(PathBuf::from("/bin/echo"));
        let answer = echo.sightings(&[asked()]).unwrap_err();
        assert_eq!(
            answer.to_string(),
            format!("a fresh process answered line {:?}", format!("digests {}", asked()))
        );
        let missing = Process::of(PathBuf::from("/nowhere/at/all"));
        assert!(matches!(missing.events(&asked(), 0..9), Err(FreshError::Start(_))));
    }
}
