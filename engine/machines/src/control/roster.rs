//! The runners that are not lost, each in a seat that it keeps for life: what stands in an index names the seat, so that
//! whoever is drawn is found without a search.

use std::collections::BTreeMap;
use std::ops::Index;

use protocol::id::RunnerId;

use super::placement::{Seat, Stand, Stands};
use super::runner::Runner;

/// Runners by id and by seat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Roster {
    seats: BTreeMap<RunnerId, Seat>,
    rows: Vec<Option<Runner>>,
    /// Seats that nobody has, the one left last at the end.
    free: Vec<Seat>,
}

impl Roster {
    /// Seats a runner.
    ///
    /// # Panics
    /// When it is seated already.
    pub(super) fn insert(&mut self, runner: Runner) {
        let seat = self.free.pop().unwrap_or_else(|| {
            self.rows.push(None);
            Seat::new(self.rows.len() - 1)
        });
        let former = self.seats.insert(runner.record.id, seat);
        assert!(former.is_none(), "a runner is entered once");
        self.rows[seat.number()] = Some(runner);
    }

    pub(super) fn remove(&mut self, id: RunnerId) -> Option<Runner> {
        let seat = self.seats.remove(&id)?;
        self.free.push(seat);
        self.rows[seat.number()].take()
    }

    pub(super) fn seat(&self, id: RunnerId) -> Option<Seat> {
        self.seats.get(&id).copied()
    }

    pub(super) fn at(&self, seat: Seat) -> &Runner {
        self.rows[seat.number()].as_ref().expect("a seat that was given out is taken")
    }

    pub(super) fn at_mut(&mut self, seat: Seat) -> &mut Runner {
        self.rows[seat.number()].as_mut().expect("a seat that was given out is taken")
    }

    pub(super) fn get(&self, id: &RunnerId) -> Option<&Runner> {
        Some(self.at(self.seat(*id)?))
    }

    pub(super) fn get_mut(&mut self, id: &RunnerId) -> Option<&mut Runner> {
        let seat = self.seat(*id)?;
        Some(self.at_mut(seat))
    }

    pub(super) fn contains_key(&self, id: &RunnerId) -> bool {
        self.seats.contains_key(id)
    }

    /// In the order of their ids.
    pub(super) fn values(&self) -> impl Iterator<Item = &Runner> {
        self.seats.values().map(|seat| self.at(*seat))
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }
}

impl Index<&RunnerId> for Roster {
    type Output = Runner;

    fn index(&self, id: &RunnerId) -> &Runner {
        self.get(id).expect("a runner that is named is known")
    }
}

impl Stands for Roster {
    fn stand_mut(&mut self, seat: Seat) -> &mut Stand {
        self.at_mut(seat).stand.as_mut().expect("who is in an index stands there")
    }
}
