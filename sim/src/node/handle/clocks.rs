//! What a script does to a node's clocks.

use std::time::Duration;

use crate::clock::DRIFT_MAX;
use crate::node::handle::Node;
use crate::options::Ratio;

/// Its clocks. Timers of its process follow its monotonic clock; disk and network take true time.
impl Node {
    /// Steps its wall clock, forward or back.
    pub fn step_wall(&self, milliseconds: i64) {
        self.fault(|| format!("its wall clock steps by {milliseconds} ms"));
        self.core.step_wall(self.id, milliseconds);
    }

    /// Lets both its clocks run fast (above zero) or slow (below) by so many parts per million, in place of an earlier
    /// drift. What they are ahead or behind by then, they stay.
    ///
    /// # Panics
    /// Beyond [`DRIFT_MAX`].
    pub fn drift_clocks(&self, ppm: i32) {
        assert!(
            ppm.unsigned_abs() <= DRIFT_MAX,
            "a drift of {ppm} parts per million: the limit is {DRIFT_MAX}"
        );
        self.fault(|| format!("its clocks drift by {ppm} parts per million"));
        self.core.drift_clocks(self.id, i64::from(ppm));
    }

    /// Lets both its clocks stand still, as in a guest whose host stops its timekeeping: its tasks run, its timers do
    /// not.
    pub fn freeze_clocks(&self) {
        self.fault(|| "its clocks stand still".to_owned());
        self.core.freeze_clocks(self.id, true);
    }

    /// Lets its clocks go on, from where they stand.
    pub fn thaw_clocks(&self) {
        self.fault(|| "its clocks go on".to_owned());
        self.core.freeze_clocks(self.id, false);
    }

    /// Lets timers that its process starts from here on fire late, so many out of so many, by at most `most` (in whole
    /// microseconds, `timer/NODE`); never earlier. [`Ratio::NEVER`] ends it, and so does less than a microsecond.
    ///
    /// # Panics
    /// If they are so many out of none.
    pub fn delay_timers(&self, odds: Ratio, most: Duration) {
        odds.check("late timers");
        self.fault(|| format!("{} of {} of its timers are late by up to {most:?}", odds.num, odds.den));
        self.core.delay_timers(self.id, odds, most);
    }
}
