//! When cron is due: beside a search minute by minute, and around the days on which clocks are set.

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};
use machines::schedule::{Cron, ScheduleError};
use proptest::prelude::*;
use protocol::time::Wall;

fn wall(text: &str) -> Wall {
    Wall::from_wire(text.parse::<Timestamp>().expect("a time").as_millisecond())
}

fn shown(at: Wall) -> String {
    Timestamp::from_millisecond(at.to_wire()).expect("a time in range").to_string()
}

/// The next occurrences, in UTC.
fn following(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::new(expression, zone).expect("five fields and a zone");
    let next = |at: &Wall| cron.next_after(*at);
    std::iter::successors(cron.next_after(wall(after)), next).take(count).map(shown).collect()
}

#[test]
fn a_time_that_the_clocks_skip_is_no_occurrence() {
    // In Berlin 02:00 to 03:00 is skipped on 29 March 2026.
    let days = following("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3);
    assert_eq!(days, ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]);
    let hours = following("0 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2);
    assert_eq!(hours, ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]);
}

#[test]
fn a_time_that_comes_twice_is_one_occurrence() {
    // In Berlin 02:00 to 03:00 comes twice on 25 October 2026.
    let days = following("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(days, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    let again = following("*/20 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", 3);
    assert_eq!(again, ["2026-10-25T00:40:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:20:00Z"]);
}

#[test]
fn a_day_that_a_zone_skipped_and_days_that_are_rare_are_found() {
    // Samoa had no 30 December 2011.
    let days = following("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 2);
    assert_eq!(days, ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"]);
    let minutes = following("* * 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00Z", 1);
    assert_eq!(minutes, ["2012-12-29T10:00:00Z"]);
    assert_eq!(following("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ["2104-02-29T00:00:00Z"]);
    assert_eq!(following("0 0 29 2 */7", "UTC", "2088-03-01T00:00:00Z", 1), ["2128-02-29T00:00:00Z"]);
}

#[test]
fn what_cannot_be_read_or_never_comes_is_refused() {
    // A sixth field would be looked up as a time zone in the files of the system.
    for expression in
        ["", "* * * *", "* * * * * UTC", "60 * * * *", "@daily", &format!("{} * * * *", "1,".repeat(200))]
    {
        let refused = Cron::new(expression, "UTC");
        assert!(matches!(refused, Err(ScheduleError::BadCron { .. })), "{expression}: {refused:?}");
    }
    for zone in ["", "Europe/Atlantis", "../etc/passwd", "+01:00"] {
        let refused = Cron::new("* * * * *", zone);
        assert!(matches!(refused, Err(ScheduleError::UnknownZone { .. })), "{zone}: {refused:?}");
    }
    assert_eq!(Cron::new("0 0 30 2 *", "UTC").unwrap().next_after(Wall(0)), None);
    for end in [Wall::MAX, wall("9000-01-01T00:00:00Z")] {
        assert_eq!(Cron::new("* * * * *", "UTC").unwrap().next_after(end), None, "{end:?}");
    }
}

/// Every minute of the zone's clocks is looked at, one after the other; one that was shown before counts no more.
fn by_minutes(matches: impl Fn(DateTime) -> bool, zone: &TimeZone, after: Timestamp) -> Timestamp {
    let minute = after.as_second().div_euclid(60) * 60;
    let start = Timestamp::from_second(minute).expect("a time in range");
    let civil = |at: Timestamp| zone.to_datetime(at);
    let mut latest =
        (-180..=0).map(|back| civil(start + (60_i64 * back).seconds())).max().expect("three hours");
    let mut at = start;
    loop {
        at += 60.seconds();
        let shows = civil(at);
        if shows > latest {
            latest = shows;
            if matches(shows) {
                return at;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cron_is_due_when_a_search_by_minutes_finds_it(
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]),
        // Around the days of 2026 on which one of them sets its clocks.
        day in prop::sample::select(vec![
            "2026-03-08T00:00:00Z", "2026-03-29T00:00:00Z", "2026-04-04T00:00:00Z", "2026-04-24T00:00:00Z",
            "2026-10-03T00:00:00Z", "2026-10-25T00:00:00Z", "2026-10-29T00:00:00Z", "2026-11-01T00:00:00Z",
        ]),
        second in -40_000_i64..100_000,
        step in 1_i8..40,
        from in 0_i8..4,
    ) {
        let cron = Cron::new(&format!("*/{step} {from}-{} * * *", from + 3), zone).unwrap();
        let after = day.parse::<Timestamp>().unwrap() + second.seconds();
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        let of_it = |at: DateTime| (from..=from + 3).contains(&at.hour()) && at.minute() % step == 0;
        let expected = by_minutes(of_it, &zone, after);
        let found = cron.next_after(Wall::from_wire(after.as_millisecond())).unwrap();
        prop_assert_eq!(shown(found), expected.to_string());
    }
}
