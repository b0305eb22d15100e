//! Stories of an actor's schedules.

use std::time::Duration;

use machines::schedule::{
    Answer, CRON_BYTES_MAX, Ended, Input, Job, JobId, Options, Outcome, RUNS_MAX, Row, ScheduleError, When,
    Which,
};
use protocol::id::{BodyId, Ticket};
use protocol::time::Wall;

use crate::schedule_world::World;

const SECOND: Duration = Duration::from_secs(1);

fn world() -> World {
    World::new(Options::default())
}

fn every(seconds: u64) -> When {
    When::Every(Duration::from_secs(seconds))
}

fn after(seconds: u64) -> When {
    When::After(Duration::from_secs(seconds))
}

/// Milliseconds since the world began.
fn at(ms: u64) -> Wall {
    Wall(1_000_000 + ms)
}

fn job(world: &World, ticket: Ticket) -> JobId {
    match world.told.get(&ticket) {
        Some(Ok(Answer::Set { job, .. })) => *job,
        told => panic!("it is scheduled, not {told:?}"),
    }
}

/// What ran, by payload and the second it was due.
fn ran(world: &World) -> Vec<(u64, u64)> {
    world.ran.iter().map(|(_, due, body)| (body.0, (due.0 - 1_000_000) / 1_000)).collect()
}

fn outcomes(world: &World) -> Vec<(u64, Outcome)> {
    world.runs.values().map(|run| (run.number, run.outcome.clone())).collect()
}

#[test]
fn what_was_asked_for_runs_in_the_order_in_which_it_is_due() {
    let mut world = world();
    for seconds in [3, 1, 2, 2] {
        world.set(None, after(seconds), None);
    }
    world.set(None, When::At(at(2_500)), None);
    world.pass(Duration::from_secs(4), true);
    assert_eq!(ran(&world), [(2, 1), (3, 2), (4, 2), (5, 2), (1, 3)]);
    assert!(world.rows.is_empty() && world.alarm.is_none(), "nothing is left");
}

#[test]
fn whoever_asks_is_told_when_the_row_and_an_alarm_that_is_early_enough_are_stored() {
    let mut world = world();
    let first = world.set(None, after(10), None);
    assert_eq!(world.setting, None, "an alarm follows its row");
    world.write_ends(true, 0);
    assert!(!world.told.contains_key(&first), "the alarm may not be stored");
    world.alarm_ends(true, true);
    assert_eq!(world.told[&first], Ok(Answer::Set { job: JobId(1_000_000_000), next: at(10_000) }));
    // A later one needs no other alarm, an earlier one does; and so does the end of the earliest.
    let later = world.set(None, after(20), None);
    world.write_ends(true, 0);
    assert!(world.told.contains_key(&later) && world.setting.is_none(), "the alarm is early enough");
    let earlier = world.set(None, after(5), None);
    world.write_ends(true, 0);
    assert!(!world.told.contains_key(&earlier));
    world.alarm_ends(true, true);
    assert_eq!(world.alarm, Some(at(5_000)));
    let which = Which::Id(job(&world, earlier));
    let cancelled = world.cancel(which.clone());
    world.write_ends(true, 0);
    assert!(!world.told.contains_key(&cancelled), "the alarm would wake it for nothing");
    world.alarm_ends(true, true);
    assert_eq!(world.told[&cancelled], Ok(Answer::Cancelled { found: true }));
    assert_eq!(world.alarm, Some(at(10_000)));
    let nothing = world.cancel(which);
    assert_eq!(world.told[&nothing], Ok(Answer::Cancelled { found: false }));
}

#[test]
fn a_write_and_an_alarm_that_fail_are_tried_again_until_they_succeed() {
    let mut world = world();
    let ticket = world.set(None, after(20), None);
    for _ in 0..3 {
        world.write_ends(false, 0);
        assert_eq!(world.story.machine.next_deadline().unwrap().1, "schedule write");
        world.idle(5 * SECOND);
        assert!(world.write.is_some(), "it is tried again");
    }
    world.write_ends(true, 0);
    world.alarm_ends(false, false);
    assert_eq!(world.story.machine.next_deadline().unwrap().1, "schedule alarm");
    world.idle(SECOND);
    world.alarm_ends(true, true);
    assert_eq!(world.alarm, Some(at(20_000)));
    job(&world, ticket);
}

#[test]
fn an_alarm_that_failed_is_followed_by_the_one_that_is_wanted_then() {
    let mut world = world();
    world.set(None, after(20), None);
    world.write_ends(true, 0);
    world.alarm_ends(false, true);
    world.set(None, after(9), None);
    world.write_ends(true, 0);
    world.idle(SECOND);
    assert_eq!(world.setting.map(|(_, at)| at), Some(Some(at(9_000))));
}

#[test]
fn who_waits_for_the_store_for_too_long_is_told_that_it_is_not_known() {
    let mut world = world();
    let flying = world.set(None, after(100), None);
    let waiting = world.set(None, after(100), None);
    world.idle(30 * SECOND);
    assert_eq!(world.told[&flying], Err(ScheduleError::Indeterminate));
    assert_eq!(world.told[&waiting], Err(ScheduleError::Indeterminate));
    world.succeed();
    assert_eq!(world.rows.values().map(|row| row.body).collect::<Vec<_>>(), [BodyId(flying.0)]);
}

#[test]
fn what_recurs_keeps_its_phase_and_runs_once_for_all_that_was_missed() {
    let mut world = world();
    world.set(None, every(5), None);
    world.pass(Duration::from_secs(6), true);
    assert_eq!(ran(&world), [(1, 5)]);
    world.suspend();
    world.fall(0);
    world.idle(Duration::from_secs(17));
    world.start();
    world.pass(Duration::from_secs(3), true);
    assert_eq!(ran(&world), [(1, 5), (1, 10), (1, 25)], "at 23 s, for 10, 15 and 20");
}

#[test]
fn what_still_runs_is_not_run_beside_itself() {
    let mut world = world();
    let ticket = world.set(None, every(5), None);
    world.pass(Duration::from_secs(17), false);
    assert_eq!(ran(&world), [(1, 5)]);
    world.end(job(&world, ticket), Ended::Done);
    world.pass(Duration::from_secs(5), false);
    assert_eq!(ran(&world), [(1, 5), (1, 20)]);
}

#[test]
fn a_run_that_was_interrupted_is_told_of_at_the_next_start() {
    let mut world = world();
    let ticket = world.set(None, every(5), None);
    world.pass(Duration::from_secs(5), false);
    assert!(world.rows[&job(&world, ticket)].running.is_some());
    world.fall(0);
    world.start();
    world.pass(Duration::ZERO, true);
    assert_eq!(outcomes(&world), [(0, Outcome::Interrupted)]);
    world.pass(Duration::from_secs(5), true);
    assert_eq!(outcomes(&world), [(0, Outcome::Interrupted), (1, Outcome::Done)]);
}

#[test]
fn of_runs_as_many_are_remembered_as_are_wanted_and_as_an_actor_may() {
    let mut world = World::new(Options { runs_total_max: 4, ..Options::default() });
    let few = world.set(None, every(5), Some(2));
    let none = world.set(None, every(5), Some(0));
    let many = world.set(None, every(5), None);
    world.pass(Duration::from_secs(50), true);
    let of = |ticket| {
        let id = job(&world, ticket);
        world.runs.keys().filter(|(job, _)| *job == id).map(|(_, number)| *number).collect::<Vec<_>>()
    };
    assert_eq!((of(few), of(none), of(many)), (vec![8, 9], vec![], vec![8, 9]));
    let refused = world.set(None, every(5), Some(RUNS_MAX + 1));
    assert_eq!(world.told[&refused], Err(ScheduleError::TooManyRuns { max: RUNS_MAX }));
}

#[test]
fn a_missing_action_ends_its_schedule_unless_it_was_replaced_meanwhile() {
    let mut world = world();
    let first = world.set(Some("a"), every(5), None);
    let second = world.set(Some("b"), every(5), None);
    world.pass(Duration::from_secs(5), false);
    let replaced = world.set(Some("b"), every(5), None);
    world.succeed();
    world.end(job(&world, first), Ended::Missing);
    world.end(job(&world, second), Ended::Missing);
    world.succeed();
    assert_eq!(job(&world, replaced), job(&world, second), "who has the name has the id");
    let left: Vec<(JobId, BodyId)> = world.rows.values().map(|row| (row.id, row.body)).collect();
    assert_eq!(left, [(job(&world, second), BodyId(replaced.0))]);
    assert_eq!(outcomes(&world), [(0, Outcome::Missing)]);
}

#[test]
fn from_the_stop_on_nothing_runs_until_the_wake() {
    let mut world = world();
    let once = world.set(None, after(5), None);
    world.set(None, every(5), None);
    world.pass(Duration::from_millis(4_999), true);
    // Their claims are under way when the stop begins.
    world.idle(Duration::from_millis(1));
    assert!(world.write.is_some());
    world.suspend();
    let later = world.set(None, after(1), None);
    let settled = world.settle();
    world.pass(Duration::from_secs(2), true);
    assert_eq!(ran(&world), []);
    job(&world, later);
    assert_eq!(world.told[&settled], Ok(Answer::Settled));
    assert_eq!(world.alarm, Some(at(5_000)), "the engine wakes it at once");
    world.fall(0);
    world.start();
    world.pass(Duration::ZERO, true);
    assert_eq!(ran(&world), [(once.0, 5), (2, 5), (later.0, 6)]);
}

#[test]
fn an_actor_has_not_settled_while_something_is_being_stored() {
    let mut world = world();
    world.set(None, after(10), None);
    world.succeed();
    world.set(None, after(20), None);
    let settled = world.settle();
    assert!(!world.told.contains_key(&settled), "a row is being stored");
    world.write_ends(true, 0);
    assert_eq!(world.told[&settled], Ok(Answer::Settled), "the alarm is early enough");
    world.set(None, after(5), None);
    world.write_ends(true, 0);
    let settled = world.settle();
    assert!(!world.told.contains_key(&settled), "an alarm is being stored");
}

#[test]
fn what_is_put_back_keeps_its_alarm_meanwhile_and_can_be_cancelled() {
    let mut world = world();
    world.bytes = 100_000;
    let all: Vec<Ticket> = (0..10).map(|_| world.set(None, after(5), None)).collect();
    world.pass(Duration::from_millis(4_999), true);
    world.idle(Duration::from_millis(1));
    world.suspend();
    let which = Which::Id(job(&world, all[9]));
    world.write_ends(true, 0);
    assert!(world.rows.is_empty() && world.setting.is_none(), "they are put back, and the alarm stays");
    let cancelled = world.cancel(which);
    world.succeed();
    assert_eq!(world.told[&cancelled], Ok(Answer::Cancelled { found: true }));
    assert_eq!((world.rows.len(), world.alarm), (9, Some(at(5_000))));
}

#[test]
fn the_last_one_that_is_put_back_keeps_its_alarm_too() {
    let mut world = world();
    world.set(None, after(5), None);
    world.pass(Duration::from_millis(4_999), true);
    world.idle(Duration::from_millis(1));
    world.suspend();
    world.write_ends(true, 0);
    assert!(world.rows.is_empty() && world.setting.is_none(), "a fall would leave it without");
    world.succeed();
    assert_eq!((world.rows.len(), world.alarm), (1, Some(at(5_000))));
}

#[test]
fn what_is_overdue_at_the_start_runs_in_the_order_in_which_it_was_due() {
    let mut world = world();
    for seconds in [3, 1, 2] {
        world.set(None, after(seconds), None);
    }
    world.succeed();
    world.fall(0);
    world.idle(Duration::from_secs(9));
    world.start();
    world.pass(Duration::ZERO, true);
    assert_eq!(ran(&world), [(2, 1), (3, 2), (1, 3)]);
}

#[test]
fn what_was_claimed_when_the_actor_fell_does_not_run() {
    let mut world = world();
    world.set(None, after(5), None);
    world.pass(Duration::from_millis(4_999), true);
    world.idle(Duration::from_millis(1));
    world.fall(2);
    world.start();
    world.pass(Duration::from_secs(60), true);
    assert_eq!(ran(&world), []);
}

#[test]
fn a_clock_that_is_set_neither_loses_nor_repeats_what_runs_once() {
    let mut world = world();
    for (ms, seconds) in [(1_005_000, 10), (990_000, 10), (1_010_000, 90)] {
        world.jump(Wall(ms));
        world.set(None, after(seconds), None);
        world.succeed();
    }
    // Due at 1,015 s, 1,000 s and 1,100 s of the clock, which is at 1,010 s.
    assert_eq!(world.ran.len(), 1);
    world.pass(Duration::from_secs(5), true);
    assert_eq!(world.ran.len(), 2);
    // Set forward, it is noticed within the time after which the clock is looked at.
    world.jump(Wall(2_000_000));
    world.pass(Duration::from_secs(60), true);
    assert_eq!(world.ran.len(), 3);
    world.jump(Wall(1_000_000));
    world.pass(Duration::from_secs(200), true);
    assert_eq!(world.ran.len(), 3);
}

#[test]
fn what_recurs_goes_on_when_the_clock_is_set_back() {
    let mut world = world();
    world.set(None, every(5), None);
    world.pass(Duration::from_secs(7), true);
    world.jump(Wall(500_000));
    world.pass(Duration::from_secs(62), true);
    assert!(world.ran.len() >= 11, "{:?}", world.ran);
    assert!(world.ran.iter().all(|(_, due, _)| due.0 % 5_000 == 0), "its phase is kept");
}

#[test]
fn what_is_due_at_once_is_claimed_in_batches() {
    let mut world = world();
    for _ in 0..300 {
        world.set(None, after(5), None);
        world.set(None, every(5), None);
    }
    world.pass(Duration::from_millis(4_999), true);
    world.idle(Duration::from_millis(1));
    let mut writes = 0;
    while let Some((_, puts, deletes)) = &world.write {
        assert!(puts.len() <= 128 && deletes.len() <= 128, "one operation of the store takes it");
        world.write_ends(true, 0);
        writes += 1;
    }
    assert!(writes >= 3, "{writes} writes");
    let dues: Vec<u64> = ran(&world).into_iter().map(|(body, _)| body).collect();
    assert_eq!(dues, (1..=600).collect::<Vec<_>>(), "each once, and in order");
}

#[test]
fn an_actor_has_a_thousand_schedules_and_a_name_is_no_second_one() {
    let mut world = world();
    for number in 0..1_000_u32 {
        world.set(Some(&number.to_string()), after(600), None);
        if number % 100 == 0 {
            world.succeed();
        }
    }
    world.succeed();
    let replaced = world.set(Some("7"), after(700), None);
    let refused = world.set(Some("other"), after(600), None);
    world.succeed();
    assert_eq!(world.told[&refused], Err(ScheduleError::TooMany { max: 1_000 }));
    let row: &Row = world.story.machine.job(&Which::Name("7".into())).unwrap();
    assert_eq!((row.id, row.body, row.revision), (job(&world, replaced), BodyId(replaced.0), 1));
    assert_eq!(world.rows.len(), 1_000);
}

#[test]
fn what_makes_no_sense_is_refused_at_once() {
    let mut world = world();
    let cron = |expression: &str, zone: &str| When::Cron { expression: expression.into(), zone: zone.into() };
    let mut refused = |name: Option<&str>, when: When| {
        let ticket = world.set(name, when, None);
        world.told[&ticket].clone().unwrap_err()
    };
    assert_eq!(refused(Some(&"n".repeat(129)), after(1)), ScheduleError::BadName { bytes: 129, max: 128 });
    assert_eq!(refused(Some(""), after(1)), ScheduleError::BadName { bytes: 0, max: 128 });
    let min = Duration::from_secs(5);
    assert_eq!(
        refused(None, When::Every(Duration::from_millis(4_999))),
        ScheduleError::IntervalTooShort { min }
    );
    assert_eq!(refused(None, cron("0 0 30 2 *", "UTC")), ScheduleError::NeverDue);
    assert_eq!(refused(None, cron("* * * * *", "Mars")), ScheduleError::UnknownZone { zone: "Mars".into() });
    let long = format!("{}1 * * * *", "1,".repeat(CRON_BYTES_MAX));
    assert!(matches!(refused(None, cron(&long, "UTC")), ScheduleError::BadCron { .. }));
    let max = Options::default().body_bytes_max;
    let job = Job { name: None, when: after(1), runs_max: None, body: BodyId(9), bytes: max + 1 };
    let told = world.story.feed(Input::Set { ticket: Ticket(99), job });
    assert!(format!("{told:?}").contains("TooLarge"), "{told:?}");
    assert!(world.write.is_none(), "nothing is stored");
}

#[test]
fn a_destroyed_actor_has_no_alarm_and_whoever_waits_is_told() {
    let mut world = world();
    world.set(None, after(10), None);
    world.succeed();
    let waiting = world.set(None, after(20), None);
    world.feed(Input::Destroy);
    let settled = world.settle();
    assert_eq!(world.told[&waiting], Err(ScheduleError::Destroyed));
    let refused = world.set(None, after(20), None);
    assert_eq!(world.told[&refused], Err(ScheduleError::Destroyed));
    world.write_ends(false, 0);
    world.alarm_ends(true, true);
    assert_eq!(world.alarm, None);
    assert_eq!(world.told[&settled], Ok(Answer::Settled));
    world.idle(Duration::from_secs(60));
    assert!(world.write.is_none() && world.ran.is_empty(), "nothing is done for it");
}

#[test]
fn cron_runs_by_the_clocks_of_its_zone() {
    let mut world = world();
    // 28 March 2026, 12:00 UTC; in Berlin the clocks go forward in the night.
    world.jump(Wall(1_774_699_200_000));
    let when = When::Cron { expression: "30 2 * * *".into(), zone: "Europe/Berlin".into() };
    world.set(None, when, None);
    world.pass(Duration::from_secs(72 * 60 * 60), true);
    let dues: Vec<u64> = world.ran.iter().map(|(_, due, _)| due.0).collect();
    assert_eq!(dues, [1_774_830_600_000, 1_774_917_000_000], "at 00:30 UTC on the 30th and the 31st");
}

#[test]
fn a_restored_actor_sets_its_alarm_anew_and_one_without_schedules_does_not() {
    let mut world = world();
    world.fall(0);
    world.start();
    assert_eq!(world.setting, None);
    world.set(None, after(10), None);
    world.succeed();
    world.alarm = None;
    world.fall(0);
    world.start();
    world.pass(Duration::ZERO, true);
    assert_eq!(world.alarm, Some(at(10_000)));
}

#[test]
fn an_alarm_of_the_actors_own_code_shares_the_one_of_the_engine_with_its_schedules() {
    let mut world = world();
    let own = world.set_own(Some(at(20_000)));
    assert_eq!(world.setting, None, "an alarm follows its row");
    world.write_ends(true, 0);
    assert!(!world.told.contains_key(&own));
    world.alarm_ends(true, true);
    assert_eq!(world.told[&own], Ok(Answer::AlarmSet));
    world.set(None, after(10), None);
    world.succeed();
    assert_eq!(world.alarm, Some(at(10_000)), "the earlier of both");
    world.suspend();
    world.fall(0);
    world.start();
    world.pass(Duration::from_secs(11), true);
    assert_eq!((ran(&world).len(), world.alarm), (1, Some(at(20_000))), "the later one was not forgotten");
    world.pass(Duration::from_secs(11), true);
    assert_eq!(world.alarm, Some(at(20_000)), "it rings as soon as the actor sleeps");
    // It has: the engine clears what rang.
    world.alarm = None;
    world.fall(0);
    world.start();
    assert!(world.setting.is_none(), "what has rung does not ring again");
    world.set(None, after(10), None);
    world.succeed();
    assert_eq!(world.alarm, Some(at(32_000)));
}

#[test]
fn an_alarm_is_cleared_whatever_the_actor_knows_of_it() {
    let mut world = world();
    let cleared = world.set_own(None);
    world.write_ends(true, 0);
    assert_eq!(world.setting.map(|(_, at)| at), Some(None), "an earlier life may have left one");
    world.alarm_ends(true, true);
    assert_eq!(world.told[&cleared], Ok(Answer::AlarmSet));
}

#[test]
fn an_actor_that_cannot_have_schedules_leaves_its_alarm_to_the_engine() {
    let mut world = World::new(Options { stores_alarm: false, ..Options::default() });
    for seconds in [5, 5, 9] {
        let own = world.set_own(Some(at(seconds * 1_000)));
        assert!(world.write.is_none() && world.setting.is_some(), "it is set, and not stored");
        assert!(!world.told.contains_key(&own));
        world.alarm_ends(true, true);
        assert_eq!(world.told[&own], Ok(Answer::AlarmSet));
    }
    assert_eq!(world.alarm, Some(at(9_000)));
}

#[test]
fn what_recurs_as_before_is_due_when_it_was_also_where_it_is_set_anew_at_each_start() {
    let mut world = world();
    world.set(Some("often"), every(10), None);
    world.succeed();
    world.idle(6 * SECOND);
    world.set(Some("often"), every(10), None);
    world.pass(5 * SECOND, true);
    assert_eq!(ran(&world), [(2, 10)], "by what was set last, when the first one said");
    world.suspend();
    world.idle(15 * SECOND);
    world.fall(0);
    let again = world.set(Some("often"), every(10), None);
    world.succeed();
    world.start();
    world.pass(SECOND, true);
    assert_eq!(ran(&world)[1..], [(again.0, 20)], "what woke it runs");
    world.set(Some("often"), every(30), None);
    world.pass(20 * SECOND, true);
    assert_eq!(ran(&world).len(), 2, "what recurs otherwise begins anew");
}
