//! A write: what changes by it, who waits for it, and what it lets run.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::BodyId;
use protocol::time::Wall;

use super::settle::Wait;
use super::{Delete, Effect, JobId, Put, Row, RunRow};
use crate::storing::Attempt;

/// A write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Flight {
    /// Schedules as they are afterwards; none where there is none any more.
    pub(super) rows: BTreeMap<JobId, Option<Row>>,
    pub(super) runs: Vec<RunRow>,
    /// The alarm of the actor's own code, if it changes.
    pub(super) own: Option<Option<Wall>>,
    /// Of which schedules runs are forgotten, below which number.
    pub(super) forgotten: BTreeMap<JobId, u64>,
    /// When what it puts back is due: the engine keeps its alarm meanwhile.
    pub(super) returned: Vec<Wall>,
    /// What runs afterwards, in order.
    pub(super) claims: Vec<Claim>,
    /// Who is answered afterwards.
    pub(super) waits: Vec<Wait>,
    /// Payloads that nobody needs afterwards.
    pub(super) drops: Vec<BodyId>,
}

/// A schedule that runs once the write is durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    /// As it was when it was due.
    pub(super) before: Row,
    /// Whether that is all it does.
    pub(super) last: bool,
}

impl Flight {
    /// Whether it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.runs.is_empty() && self.forgotten.is_empty() && self.own.is_none()
    }

    /// Rows that it stores, and that it deletes.
    pub(super) fn size(&self) -> (usize, usize) {
        let kept = self.rows.values().flatten().count();
        let (set, cleared) = (usize::from(self.own.flatten().is_some()), usize::from(self.own == Some(None)));
        (kept + self.runs.len() + set, self.rows.len() - kept + self.forgotten.len() + cleared)
    }

    /// Payload bytes that it stores.
    pub(super) fn bytes(&self) -> usize {
        self.rows.values().flatten().map(|row| row.bytes).sum()
    }

    /// A schedule as it will be.
    pub(super) fn row<'a>(&'a self, jobs: &'a BTreeMap<JobId, Row>, id: JobId) -> Option<&'a Row> {
        self.rows.get(&id).map_or_else(|| jobs.get(&id), Option::as_ref)
    }

    /// All schedules as they will be, in no order that means anything.
    pub(super) fn all<'a>(&'a self, jobs: &'a BTreeMap<JobId, Row>) -> impl Iterator<Item = &'a Row> {
        let untouched = jobs.values().filter(|row| !self.rows.contains_key(&row.id));
        untouched.chain(self.rows.values().flatten())
    }

    /// What the driver is asked to do. Runs are deleted before the schedule they are of: nothing else leads to them.
    pub(super) fn effect(&self, attempt: Attempt) -> Effect {
        let rows = self.rows.values().flatten().cloned().map(Put::Job);
        let own = self.own.flatten().map(Put::Alarm);
        let puts = rows.chain(self.runs.iter().cloned().map(Put::Run)).chain(own).collect();
        let runs = self.forgotten.iter().map(|(job, below)| Delete::Runs { job: *job, below: *below });
        let gone = self.rows.iter().filter(|(_, row)| row.is_none()).map(|(job, _)| Delete::Job(*job));
        let own = (self.own == Some(None)).then_some(Delete::Alarm);
        Effect::Write { attempt, puts, deletes: runs.chain(gone).chain(own).collect() }
    }

    /// Panics where it contradicts itself.
    pub(super) fn check(&self, jobs: &BTreeMap<JobId, Row>) {
        let mut ids = BTreeSet::new();
        for claim in &self.claims {
            let id = claim.before.id;
            assert!(ids.insert(id), "{id:?} runs once per write");
            let after = self.row(jobs, id);
            assert_eq!(claim.last, after.is_none(), "{id:?} is gone when it runs for the last time");
            let running = after.and_then(|row| row.running).map(|running| running.due);
            assert!(claim.last || running == Some(claim.due()), "{id:?} is marked as running");
        }
    }
}

impl Claim {
    pub(super) const fn due(&self) -> Wall {
        self.before.next
    }
}
