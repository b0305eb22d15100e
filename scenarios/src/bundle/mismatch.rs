//! How a run is not the one that a bundle tells of.

use std::fmt;

use super::{COMMIT, UNKNOWN};

/// How a run that was made anew differs from the bundle's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is another run.
    #[error("not the bundle's run: equal for {agreed} events, another one by event {differs}; {build}")]
    Run {
        /// Up to the last checkpoint they share.
        agreed: u64,
        /// The first checkpoint that differs.
        differs: u64,
        /// Whose the bundle is.
        build: Build,
    },
    /// It is the same run, and breaks another law, or none.
    #[error("the bundle broke {law}; this run, the same to the last event, {}; {build}", breaks(*broken))]
    Law {
        /// The bundle's.
        law: String,
        /// This run's, if any.
        broken: Option<&'static str>,
        /// Whose the bundle is.
        build: Build,
    },
}

fn breaks(law: Option<&'static str>) -> String {
    law.map_or_else(|| "does not".to_owned(), |law| format!("breaks {law}"))
}

/// The build that wrote a bundle; as a text, what this one has in common with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its commit.
    pub commit: String,
    /// Whether libraries underneath were intercepted.
    pub hosted: bool,
}

impl fmt::Display for Build {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.hosted, sim::is_hosted()) {
            (true, false) => out.write_str("this is built without --cfg madsim, the bundle was not; ")?,
            (false, true) => out.write_str("the bundle was built without --cfg madsim, this is not; ")?,
            (true, true) | (false, false) => {}
        }
        let commit = self.commit.as_str();
        match (commit == UNKNOWN, commit == COMMIT) {
            (true, true) => out.write_str("neither commit is known: other code, or another way to build"),
            (false, true) => {
                write!(out, "the commit is the bundle's, {COMMIT}: changed files, or another way to build")
            }
            (_, false) => write!(out, "the bundle is of commit {commit}, this is {COMMIT}"),
        }
    }
}
