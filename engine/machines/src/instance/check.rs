//! What always holds of an instance.

use std::collections::BTreeSet;

use super::{Hook, Instance, Phase, WorkKind};

impl Instance {
    /// Walks the whole state.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        let due: BTreeSet<_> =
            self.work.iter().filter_map(|(ticket, work)| Some((work.by?, *ticket))).collect();
        assert_eq!(self.due, due, "each work whose time runs has one deadline");
        assert!(self.work.len() <= self.options.work_max, "work is bounded");
        assert_eq!(self.idle.is_some(), self.may_sleep(), "the clock runs while nothing keeps it awake");
        assert!(
            self.save.due.is_some() || self.save.waiting.is_empty(),
            "whoever waits for a write waits for one that will begin"
        );
        assert!(
            self.save.dirty == self.save.due.is_some(),
            "a write is due because there is something to write"
        );
        self.check_phase();
    }

    fn check_phase(&self) {
        let hooks = |expected: &[Hook]| self.hooks.iter().eq(expected);
        match &self.phase {
            Phase::Fresh | Phase::Ended => {
                assert!(hooks(&[]) && self.work.is_empty(), "nothing runs before and after");
                assert_eq!(self.next_deadline(), None, "nothing is due before and after");
                assert!(!self.save.is_pending(), "nothing is written before and after");
            }
            Phase::Loading { .. } => assert!(hooks(&[]), "nothing runs on a state that is not there"),
            Phase::Creating { .. } => assert!(hooks(&[Hook::Create]), "it is being created"),
            Phase::Starting { .. } => assert!(hooks(&[Hook::Start]), "it is being started"),
            Phase::Keeping { .. } => {
                assert!(hooks(&[]), "its hooks have returned");
                assert!(self.save.is_pending(), "its first state is being written");
            }
            Phase::Running => {
                assert!(hooks(&[]) || hooks(&[Hook::Run]), "it does what it is asked");
            }
            Phase::Stopping { .. } => {
                assert!(self.farewell.is_some(), "it is told that it stops");
                assert!(
                    !self.hooks.is_empty() || !self.work.is_empty() || self.keeps > 0,
                    "it waits for something"
                );
            }
            Phase::Saving { .. } => {
                assert!(hooks(&[]) && self.work.is_empty(), "nothing changes what is written last");
                assert!(self.save.is_pending(), "something is written");
            }
        }
        if matches!(self.phase, Phase::Fresh | Phase::Loading { .. }) {
            assert!(
                self.work.values().all(|work| work.kind == WorkKind::Task),
                "nobody asks before it starts"
            );
        }
    }
}
