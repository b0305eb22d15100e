//! What a run is told beside its seed, on the command line: read from flags, and written as the flags that say the same.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use sim::{Branch, Override, PCT_DEPTH_MAX, Schedule, Strike};

use crate::play::RunOptions;
use crate::world::WorldKind;

/// What a run is told.
#[derive(Debug, clap::Args)]
pub(super) struct Told {
    /// Pin a decision, or calm all of some streams (repeatable)
    #[arg(long, value_name = "STREAM#ORDINAL=VALUE|STREAMS#*")]
    pin: Vec<Override>,
    /// Let a fault strike at a point (repeatable)
    #[arg(long, value_name = "POINT#ORDINAL=FAULT")]
    strike: Vec<Strike>,
    /// Let another seed decide from a moment of virtual time on (repeatable, in order)
    #[arg(long, value_name = "NANOSECONDSns=SEED")]
    branch: Vec<BranchFlag>,
    /// Which ready task runs next: random, fifo or pct:DEPTH:POLLS [default: random]
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<ScheduleFlag>,
    /// Leave fault families out, as the seed decides
    #[arg(long)]
    swarm: bool,
    /// In which world: sim or madsim [default: sim]
    #[arg(long, value_name = "WORLD")]
    world: Option<WorldKind>,
}

impl Told {
    /// As a run takes it.
    pub(super) fn options(&self) -> RunOptions {
        let mut recipe: Vec<_> = self.branch.iter().map(|flag| flag.0).collect();
        recipe.sort_by_key(|branch| branch.at);
        RunOptions {
            overrides: self.pin.iter().cloned().collect(),
            recipe,
            schedule: self.schedule.map_or_else(Schedule::default, |flag| flag.0),
            swarm: self.swarm,
            world: self.world.unwrap_or_default(),
            strikes: self.strike.clone(),
            ..RunOptions::default()
        }
    }

    /// As a run takes it that is told something already.
    pub(super) fn beside(&self, mut options: RunOptions) -> RunOptions {
        let more = self.options();
        options.overrides.extend(more.overrides.iter());
        options.recipe.extend(more.recipe);
        options.recipe.sort_by_key(|branch| branch.at);
        options.strikes.extend(more.strikes);
        options.swarm |= more.swarm;
        options.world = self.world.unwrap_or(options.world);
        options.schedule = self.schedule.map_or(options.schedule, |flag| flag.0);
        options
    }
}

/// The flags that tell a run the same, each behind a space; none for a run that is told nothing.
pub(super) fn flags(options: &RunOptions) -> String {
    let mut flags = String::new();
    let mut add = |flag: std::fmt::Arguments<'_>| {
        flags.write_char(' ').and_then(|()| flags.write_fmt(flag)).expect("a string takes everything");
    };
    for one in options.overrides.iter() {
        add(format_args!("--pin '{one}'"));
    }
    for strike in &options.strikes {
        add(format_args!("--strike {strike}"));
    }
    for Branch { at, seed } in &options.recipe {
        add(format_args!("--branch {}ns={seed}", at.as_nanos()));
    }
    match options.schedule {
        Schedule::Random => {}
        Schedule::Fifo => add(format_args!("--schedule fifo")),
        Schedule::Pct { depth, polls } => add(format_args!("--schedule pct:{depth}:{polls}")),
    }
    if options.swarm {
        add(format_args!("--swarm"));
    }
    match options.world {
        WorldKind::Sim => {}
        WorldKind::Madsim => add(format_args!("--world {}", options.world)),
    }
    flags
}

/// From when on which seed decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BranchFlag(Branch);

/// Why a text is no branch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a branch is NANOSECONDSns=SEED, such as 1500000000ns=77")]
struct BranchError;

impl FromStr for BranchFlag {
    type Err = BranchError;

    fn from_str(text: &str) -> Result<Self, BranchError> {
        let (at, seed) = text.split_once("ns=").ok_or(BranchError)?;
        let at = Duration::from_nanos(at.parse().map_err(|_| BranchError)?);
        Ok(Self(Branch { at, seed: seed.parse().map_err(|_| BranchError)? }))
    }
}

/// A schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScheduleFlag(Schedule);

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schedule is random, fifo or pct:DEPTH:POLLS, such as pct:3:20000, with a DEPTH of at most {}",
    PCT_DEPTH_MAX
)]
struct ScheduleError;

impl FromStr for ScheduleFlag {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let parts: Vec<_> = text.split(':').collect();
        Ok(Self(match parts.as_slice() {
            ["random"] => Schedule::Random,
            ["fifo"] => Schedule::Fifo,
            ["pct", depth, polls] => Schedule::Pct {
                depth: depth.parse().ok().filter(|depth| *depth <= PCT_DEPTH_MAX).ok_or(ScheduleError)?,
                polls: polls.parse().map_err(|_| ScheduleError)?,
            },
            _ => return Err(ScheduleError),
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use sim::{PointFault, PointKind};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        told: Told,
    }

    #[test]
    fn flags_say_what_was_told() {
        let strike = |fault| Strike { kind: PointKind::DiskSync, ordinal: 17, fault };
        let options = RunOptions {
            overrides: ["pick#3=7", "pick#9=0", "latency/*#*"]
                .map(|text| text.parse::<Override>().expect("an override"))
                .into_iter()
                .collect(),
            recipe: vec![Branch { at: Duration::from_millis(1500), seed: 77 }],
            schedule: Schedule::Pct { depth: 3, polls: 20_000 },
            swarm: true,
            world: WorldKind::Madsim,
            strikes: vec![strike(PointFault::PowerOff), strike(PointFault::Pause)],
            ..RunOptions::default()
        };
        let line = flags(&options).replace('\'', "");
        let words = ["test"].into_iter().chain(line.split_whitespace());
        let told = Line::try_parse_from(words).expect("the flags are good").told.options();
        assert_eq!(told.overrides, options.overrides);
        assert_eq!(told.recipe, options.recipe);
        assert_eq!(told.schedule, options.schedule);
        assert_eq!(told.strikes, options.strikes);
        assert!(told.swarm);
        assert_eq!(told.world, options.world);
        assert_eq!(flags(&RunOptions::default()), "");
        for bad in ["", "1=2", "ns=2", "1ns=", "1ns=x"] {
            assert_eq!(bad.parse::<BranchFlag>(), Err(BranchError), "{bad}");
        }
        for bad in ["", "pct", "pct:1", "pct:x:1", "pct:1:1:1", "pct:1001:1", "pct:4294967295:10", "lifo"] {
            assert_eq!(bad.parse::<ScheduleFlag>(), Err(ScheduleError), "{bad}");
        }
    }
}
