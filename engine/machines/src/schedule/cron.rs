//! Cron: five fields and a time zone, and when they come next.
//!
//! The expression is searched by civil time, as if all days had 24 hours; the zone says afterwards which moment a civil
//! time is. One that its zone skips (the clocks go forward) is no occurrence, one that comes twice (they go back) is
//! one, the first. Zones come out of the database that is compiled in.

use std::time::Duration;

use cronexpr::{FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use protocol::error::UserText;
use protocol::mark;
use protocol::time::Wall;

use super::ScheduleError;

/// Longest expression in bytes. Ours: each minute of an hour in a list takes 170.
pub const CRON_BYTES_MAX: usize = 256;

/// Longest name of a time zone in bytes. Ours: the longest in use has 32.
pub const ZONE_BYTES_MAX: usize = 64;

/// Civil times that are looked at for one occurrence. Ours: what lies in a day that a zone skips or repeats (Samoa did),
/// twice, minute by minute.
const CANDIDATES_MAX: usize = 2 * 24 * 60;

/// Spans of four years, the library's, that are searched for one occurrence: 29 February is on a given weekday once in 28
/// years, and once in 40 around a century that skips it.
const SPANS_MAX: usize = 11;

/// From then on nothing is searched: 9000-01-01 UTC, far from where the calendar library ends.
const SEARCH_END: Wall = Wall(221_845_392_000_000);

/// When something recurs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cron {
    expression: String,
    zone: String,
}

impl Cron {
    /// Five fields (minute, hour, day of month, month, day of week) in the civil time of an IANA time zone.
    ///
    /// # Errors
    /// When either cannot be read or is too long. That there is an occurrence is not looked at.
    pub fn new(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let cron = Self { expression: expression.to_owned(), zone: zone.to_owned() };
        // A sixth field would be taken as a time zone, and looked up in the files of the system.
        if expression.len() > CRON_BYTES_MAX || expression.split_whitespace().count() != 5 {
            let reason = UserText::from("five fields are expected");
            return Err(ScheduleError::BadCron { reason });
        }
        cron.parsed()
            .map_err(|error| ScheduleError::BadCron { reason: UserText::new(&error.to_string()) })?;
        if zone.len() > ZONE_BYTES_MAX || cron.time_zone().is_none() {
            return Err(ScheduleError::UnknownZone { zone: UserText::new(zone) });
        }
        Ok(cron)
    }

    /// One that was stored: what this version of the libraries does not read comes due no more.
    pub const fn restore(expression: String, zone: String) -> Self {
        Self { expression, zone }
    }

    /// The five fields, as they were given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The name of the time zone, as it was given.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// The first occurrence after that moment; none when there is none within decades, or when a library of today no
    /// longer reads what one of earlier has read.
    pub fn next_after(&self, after: Wall) -> Option<Wall> {
        let cron = self.parsed().ok()?;
        let zone = self.time_zone()?;
        let mut civil = civil_at(&zone, after)?;
        for _ in 0..CANDIDATES_MAX {
            civil = next_civil(&cron, civil)?;
            let offset = match zone.to_ambiguous_timestamp(civil).offset() {
                AmbiguousOffset::Unambiguous { offset } => offset,
                AmbiguousOffset::Fold { before, .. } => before,
                AmbiguousOffset::Gap { .. } => {
                    mark!("schedule_cron_gap");
                    continue;
                }
            };
            let at = Wall::from_wire(offset.to_timestamp(civil).ok()?.as_millisecond());
            if at > after {
                return Some(at);
            }
            mark!("schedule_cron_fold");
        }
        None
    }

    fn parsed(&self) -> Result<cronexpr::Crontab, cronexpr::Error> {
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        cronexpr::parse_crontab_with(&self.expression, options)
    }

    fn time_zone(&self) -> Option<TimeZone> {
        TimeZoneDatabase::bundled().get(&self.zone).ok()
    }
}

/// What the clocks of the zone show at that moment.
fn civil_at(zone: &TimeZone, at: Wall) -> Option<DateTime> {
    Some(zone.to_datetime(Timestamp::from_millisecond(at.to_wire()).ok()?))
}

/// The first civil time after this one that the expression names.
fn next_civil(cron: &cronexpr::Crontab, after: DateTime) -> Option<DateTime> {
    let mut from = TimeZone::UTC.to_timestamp(after).ok()?;
    for _ in 0..SPANS_MAX {
        if from.as_millisecond() >= SEARCH_END.to_wire() {
            return None;
        }
        // Its only error is that it found nothing in four years.
        if let Ok(found) = cron.find_next(MakeTimestamp(from)) {
            return Some(found.datetime());
        }
        from = from.checked_add(Duration::from_secs(4 * 365 * 24 * 60 * 60)).ok()?;
    }
    mark!("schedule_cron_never");
    None
}
