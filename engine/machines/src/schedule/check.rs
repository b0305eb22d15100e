//! What always holds of an actor's schedules.

use std::collections::BTreeSet;

use super::{JOB_NAME_BYTES_MAX, Phase, RUNS_MAX, Recurs, Row, Schedule};

impl Schedule {
    /// Walks the whole state.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        let mut names = BTreeSet::new();
        for (id, row) in &self.jobs {
            assert_eq!(*id, row.id, "a schedule is found by its id");
            assert!(*id <= self.last, "ids count up");
            assert!(row.name.as_ref().is_none_or(|name| names.insert(name)), "one schedule per name");
            self.check_row(row);
        }
        assert!(self.jobs.len() <= self.options.jobs_max, "schedules are bounded");
        let runs: u64 = self.jobs.values().map(Row::runs).sum();
        assert!(runs <= self.options.runs_total_max, "remembered runs are bounded");
        if let Some(flight) = self.write.change() {
            flight.check(&self.jobs);
            let (puts, deletes) = flight.size();
            let most = self.options.write_rows_max + 2;
            assert!(puts <= most && deletes <= most, "a write is bounded: {puts} puts, {deletes} deletes");
        }
        for id in self.ended.keys() {
            let row = self.jobs.get(id);
            assert!(row.is_none_or(|row| row.running.is_some()), "{id:?} ran, and has ended");
        }
        self.check_phase();
    }

    fn check_row(&self, row: &Row) {
        let id = row.id;
        assert!(row.runs_from <= row.runs_to, "{id:?} counts its runs up");
        assert!(row.runs() <= u64::from(row.runs_max), "{id:?} remembers no more than it wants");
        assert!(row.runs_max <= RUNS_MAX, "{id:?} remembers no more than may be");
        assert!(row.recurs != Recurs::Never || row.runs_max == 0, "{id:?} runs once and remembers nothing");
        assert!(row.name.as_ref().is_none_or(|name| name.len() <= JOB_NAME_BYTES_MAX), "{id:?} has a name");
        assert!(row.bytes <= self.options.body_bytes_max, "{id:?} has a bounded payload");
    }

    fn check_phase(&self) {
        if self.write.is_idle() && self.phase != Phase::Starting {
            // What the machine may do at once, it has done.
            let waits = self.pending.len() + self.ended.len() + self.returned.len();
            assert_eq!(waits, 0, "nothing waits for a write that does not run");
        }
        match self.phase {
            Phase::Starting | Phase::Awake => assert!(self.returned.is_empty(), "nothing is put back"),
            Phase::Suspended => {}
            Phase::Destroyed => {
                assert_eq!(self.alarm_wanted(), None, "nobody wakes it");
                assert!(self.pending.is_empty() && self.ended.is_empty(), "nothing is done for it");
            }
        }
    }
}
