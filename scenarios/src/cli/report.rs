//! What a search, or a shard of one, has come to: what `--report` writes, `--resume` goes on from and `merge` joins.
//!
//! A report says of which [`Search`] it is, which [`Part`]s of it were done, and which [`Failure`]s were found.

mod damage;
mod error;
mod failure;
mod part;
mod points;
mod search;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::search::tally::Name;
use crate::search::{Before, Course, Findings, Plan, Shard, Tally};
use crate::whole::write_whole;

pub(super) use error::ReportError;
pub(super) use failure::{Failure, replay_line};
pub(super) use part::{Part, State};
pub(super) use points::Points;
pub(super) use search::{Search, Skipped};

/// Written into each report, and raised when one of before cannot be read any more.
const VERSION: u32 = 2;

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

impl Report {
    /// Of a search that found so much, and before that, so much; of one that goes on, or is in its last state.
    pub(super) fn of(plan: &Plan<'_>, findings: &Findings, state: State, before: &[Failure]) -> Self {
        let part = Part { shard: plan.shard, done: findings.done.clone(), runs: findings.total, state };
        let mut failures = before.to_vec();
        failures.extend(findings.failures.iter().map(Failure::of));
        failures.sort_by_key(|failure| failure.run);
        Self {
            version: VERSION,
            search: Search::of(plan),
            parts: vec![part],
            jobs: plan.jobs.get(),
            wall_seconds: findings.elapsed.as_secs_f64(),
            tallies: findings.tallies.iter().map(|(_, tally)| tally.clone()).collect(),
            recorded: Points::of_all(plan.plays, &findings.recorded),
            failures,
            marks: findings.marks.clone(),
        }
    }

    /// From a file.
    pub(super) fn read(path: &Path) -> Result<Self, ReportError> {
        let bytes =
            std::fs::read(path).map_err(|source| ReportError::File { path: path.to_owned(), source })?;
        let form = |source| ReportError::Form { path: path.to_owned(), source };
        // What another version wrote has other fields.
        let Version { version } = serde_json::from_slice(&bytes).map_err(form)?;
        if version != VERSION {
            return Err(ReportError::Version { path: path.to_owned(), version });
        }
        let report: Self = serde_json::from_slice(&bytes).map_err(form)?;
        match report.damage() {
            None => Ok(report),
            Some(what) => Err(ReportError::Damaged { path: path.to_owned(), what }),
        }
    }

    /// Into a file, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), ReportError> {
        let json = serde_json::to_vec_pretty(self).expect("numbers and strings are JSON");
        write_whole(path, &json).map_err(|source| ReportError::File { path: path.to_owned(), source })
    }

    /// Whether this is a report of that search, and of its shard.
    pub(super) fn belongs_to(&self, path: &Path, plan: &Plan<'_>) -> Result<(), ReportError> {
        let search = Search::of(plan);
        if self.search == search && self.parts.iter().map(|part| part.shard).eq([plan.shard]) {
            return Ok(());
        }
        Err(self.refused(path, search.told(&[plan.shard])))
    }

    /// What a search that this belongs to goes on from, if its runs are those of the report.
    pub(super) fn before(
        &self,
        path: &Path,
        plan: &Plan<'_>,
        course: &Course<'_>,
    ) -> Result<Before, ReportError> {
        let tallies: Vec<_> = plan.plays.iter().map(|play| Tally::of(*play, plan.world)).collect();
        self.is_like(path, &tallies, &Points::of_all(plan.plays, course.recorded()))?;
        Ok(Before {
            done: self.parts[0].done.clone(),
            tallies: self.tallies.clone(),
            marks: self.marks.clone(),
            failures: self.failures.len() as u64,
            elapsed: Duration::try_from_secs_f64(self.wall_seconds).unwrap_or_default(),
        })
    }

    /// Adds what other shards of the same search have come to.
    pub(super) fn join(&mut self, path: &Path, other: Self) -> Result<(), ReportError> {
        if other.search != self.search || other.parts[0].shard.of != self.parts[0].shard.of {
            return Err(other.refused(path, self.told()));
        }
        other.is_like(path, &self.tallies, &self.recorded)?;
        let path = path.to_owned();
        for part in other.parts {
            if self.parts.iter().any(|each| each.shard == part.shard) {
                return Err(ReportError::Twice { path, shard: part.shard });
            }
            self.parts.push(part);
        }
        self.parts.sort_by_key(|part| part.shard);
        self.jobs = self.jobs.saturating_add(other.jobs);
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

    /// Whether plays and points of the same code have these tallies and recordings: commits are not always known.
    fn is_like(&self, path: &Path, tallies: &[Tally], recorded: &[Points]) -> Result<(), ReportError> {
        let of = |what| Err(ReportError::Code { path: path.to_owned(), what });
        if !self.tallies.iter().zip(tallies).all(|(one, other)| one.is_like(other)) {
            return of("its scenarios declare other faults");
        }
        if self.recorded != recorded {
            return of("its scenarios have other points");
        }
        Ok(())
    }

    /// Why it cannot be taken for the report of a search of which this is told.
    fn refused(&self, path: &Path, ours: String) -> ReportError {
        ReportError::Other { path: path.to_owned(), theirs: self.told(), ours }
    }

    /// What it is of, in a few words.
    fn told(&self) -> String {
        let shards: Vec<_> = self.parts.iter().map(|part| part.shard).collect();
        self.search.told(&shards)
    }
}

/// What is the same in reports of every version.
#[derive(Deserialize)]
struct Version {
    version: u32,
}
