//! What a search, or a shard of one, has come to: what `--report` writes, `--resume` goes on from and `merge` joins.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::told::flags;
use crate::play::{Play, RunOptions};
use crate::search::tally::Name;
use crate::search::twice::IN_A_FRESH_PROCESS;
use crate::search::{Before, Failed, Findings, Limit, Plan, Ranges, Recorded, Shard, Tally, Why};

/// Written into each report, and raised when one of before cannot be read any more.
const VERSION: u32 = 1;

/// What a search was told, as far as reports of it must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Search {
    pub(super) scenarios: Vec<Name>,
    pub(super) strategy: String,
    pub(super) start: u64,
    /// Seeds per scenario; none if it was limited by time.
    pub(super) seeds: Option<u64>,
    pub(super) verified: bool,
    pub(super) hosted: bool,
}

/// One shard of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) shard: Shard,
    /// Which of its runs were done.
    pub(super) done: Ranges,
    /// How many it has; none if it was limited by time.
    pub(super) runs: Option<u64>,
    pub(super) interrupted: bool,
    pub(super) gave_up: bool,
}

impl Part {
    /// Whether it was done to its end.
    fn is_whole(&self) -> bool {
        !self.interrupted && !self.gave_up && self.runs.is_none_or(|runs| runs == self.done.count())
    }
}

/// A run that was recorded for a search of points, and what followed from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Points {
    pub(super) scenario: Name,
    pub(super) seed: u64,
    /// By kind.
    pub(super) points: BTreeMap<Name, u64>,
    /// Pairs of point and fault that cannot strike, or may not.
    pub(super) inapplicable: u64,
    /// Pairs skipped as equal to one that is run.
    pub(super) equal: u64,
    /// Runs with one fault.
    pub(super) runs: u64,
    /// Runs with two.
    pub(super) pairs: u64,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// Its number in the search.
    pub(super) run: u64,
    pub(super) scenario: Name,
    pub(super) seed: u64,
    /// The law it broke, or `determinism`.
    pub(super) law: Name,
    /// Virtual time of the breach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_seconds: Option<f64>,
    pub(super) text: String,
    pub(super) digest: String,
    pub(super) replay: String,
}

/// What a search, or shards of one, have come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    version: u32,
    pub(super) search: Search,
    pub(super) parts: Vec<Part>,
    pub(super) jobs: usize,
    pub(super) wall_seconds: f64,
    /// Per play, in the order of the search.
    pub(super) tallies: Vec<Tally>,
    pub(super) recorded: Vec<Points>,
    /// In the order of the runs.
    pub(super) failures: Vec<Failure>,
    pub(super) marks: BTreeMap<Name, u64>,
}

/// Why reports are of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is none.
    #[error("{}: not a report of a search: {source}", path.display())]
    Form {
        /// Where.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It was written by another version.
    #[error("{}: a report of version {version}, this is {VERSION}", path.display())]
    Version {
        /// Where.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// It is of another search.
    #[error("{}: a report of another search: {}", path.display(), text)]
    Other {
        /// Where.
        path: PathBuf,
        /// What it is of.
        text: String,
    },
    /// It holds a shard that another one holds.
    #[error("{}: shard {shard} is in another report, too", path.display())]
    Twice {
        /// Where.
        path: PathBuf,
        /// Which.
        shard: Shard,
    },
}

impl Report {
    /// Of a search that found so much, and before that, so much.
    pub(super) fn of(plan: &Plan<'_>, findings: &Findings, interrupted: bool, before: &[Failure]) -> Self {
        let part = Part {
            shard: plan.shard,
            done: findings.done.clone(),
            runs: findings.total,
            interrupted,
            gave_up: findings.gave_up,
        };
        let mut failures = before.to_vec();
        failures.extend(findings.failures.iter().map(failure));
        failures.sort_by_key(|failure| failure.run);
        Self {
            version: VERSION,
            search: Search::of(plan),
            parts: vec![part],
            jobs: plan.jobs.get(),
            wall_seconds: findings.elapsed.as_secs_f64(),
            tallies: findings.tallies.iter().map(|(_, tally)| tally.clone()).collect(),
            recorded: findings.recorded.iter().map(|recorded| points(plan.plays, recorded)).collect(),
            failures,
            marks: findings.marks.clone(),
        }
    }

    /// From a file.
    pub(super) fn read(path: &Path) -> Result<Self, ReportError> {
        let bytes =
            std::fs::read(path).map_err(|source| ReportError::File { path: path.to_owned(), source })?;
        let report: Self = serde_json::from_slice(&bytes)
            .map_err(|source| ReportError::Form { path: path.to_owned(), source })?;
        match report.version {
            VERSION => Ok(report),
            version => Err(ReportError::Version { path: path.to_owned(), version }),
        }
    }

    /// Into a file, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), ReportError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        let json = serde_json::to_vec_pretty(self).expect("numbers and strings are JSON");
        std::fs::write(&part, json)
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(|source| ReportError::File { path: path.to_owned(), source })
    }

    /// What a search goes on from, if this is a report of it.
    pub(super) fn before(&self, path: &Path, plan: &Plan<'_>) -> Result<Before, ReportError> {
        let search = Search::of(plan);
        let same = self.search == search && self.parts.iter().map(|part| part.shard).eq([plan.shard]);
        if !same {
            return Err(ReportError::Other { path: path.to_owned(), text: self.told() });
        }
        Ok(Before {
            done: self.parts[0].done.clone(),
            tallies: self.tallies.clone(),
            marks: self.marks.clone(),
            failures: self.failures.len() as u64,
            elapsed: std::time::Duration::try_from_secs_f64(self.wall_seconds).unwrap_or_default(),
        })
    }

    /// Adds what other shards of the same search have come to.
    pub(super) fn join(&mut self, path: &Path, other: Self) -> Result<(), ReportError> {
        let path = path.to_owned();
        if other.search != self.search || other.parts[0].shard.of != self.parts[0].shard.of {
            return Err(ReportError::Other { path, text: other.told() });
        }
        for part in other.parts {
            if self.parts.iter().any(|each| each.shard == part.shard) {
                return Err(ReportError::Twice { path, shard: part.shard });
            }
            self.parts.push(part);
        }
        self.parts.sort_by_key(|part| part.shard);
        self.jobs += other.jobs;
        self.wall_seconds = self.wall_seconds.max(other.wall_seconds);
        for (tally, more) in self.tallies.iter_mut().zip(&other.tallies) {
            tally.join(more);
        }
        self.failures.extend(other.failures);
        self.failures.sort_by_key(|failure| failure.run);
        for (mark, hits) in other.marks {
            *self.marks.entry(mark).or_default() += hits;
        }
        Ok(())
    }

    /// Whether each shard in it was done to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.parts.iter().all(Part::is_whole)
    }

    /// The shards of the search that are not in it.
    pub(super) fn missing(&self) -> Vec<Shard> {
        let of = self.parts[0].shard.of;
        let all = (1..=of).map(|number| Shard { number, of });
        all.filter(|shard| self.parts.iter().all(|part| part.shard != *shard)).collect()
    }

    /// What it is of, in a few words.
    fn told(&self) -> String {
        let Search { scenarios, strategy, start, seeds, .. } = &self.search;
        let shards: Vec<_> = self.parts.iter().map(|part| part.shard.to_string()).collect();
        let seeds = seeds.map_or_else(|| "for a time".to_owned(), |seeds| format!("{seeds} seeds"));
        let (scenarios, shards) = (scenarios.join(","), shards.join(","));
        format!("{scenarios} by {strategy}, {seeds} from {start} on, shard {shards}")
    }
}

impl Search {
    fn of(plan: &Plan<'_>) -> Self {
        Self {
            scenarios: plan.plays.iter().map(|play| Cow::Borrowed(play.name())).collect(),
            strategy: plan.strategy.to_string(),
            start: plan.start.0,
            seeds: match plan.limit {
                Limit::Seeds(seeds) => Some(seeds),
                Limit::Time(_) => None,
            },
            verified: plan.verify.is_some(),
            hosted: sim::is_hosted(),
        }
    }
}

fn points(plays: &[&dyn Play], recorded: &Recorded) -> Points {
    let Recorded { play, seed, recording, .. } = recorded;
    let points = recording.points.iter().map(|(kind, count)| (Cow::Borrowed(kind.name()), *count));
    Points {
        scenario: Cow::Borrowed(plays[*play].name()),
        seed: *seed,
        points: points.collect(),
        inapplicable: recording.inapplicable,
        equal: recording.equal,
        runs: recording.single,
        pairs: recording.paired,
    }
}

/// The one line that shows a failure again. One between processes does not show where there is only one.
pub(super) fn replay_line(failed: &Failed) -> String {
    let Failed { play, seed, options, why, .. } = failed;
    let between = match why {
        Why::Law(_) | Why::Missed(_) => false,
        Why::Diverged(divergence) => divergence.others == IN_A_FRESH_PROCESS,
        Why::Fresh(_) => true,
    };
    if between {
        let strategy = match options {
            // The run by itself is one of a search of its seed alone.
            _ if flags(options).is_empty() => String::new(),
            RunOptions { swarm: true, .. } => " --strategy swarm".to_owned(),
            RunOptions { .. } => return format!("cargo replay {play}:{seed}{}", flags(options)),
        };
        format!("cargo explore --scenario {play} --start {seed} --seeds 1{strategy} --verify")
    } else {
        format!("cargo replay {play}:{seed}{}", flags(options))
    }
}

fn failure(failed: &Failed) -> Failure {
    let determinism = |text| (Cow::Borrowed("determinism"), None, text);
    let (law, at_seconds, text) = match &failed.why {
        Why::Law(broken) => (Cow::Borrowed(broken.law), Some(broken.at.0 as f64 / 1e9), broken.text.clone()),
        Why::Diverged(divergence) => determinism(divergence.to_string()),
        Why::Fresh(error) => determinism(error.to_string()),
        Why::Missed(_) => determinism(failed.why.to_string()),
    };
    Failure {
        run: failed.index,
        scenario: Cow::Borrowed(failed.play),
        seed: failed.seed,
        law,
        at_seconds,
        text,
        digest: format!("{:032x}", failed.digest),
        replay: replay_line(failed),
    }
}
