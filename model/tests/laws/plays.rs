//! Laws of single plays.

use std::time::Duration;

use model::evidence::{AlarmSet, PoolNews, PoolSight, Recovery, Sight, Touch, TouchKind};
use model::{Active, Evidence, Family, Law, Place, Told};
use protocol::id::{RunnerId, StreamId};
use protocol::view::{Fact, GenerationEnd};

use crate::support::{
    ONE, actor, breaks, connected, connected_as, holds, on, placed, runner, says_nothing, seconds, told,
};

fn at(fault: Family, from: u64, until: u64) -> Active {
    Active { family: fault, within: None, from: seconds(from), until: Some(seconds(until)) }
}

/// Facts at moments of their own.
fn facts(node: &str, facts: impl IntoIterator<Item = (u64, Fact)>) -> Evidence {
    let place = Place { node: node.to_owned(), boot: 0 };
    let told = facts.into_iter().map(|(at, fact)| Told { at: seconds(at), place: place.clone(), fact });
    Evidence {
        told: told.collect(),
        end: seconds(200),
        recovery: Duration::from_secs(20),
        ..Evidence::default()
    }
}

#[test]
fn what_can_recover_answers_in_time() {
    let law = Law::RecoveryBound;
    let recovery = |answered: Option<u64>, until: u64| {
        let (of, bound) = ("restart", Duration::from_secs(2));
        let answered = answered.map(seconds);
        let one =
            Recovery { key: "a".to_owned(), of, from: seconds(5), bound, answered, until: seconds(until) };
        let other = Recovery { answered: Some(seconds(6)), ..one.clone() };
        Evidence { recoveries: vec![other, one], end: seconds(100), ..Evidence::default() }
    };
    holds(law, &recovery(Some(7), 7));
    breaks(law, &recovery(Some(8), 8), "\"a\" answers after 3s of restart");
    breaks(law, &recovery(None, 8), "does not answer for 3s");
    holds(law, &recovery(None, 7));
}

/// An alarm that is set at 10 s for 15 s, and what the actor does.
fn alarm(lives: &[(u64, bool)]) -> Evidence {
    let life = lives.iter().map(|(at, starts)| {
        let (actor, generation) = (actor(), ONE);
        let started = Fact::InstanceStarted { actor, generation };
        (*at, if *starts { started } else { Fact::InstanceStopped { actor, generation } })
    });
    let set =
        AlarmSet { actor: actor(), invoked: seconds(10), acknowledged: Some(seconds(10)), after: Some(5000) };
    Evidence { alarms: vec![set], ..facts("app", life) }
}

#[test]
fn an_alarm_wakes_its_actor() {
    let law = Law::AlarmIsDue;
    holds(law, &alarm(&[(9, true), (11, false), (17, true)]));
    breaks(law, &alarm(&[(9, true), (11, false)]), "does not run by");
    breaks(law, &alarm(&[(9, true), (11, false), (19, true)]), "does not run by");
    holds(law, &alarm(&[(9, true)]));
    // It was running when the alarm came due, and was just going to sleep.
    breaks(law, &alarm(&[(9, true), (16, false)]), "does not run by");
    holds(law, &alarm(&[(9, true), (16, false), (17, true)]));
}

#[test]
fn whoever_sets_an_alarm_is_not_its_wake_up() {
    let law = Law::AlarmIsDue;
    let soon = |lives: &[(u64, bool)]| {
        let mut soon = alarm(lives);
        soon.alarms[0] =
            AlarmSet { acknowledged: Some(seconds(11)), after: Some(500), ..soon.alarms[0].clone() };
        soon
    };
    let broken =
        |lives: &[(u64, bool)]| Evidence { faults: vec![at(Family::EngineKilled, 12, 13)], ..soon(lives) };
    for lives in [&[(11, true), (12, false)][..], &[(5, true), (6, false), (11, true), (12, false)]] {
        breaks(law, &soon(lives), "does not run by");
        breaks(law, &broken(lives), "does not run by");
    }
    // It starts once more, or never slept.
    holds(law, &soon(&[(11, true), (12, false), (13, true), (14, false)]));
    holds(law, &broken(&[(11, true), (12, false), (30, true), (31, false)]));
    holds(law, &soon(&[(11, true)]));
    // It was on its way to sleep when it was asked.
    holds(law, &soon(&[(9, true), (11, false), (12, true), (13, false)]));
    // It was killed, and nobody told that it stopped.
    holds(law, &broken(&[(11, true), (13, true), (14, false)]));
}

#[test]
fn an_alarm_that_is_replaced_or_in_trouble_is_judged_by_that() {
    let law = Law::AlarmIsDue;
    let mut cleared = alarm(&[(9, true), (11, false)]);
    let clear = AlarmSet { invoked: seconds(13), after: None, ..cleared.alarms[0].clone() };
    cleared.alarms.push(clear);
    says_nothing(law, &cleared);
    let troubled =
        |lives: &[(u64, bool)]| Evidence { faults: vec![at(Family::EngineKilled, 14, 20)], ..alarm(lives) };
    holds(law, &troubled(&[(9, true), (11, false), (39, true)]));
    breaks(law, &troubled(&[(9, true), (11, false), (41, true)]), "does not run by");
    // Whoever set it was lost with its runner: an alarm that was acknowledged is stored, and is kept.
    let mut lost =
        Evidence { faults: vec![at(Family::EngineKilled, 10, 12)], ..alarm(&[(9, true), (11, false)]) };
    let ended = Fact::Ended { actor: actor(), generation: ONE, how: GenerationEnd::RunnerLost };
    lost.told.extend(facts("engine", [(12, ended)]).told);
    breaks(law, &lost, "does not run by");
    let early = Evidence { faults: vec![at(Family::EngineKilled, 1, 2)], ..alarm(&[(9, true), (11, false)]) };
    breaks(law, &Evidence { recovery: Duration::from_secs(1), ..early }, "does not run by");
}

fn touch(what: TouchKind, invoked: u64, done: Option<u64>) -> Touch {
    let (invoked, done) = (seconds(invoked), done.map(seconds));
    Touch { actor: actor(), what, invoked, done, unknown: None }
}

/// It was asked then, and unknown a second later.
fn unknown(what: TouchKind, invoked: u64) -> Touch {
    Touch { unknown: Some(seconds(invoked + 1)), ..touch(what, invoked, None) }
}

#[test]
fn what_was_destroyed_is_gone() {
    let law = Law::DestroyIsFinal;
    let with = |touches: &[Touch], more: Option<Fact>| {
        let gone = Fact::Destroyed { actor: actor() };
        let mut all = vec![touch(TouchKind::Made, 1, Some(2)), touch(TouchKind::Destroyed, 5, Some(6))];
        all.extend_from_slice(touches);
        Evidence { touches: all, ..told([placed(ONE, 1), gone].into_iter().chain(more)) }
    };
    holds(law, &with(&[touch(TouchKind::Asked, 6, Some(7))], None));
    breaks(law, &with(&[touch(TouchKind::Asked, 7, Some(8))], None), "and is Asked");
    breaks(law, &with(&[touch(TouchKind::Made, 7, Some(8))], None), "and is Made");
    holds(law, &with(&[touch(TouchKind::Asked, 7, None)], None));
    breaks(law, &with(&[], Some(placed(ONE, 1))), "and is placed");
    let started = Fact::InstanceStarted { actor: actor(), generation: ONE };
    breaks(law, &with(&[], Some(started)), "and is started");
    let unknown = unknown(TouchKind::Asked, 7);
    holds(law, &with(std::slice::from_ref(&unknown), None));
    let other = protocol::id::ActorId::from_entropy([2; 16]);
    breaks(law, &with(&[Touch { actor: other, ..unknown }], None), "nobody has destroyed it");
}

#[test]
fn who_is_unknown_was_being_destroyed_by_somebody_else_by_then() {
    let law = Law::DestroyIsFinal;
    let with = |touches: &[Touch]| {
        let gone = Fact::Destroyed { actor: actor() };
        let mut all = vec![touch(TouchKind::Made, 1, Some(2)), touch(TouchKind::Destroyed, 20, Some(21))];
        all.extend_from_slice(touches);
        Evidence { touches: all, ..told([placed(ONE, 1), gone]) }
    };
    let (asked, destroyed) = (TouchKind::Asked, TouchKind::Destroyed);
    holds(law, &with(&[unknown(asked, 20), unknown(destroyed, 22)]));
    // Whoever destroys it later excuses nothing.
    breaks(law, &with(&[unknown(asked, 19)]), "nobody has destroyed it");
    breaks(law, &with(&[unknown(destroyed, 5)]), "nobody has destroyed it");
    // Nor does whoever found nobody to destroy; who never heard may have destroyed it.
    breaks(law, &with(&[unknown(destroyed, 5), unknown(asked, 7)]), "nobody has destroyed it");
    breaks(law, &with(&[unknown(destroyed, 5), unknown(destroyed, 5)]), "nobody has destroyed it");
    holds(law, &with(&[touch(destroyed, 4, None), unknown(destroyed, 5), unknown(asked, 7)]));
}

#[test]
fn one_of_two_with_one_identity_survives() {
    let law = Law::OneRunnerPerIdentity;
    let looks = |looks: &[(u64, bool, bool)]| {
        let sight = |node: &str, connected| Sight {
            node: node.to_owned(),
            runner: Some(RunnerId::from_entropy([1; 16])),
            identity: "twin".to_owned(),
            alive: connected,
            connected,
        };
        let sights =
            looks.iter().map(|(at, one, other)| (seconds(*at), vec![sight("a", *one), sight("b", *other)]));
        let sights = sights.collect();
        let (healed, recovery) = (Some(seconds(50)), Duration::from_secs(10));
        Evidence { sights, healed, recovery, end: seconds(100), ..Evidence::default() }
    };
    holds(law, &looks(&[(1, true, true), (22, true, true), (23, false, true), (60, false, true)]));
    breaks(law, &looks(&[(1, true, true), (23, true, true)]), "a, b speak for \"twin\"");
    holds(law, &looks(&[(1, true, true), (20, false, true), (30, true, true)]));
    holds(law, &looks(&[(59, false, false), (60, true, false)]));
    breaks(law, &looks(&[(60, false, false)]), "0 processes speak for");
    breaks(law, &looks(&[(60, true, true)]), "2 processes speak for");
    // Between two looks one of them was away, or ended, and is another runner now.
    let mut another = looks(&[(1, true, true), (20, true, true), (23, true, true)]);
    another.sights[2].1[1].runner = Some(RunnerId::from_entropy([2; 16]));
    holds(law, &another);
    // They evict each other for ever.
    let mut feud = looks(&[(60, true, false)]);
    feud.sights[0].1[1].alive = true;
    breaks(law, &feud, "2 are left");
}

/// What was seen of a pool, and when runners of it connected first.
fn pool(sights: &[(u64, PoolNews)], well: &[u64]) -> Evidence {
    let connected = well.iter().zip(1..).map(|(at, number)| (*at, connected(number, number.into())));
    let sight = |(at, what): &(u64, PoolNews)| PoolSight { pool: "pool", at: seconds(*at), what: *what };
    Evidence { pools: sights.iter().map(sight).collect(), ..facts("engine", connected) }
}

const SPOILT: PoolNews = PoolNews::Spoilt;
const SHOWN: PoolNews = PoolNews::Shown(true);
const CLEAR: PoolNews = PoolNews::Shown(false);

#[test]
fn an_error_shows_soon() {
    let law = Law::ErrorsShowAndClear;
    holds(law, &pool(&[(10, SPOILT), (11, CLEAR), (13, SHOWN)], &[]));
    breaks(law, &pool(&[(10, SPOILT), (11, CLEAR), (15, SHOWN)], &[]), "no error shows");
    holds(law, &pool(&[(10, SPOILT), (13, CLEAR)], &[11, 12, 13]));
    let excused = pool(&[(10, SPOILT), (11, CLEAR)], &[]);
    holds(law, &Evidence { faults: vec![at(Family::EngineKilled, 11, 12)], ..excused.clone() });
    breaks(law, &Evidence { faults: vec![at(Family::EndpointFails, 9, 12)], ..excused }, "no error shows");
}

#[test]
fn a_silence_has_spoilt_a_start_where_the_engine_gave_up_for_it() {
    let law = Law::ErrorsShowAndClear;
    let silent = pool(&[(10, PoolNews::Silent), (11, CLEAR), (15, CLEAR)], &[]);
    holds(law, &silent);
    let ended = |reason| {
        let told = facts("engine", [(10, Fact::StreamEnded { stream: StreamId(1), reason })]).told;
        Evidence { told, ..silent.clone() }
    };
    holds(law, &ended("surplus"));
    breaks(law, &ended("timeout"), "no error shows");
}

#[test]
fn an_error_goes_after_three_starts_or_a_minute_and_not_before() {
    let law = Law::ErrorsShowAndClear;
    let seen = [(9, PoolNews::Tried), (10, SPOILT), (11, SHOWN)];
    let then = |more: &[(u64, PoolNews)], well: &[u64]| pool(&[&seen, more].concat(), well);
    holds(law, &then(&[(20, CLEAR)], &[17, 18, 19]));
    breaks(law, &then(&[(20, CLEAR)], &[18, 19]), "is gone after 2 starts");
    breaks(law, &then(&[(24, SHOWN)], &[17, 18, 19]), "still shows its error although 3");
    holds(law, &then(&[(71, CLEAR)], &[]));
    breaks(law, &then(&[(60, CLEAR)], &[]), "is gone after 0 starts");
    breaks(law, &then(&[(78, SHOWN)], &[]), "last tried at");
    // What was broken off may be an error anew, and need not be.
    holds(law, &then(&[(20, PoolNews::BrokenOff), (24, SHOWN)], &[17, 18, 19]));
    holds(law, &then(&[(20, PoolNews::BrokenOff), (24, CLEAR)], &[17, 18, 19]));
    holds(law, &then(&[(60, PoolNews::Tried), (78, SHOWN)], &[]));
}

#[test]
fn nobody_is_drained_for_a_version_that_is_not_there() {
    let law = Law::LastVersionNeverDrained;
    let overtaken = |by| Fact::RunnerOvertaken { runner: runner(1), newest: by };
    let (old, new) = (|| connected_as(1, 1, 1), || connected_as(2, 2, 2));
    holds(law, &told([old(), new(), overtaken(2)]));
    breaks(law, &told([old(), overtaken(2)]), "of which no runner");
    let gone = Fact::RunnerDisconnected { runner: runner(2) };
    breaks(law, &told([old(), new(), gone, overtaken(2)]), "of which no runner");
    breaks(law, &told([old(), new(), overtaken(1)]), "and is of version 1");
    breaks(law, &told([old(), new(), overtaken(2), placed(ONE, 1)]), "which was overtaken");
    let mut restarted = on("engine", 0, [old(), new()]);
    restarted.told.extend(on("engine", 1, [overtaken(2)]).told);
    breaks(law, &restarted, "of which no runner");
}
