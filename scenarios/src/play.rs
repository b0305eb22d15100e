//! The seam between the plays and whoever runs them: a play is run from a seed, and hands back one report.
//!
//! What a play does is its own affair ([`mod@crate::plays`]); which seeds are run, how often and where, is
//! [`crate::search`]'s.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use model::Broken;
use protocol::time::Mono;
use serde::{Deserialize, Serialize};
use sim::{
    Branch, Checkpoint, Decision, Event, Failure, Note, Overrides, Point, PointFault, Schedule, StreamCount,
    Streams, Strike, Struck, TraceLine, Unmatched,
};

use crate::world::WorldKind;

#[cfg(madsim)]
pub(crate) mod second;

/// Something that can be run from a seed.
pub trait Play: Sync {
    /// Stable name, without `:` and white space.
    fn name(&self) -> &'static str;
    /// What it is about, in one line.
    fn about(&self) -> &'static str;
    /// The fault families that its seeds break things with, by name: a batch in which one of them was never felt has
    /// not tested what the play is for. None for a play without faults. What a world does not offer is skipped there.
    fn families(&self, _world: WorldKind) -> Vec<&'static str> {
        Vec::new()
    }
    /// The fault families that are skipped in a world, each with the reason.
    fn skipped(&self, _world: WorldKind) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
    /// Whether it is made to be run once per point and fault: short, quiet, and exempt from the floors of a batch. Such a
    /// play is searched by that strategy, and by others only where it is named.
    fn is_small(&self) -> bool {
        false
    }
    /// Whether its runs time how soon somebody answers again: a batch in which nobody was timed has not held the law of
    /// that. Not each run does: which faults strike is drawn.
    fn times_recovery(&self) -> bool {
        false
    }
    /// Whether a fault may strike at a point of it.
    fn may_strike(&self, _point: &Point, _fault: PointFault) -> bool {
        true
    }
    /// The streams that decide which faults strike, when and how: a failure bundle tells their decisions.
    fn fault_streams(&self) -> Vec<Streams> {
        Vec::new()
    }
    /// Runs it, in the world of its options. Equal arguments give an equal digest, on any thread and in any process.
    fn run(&self, seed: u64, options: &RunOptions) -> RunReport;
}

/// Runs a play; if the run takes its thread with it, that is its report.
#[must_use]
pub fn perform(play: &dyn Play, seed: u64, options: &RunOptions) -> RunReport {
    match catch_unwind(AssertUnwindSafe(|| play.run(seed, options))) {
        Ok(report) => report,
        Err(panic) => RunReport::fallen(seed, panic.as_ref()),
    }
}

/// What a run may be told beside its seed. What is kept of it changes nothing of what happens; all else does, and
/// belongs to the line that replays it, and to its JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunOptions {
    /// What is decided otherwise.
    pub overrides: Overrides,
    /// From when on other seeds decide.
    pub recipe: Vec<Branch>,
    /// Which ready task runs next.
    pub schedule: Schedule,
    /// Each fault family is left out, or not, by a decision of its own (stream `swarm/FAMILY`).
    pub swarm: bool,
    /// In which world.
    pub world: WorldKind,
    /// Faults that strike at points.
    pub strikes: Vec<Strike>,
    /// The first so many points are kept.
    #[serde(skip)]
    pub record_points: usize,
    /// Trace lines of this level and above are kept.
    #[serde(skip)]
    pub trace: Option<tracing::Level>,
    /// Events with these ordinals are kept, to be named.
    #[serde(skip)]
    pub keep_events: Range<u64>,
    /// Decisions of these streams are kept.
    #[serde(skip)]
    pub record_streams: Vec<Streams>,
    /// The report names all streams.
    #[serde(skip)]
    pub name_streams: bool,
    /// The run fails after so many events; else after the simulator's own limit.
    #[serde(skip)]
    pub events_max: Option<u64>,
}

impl RunOptions {
    /// The same for the simulator, with a seed.
    #[must_use]
    pub fn sim(&self, seed: u64) -> sim::Options {
        let defaults = sim::Options::default();
        sim::Options {
            seed,
            overrides: self.overrides.clone(),
            recipe: self.recipe.clone(),
            schedule: self.schedule,
            strikes: self.strikes.clone(),
            record_points: self.record_points,
            trace: self.trace,
            keep_events: self.keep_events.clone(),
            record_streams: self.record_streams.clone(),
            name_streams: self.name_streams,
            events_max: self.events_max.unwrap_or(defaults.events_max),
            ..defaults
        }
    }
}

/// What a run's script hands back: everything that the simulator does not know. The default is of a run that shows
/// nothing, and breaks no law.
#[derive(Clone, Debug)]
pub struct Performance {
    /// The earliest broken law.
    pub outcome: Result<(), Broken>,
    /// Names of the laws that had nothing to judge.
    pub unjudged: Vec<&'static str>,
    /// Operations of the load: increments and reads of its clients.
    pub operations: u64,
    /// Acknowledged ones, of all operations.
    pub acknowledged: u64,
    /// Failed ones, of all operations.
    pub failed: u64,
    /// Transactions of the engine's store that became durable, of which each may carry many writes.
    pub commits: u64,
    /// Every fault family that was on, with how often somebody felt it: 0 if nobody did.
    pub faults: BTreeMap<&'static str, u64>,
    /// The fault families that were not left out, where the run drew that.
    pub drawn: Option<Vec<&'static str>>,
    /// How long each recovery took that was waited for, and ended in an answer.
    pub recoveries: Vec<Duration>,
    /// Hits of every mark, as `protocol::mark::hits` gives them at the end of the script.
    pub marks: BTreeMap<&'static str, u64>,
}

impl Default for Performance {
    fn default() -> Self {
        Self {
            outcome: Ok(()),
            unjudged: Vec::new(),
            operations: 0,
            acknowledged: 0,
            failed: 0,
            commits: 0,
            faults: BTreeMap::new(),
            drawn: None,
            recoveries: Vec::new(),
            marks: BTreeMap::new(),
        }
    }
}

/// What a run hands back.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The seed.
    pub seed: u64,
    /// The earliest broken law, a failure of the run itself (a panic, a run that is stuck) included.
    pub outcome: Result<(), Broken>,
    /// Names of the laws that had nothing to judge; empty if the run itself failed.
    pub unjudged: Vec<&'static str>,
    /// The digest over every event.
    pub digest: u128,
    /// The digest on the way.
    pub checkpoints: Vec<Checkpoint>,
    /// How many events there were.
    pub events: u64,
    /// How many polls there were.
    pub polls: u64,
    /// How far virtual time went.
    pub elapsed: Duration,
    /// Operations of the load: increments and reads of its clients.
    pub operations: u64,
    /// Acknowledged ones, of all operations.
    pub acknowledged: u64,
    /// Failed ones, of all operations.
    pub failed: u64,
    /// Transactions of the engine's store that became durable, of which each may carry many writes.
    pub commits: u64,
    /// Every fault family that was on, with how often somebody felt it.
    pub faults: BTreeMap<&'static str, u64>,
    /// The fault families that were not left out, where the run drew that.
    pub drawn: Option<Vec<&'static str>>,
    /// How long each recovery took that was waited for, and ended in an answer.
    pub recoveries: Vec<Duration>,
    /// What the simulator counted as felt.
    pub effects: BTreeMap<sim::Effect, u64>,
    /// Hits of every mark; empty if the run itself failed.
    pub marks: BTreeMap<&'static str, u64>,
    /// The story.
    pub notes: Vec<Note>,
    /// The trace, if one was asked for.
    pub trace: Vec<TraceLine>,
    /// Events kept, if asked for.
    pub kept: Vec<Event>,
    /// Overrides that met no decision.
    pub unmatched: Vec<Unmatched>,
    /// The first points, if asked for.
    pub points: Vec<Point>,
    /// What has struck at a point.
    pub struck: Vec<Struck>,
    /// Strikes that met no point, or one at which they cannot strike.
    pub missed: Vec<Strike>,
    /// Decisions that were to be kept, and those that overrides moved.
    pub recorded: Vec<Decision>,
    /// All streams, if asked for.
    pub streams: Vec<StreamCount>,
    /// Whether the run took its thread with it.
    pub fallen: bool,
}

impl RunReport {
    /// Of a run that took its thread with it: a mistake in the play or in the simulator, told like a broken law.
    pub(crate) fn fallen(seed: u64, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text");
        let text = format!("the run itself panicked: {text}");
        let outcome = Err(Broken { law: "the_run_ends", at: Mono::ZERO, place: None, text });
        Self { fallen: true, ..Self::of(seed, Performance { outcome, ..Performance::default() }) }
    }

    /// With what a script knows, and nothing that a world does.
    fn of(seed: u64, performance: Performance) -> Self {
        Self {
            seed,
            outcome: performance.outcome,
            unjudged: performance.unjudged,
            digest: 0,
            checkpoints: Vec::new(),
            events: 0,
            polls: 0,
            elapsed: Duration::ZERO,
            operations: performance.operations,
            acknowledged: performance.acknowledged,
            failed: performance.failed,
            commits: performance.commits,
            faults: performance.faults,
            drawn: performance.drawn,
            recoveries: performance.recoveries,
            effects: BTreeMap::new(),
            marks: performance.marks,
            notes: Vec::new(),
            trace: Vec::new(),
            kept: Vec::new(),
            unmatched: Vec::new(),
            points: Vec::new(),
            struck: Vec::new(),
            missed: Vec::new(),
            recorded: Vec::new(),
            streams: Vec::new(),
            fallen: false,
        }
    }

    /// What it said when it took its thread with it; `None` if it did not.
    #[must_use]
    pub fn fell(&self) -> Option<&str> {
        self.outcome.as_ref().err().filter(|_| self.fallen).map(|broken| broken.text.as_str())
    }
}

impl From<sim::Report<Performance>> for RunReport {
    /// Joins what the simulator and the script know. If the run itself failed, the script's part is empty.
    fn from(report: sim::Report<Performance>) -> Self {
        let performance = match report.outcome {
            Ok(performance) => performance,
            Err(failure) => {
                Performance { outcome: Err(broken(&failure, report.elapsed)), ..Performance::default() }
            }
        };
        Self {
            digest: report.digest,
            checkpoints: report.checkpoints,
            events: report.events,
            polls: report.polls,
            elapsed: report.elapsed,
            effects: report.effects,
            notes: report.notes,
            trace: report.trace,
            kept: report.kept,
            unmatched: report.unmatched,
            points: report.points,
            struck: report.struck,
            missed: report.missed,
            recorded: report.recorded,
            streams: report.streams,
            ..Self::of(report.seed, performance)
        }
    }
}

/// A failure of the run itself, told like a broken law.
fn broken(failure: &Failure, elapsed: Duration) -> Broken {
    let (law, at) = match failure {
        Failure::Panic { at, .. } => ("nobody_panics", *at),
        Failure::Spinning { at, .. } => ("nobody_spins", *at),
        Failure::Stuck { at, .. } => ("never_stuck", *at),
        Failure::TimeLimit { .. } | Failure::EventLimit { .. } => ("the_run_ends", elapsed),
    };
    Broken { law, at: Mono::ZERO + at, place: None, text: failure.to_string() }
}
