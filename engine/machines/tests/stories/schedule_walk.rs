//! A random walk over an actor's schedules: its writes and alarms fail, its clock jumps, it sleeps and falls at any point.

use std::time::Duration;

use machines::schedule::{Ended, Options, When, Which};
use proptest::prelude::*;
use protocol::time::Wall;

use crate::schedule_world::World;
use crate::walk::walk_often;

/// Something that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    At { name: Option<u8>, ms: u64 },
    Every { name: Option<u8>, ms: u64, runs: u32 },
    Cron { name: Option<u8>, berlin: bool },
    CancelName { name: u8 },
    CancelNth { nth: usize },
    Own { ms: Option<u64> },
    End { nth: usize, how: u8 },
    Write { ok: bool, steps: usize },
    Alarm { ok: bool, stored: bool },
    Succeed,
    Wait { ms: u64 },
    Jump { ms: i64 },
    Suspend,
    Settle,
    Fall { steps: usize, start: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let name = || prop::option::of(0_u8..3);
    prop_oneof![
        4 => (name(), 0_u64..20_000).prop_map(|(name, ms)| Step::At { name, ms }),
        3 => (name(), 5_000_u64..12_000, 0_u32..3).prop_map(|(name, ms, runs)| Step::Every { name, ms, runs }),
        1 => (name(), any::<bool>()).prop_map(|(name, berlin)| Step::Cron { name, berlin }),
        1 => (0_u8..3).prop_map(|name| Step::CancelName { name }),
        1 => (0_usize..8).prop_map(|nth| Step::CancelNth { nth }),
        2 => prop::option::of(0_u64..90_000).prop_map(|ms| Step::Own { ms }),
        4 => (0_usize..4, 0_u8..4).prop_map(|(nth, how)| Step::End { nth, how }),
        6 => (any::<bool>(), 0_usize..4).prop_map(|(ok, steps)| Step::Write { ok, steps }),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(ok, stored)| Step::Alarm { ok, stored }),
        5 => Just(Step::Succeed),
        6 => (0_u64..9_000).prop_map(|ms| Step::Wait { ms }),
        1 => (-100_000_i64..100_000).prop_map(|ms| Step::Jump { ms }),
        1 => Just(Step::Suspend),
        1 => Just(Step::Settle),
        1 => (0_usize..4, any::<bool>()).prop_map(|(steps, start)| Step::Fall { steps, start }),
    ]
}

fn play(world: &mut World, step: &Step) {
    let named = |name: &Option<u8>| name.map(|name| format!("n{name}"));
    match step {
        Step::At { name, ms } => {
            world.set(named(name).as_deref(), When::After(Duration::from_millis(*ms)), None);
        }
        Step::Every { name, ms, runs } => {
            let when = When::Every(Duration::from_millis(*ms));
            world.set(named(name).as_deref(), when, Some(*runs));
        }
        Step::Cron { name, berlin } => {
            let zone = if *berlin { "Europe/Berlin" } else { "UTC" };
            let when = When::Cron { expression: "* * * * *".into(), zone: zone.into() };
            world.set(named(name).as_deref(), when, None);
        }
        Step::CancelName { name } => {
            world.cancel(Which::Name(format!("n{name}")));
        }
        Step::CancelNth { nth } => {
            let Some(id) = world.rows.keys().nth(*nth).copied() else { return };
            world.cancel(Which::Id(id));
        }
        Step::Own { ms } => {
            world.set_own(ms.map(|ms| world.story.now.wall + Duration::from_millis(ms)));
        }
        Step::End { nth, how } => {
            let Some(job) = world.running.iter().nth(*nth).copied() else { return };
            let how = match how {
                0 => Ended::Failed { reason: "boom".into() },
                1 => Ended::Missing,
                _ => Ended::Done,
            };
            world.end(job, how);
        }
        Step::Write { ok, steps } => world.write_ends(*ok, *steps),
        Step::Alarm { ok, stored } => world.alarm_ends(*ok, *stored),
        Step::Succeed => world.succeed(),
        Step::Wait { ms } => world.idle(Duration::from_millis(*ms)),
        Step::Jump { ms } => {
            let wall = world.story.now.wall.0.saturating_add_signed(*ms);
            world.jump(Wall(wall));
        }
        Step::Suspend => world.suspend(),
        Step::Settle => drop(world.settle()),
        Step::Fall { steps, start } => {
            world.fall(*steps);
            if *start {
                world.start();
            }
        }
    }
}

#[test]
fn whatever_fails_what_runs_once_runs_once_and_what_recurs_goes_on() {
    let elsewhere = ["schedule_busy", "schedule_cron_gap", "schedule_cron_fold", "schedule_cron_never"];
    walk_often(512, "schedule_", &elsewhere, prop::collection::vec(step(), 1..60), |steps| {
        let options = Options {
            jobs_max: 6,
            runs_total_max: 3,
            write_rows_max: 2,
            wall_check: Duration::from_secs(10),
            ..Options::default()
        };
        let mut world = World::new(options);
        for step in &steps {
            play(&mut world, step);
        }
        world.heal();
    });
}
