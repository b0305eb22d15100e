//! `rehearse explore`: runs plays over seeds.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::cli::name::{self, NotSmall};
use crate::cli::progress::Bar;
use crate::cli::report::{Failure, Report, ReportError, State};
use crate::cli::shelf::Shelf;
use crate::cli::{Ending, Trouble, duration, interrupt, jobs, paint, summary, table, world, writable};
use crate::play::Play;
use crate::search::{Before, Course, Fresh, Limit, Plan, Process, Shard, Start, Strategy, explore};
use crate::world::WorldKind;

/// Seeds per play if nothing is said: about a quarter of a minute on two cores.
const SEEDS: u64 = 200;
/// Seeds per play if nothing is said and each is run once per point and fault: thousands of runs.
const RECORDED_SEEDS: u64 = 1;
/// How often a report is written while a search goes on. Ours: little is lost with a machine that goes away.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// Failures after which a search ends if nothing is said: more of them rarely tell more.
const FAILURES_MAX: u64 = 10;

/// What `explore` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How runs are chosen.
    #[arg(
        long,
        value_name = "STRATEGY",
        default_value_t,
        help = "How runs are chosen: random, swarm, pct[:DEPTH], branch or points[:PAIRS]"
    )]
    strategy: Strategy,
    /// In which world: sim, or madsim for a second opinion
    #[arg(long, value_name = "WORLD", default_value_t)]
    world: WorldKind,
    /// Only these scenarios [default: all that the strategy is for]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    scenario: Vec<String>,
    /// Seeds per scenario [default: 200; 1 for points]
    #[arg(long, value_name = "N", conflicts_with = "time", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Runs in all instead, shared equally: as many seeds for each scenario as make that many or a few more
    #[arg(long, value_name = "N", conflicts_with_all = ["time", "seeds"], value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Go on for so long instead: 60s, 5m, 1h
    #[arg(long = "for", value_name = "TIME", id = "time", value_parser = duration::parse)]
    time: Option<Duration>,
    /// The first seed: a number, or a commit hash for other seeds with every commit
    #[arg(long, value_name = "N|COMMIT", default_value = "0")]
    start: Start,
    /// Only the runs of this part of the search, such as 2/3
    #[arg(long, value_name = "NUMBER/COUNT")]
    shard: Option<Shard>,
    /// Write what was found to a file, now and then and at the end, for merge and --resume
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave out the runs that this report says are done, and go on from what it says
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Prove determinism: run each seed twice here and once in a fresh process
    #[arg(long)]
    verify: bool,
    /// Go on whatever fails [default: end after 10 failures]
    #[arg(long, conflicts_with = "stop_on_failure")]
    keep_going: bool,
    /// End with the first failure
    #[arg(long)]
    stop_on_failure: bool,
    /// Write each failure into this folder, as a bundle that `replay` and `shrink` take
    #[arg(long, value_name = "DIR")]
    bundles: Option<PathBuf>,
    /// Name the marks that no run reached
    #[arg(long)]
    marks: bool,
    /// Answer JSON
    #[arg(long)]
    json: bool,
}

/// Obeys.
pub(super) fn run(
    arguments: &Arguments,
    plays: &[&'static dyn Play],
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    let strategy = format!("--strategy {}", arguments.strategy);
    let own =
        [(strategy.as_str(), world::is_own(arguments.strategy)), ("--bundles", arguments.bundles.is_some())];
    world::check(arguments.world, &own)?;
    let chosen = arguments.chosen(plays)?;
    let fresh = if arguments.verify { Some(Process::of_this_binary()?) } else { None };
    let mut plan = Plan {
        plays: &chosen,
        start: arguments.start,
        limit: arguments.limit(chosen.len()),
        strategy: arguments.strategy,
        world: arguments.world,
        shard: arguments.shard.unwrap_or(Shard::WHOLE),
        before: Before::default(),
        jobs: jobs(arguments.jobs),
        failures_max: arguments.failures_max(),
        verify: fresh.as_ref().map(|fresh| fresh as &dyn Fresh),
        interrupted: interrupt::watch()?,
    };
    let shelf = arguments.bundles.clone().map(Shelf::open).transpose()?;
    if let Some(path) = &arguments.report {
        writable::file(path).map_err(|source| ReportError::File { path: path.clone(), source })?;
    }
    let before = arguments.resume.as_ref().map(|path| resumed(path, &plan)).transpose()?;
    let bar = Bar::new(plan.limit, arguments.json);
    let course = Course::new(&plan, |done, all| bar.tell_ahead(done, all));
    let course = course.inspect_err(|_| bar.clear())?;
    let mut known = Vec::new();
    if let Some((path, report)) = before {
        plan.before = report.before(path, &plan, &course)?;
        known = report.failures;
    }
    let places = Places { report: arguments.report.as_deref(), shelf: shelf.as_ref() };
    let (report, written) = search(&plan, &course, &known, (&bar, &places), out)?;
    let ending = answer(&report, &[], arguments.json, arguments.marks, out)?;
    // What was found is told, even if it cannot be written any more.
    written?;
    Ok(ending)
}

/// The report that a search goes on from.
fn resumed<'a>(path: &'a Path, plan: &Plan<'_>) -> Result<(&'a Path, Report), ReportError> {
    let report = Report::read(path)?;
    report.belongs_to(path, plan)?;
    if !report.search.has_commit() {
        let note = "note: neither this build nor that of the report knows its commit: see yourself that their code is one";
        anstream::eprintln!("{}", paint::odd(note));
    }
    Ok((path, report))
}

/// Where findings go beside the answer.
struct Places<'a> {
    report: Option<&'a Path>,
    shelf: Option<&'a Shelf>,
}

/// Searches, and tells on the way what fails. Answers with what was found, and whether that could be written.
fn search(
    plan: &Plan<'_>,
    course: &Course<'_>,
    known: &[Failure],
    (bar, places): (&Bar, &Places<'_>),
    out: &mut dyn Write,
) -> Result<(Report, Result<(), ReportError>), Trouble> {
    let mut trouble = None;
    let mut written = Duration::ZERO;
    let findings = explore(plan, course, |progress, findings, failed| {
        let told = bar.tell(progress, failed, out).map_err(Trouble::from);
        let kept = match places.report {
            Some(path) if progress.elapsed >= written + REPORT_EVERY => {
                written = progress.elapsed;
                Report::of(plan, findings, State::Going, known).write(path).map_err(Trouble::from)
            }
            Some(_) | None => Ok(()),
        };
        let bundled = match (places.shelf, failed) {
            (Some(shelf), Some(failed)) => shelf
                .keep(plan.plays, failed)
                .map_err(Trouble::from)
                .and_then(|path| Ok(bar.tell_bundle(&path, out)?)),
            (None, _) | (_, None) => Ok(()),
        };
        if let Err(error) = told.and(bundled).and(kept) {
            trouble.get_or_insert(error);
            // Nobody reads what it would find.
            plan.interrupted.store(true, Ordering::Relaxed);
        }
    });
    bar.clear();
    let report = Report::of(plan, &findings, State::last(&findings), known);
    let written = places.report.map_or(Ok(()), |path| report.write(path));
    trouble.map_or(Ok((report, written)), Err)
}

/// Says what a search found, or several that were joined.
pub(super) fn answer(
    report: &Report,
    missing: &[Shard],
    json: bool,
    marks: bool,
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    let summary = summary::of(report, missing);
    if json {
        serde_json::to_writer_pretty(&mut *out, &summary).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        table::write(&summary, marks, out)?;
    }
    Ok(match (summary.interrupted, summary.passed) {
        (true, _) => Ending::Interrupted,
        (false, true) => Ending::Passed,
        (false, false) => Ending::Failed,
    })
}

impl Arguments {
    /// The plays that are asked for, or all that the strategy is for.
    fn chosen(&self, plays: &[&'static dyn Play]) -> Result<Vec<&'static dyn Play>, Trouble> {
        let points = matches!(self.strategy, Strategy::Points { .. });
        let chosen: Vec<_> = match self.scenario.as_slice() {
            [] => plays.iter().copied().filter(|play| play.is_small() == points).collect(),
            names => names.iter().map(|play| name::find(plays, play)).collect::<Result<_, _>>()?,
        };
        // Only these say what may strike where, and start again whoever fell.
        if let Some(large) = chosen.iter().find(|play| points && !play.is_small()) {
            let small = plays.iter().filter(|play| play.is_small()).map(|play| play.name()).collect();
            return Err(NotSmall { name: large.name(), small }.into());
        }
        if chosen.is_empty() { Err(Trouble::NoPlays) } else { Ok(chosen) }
    }

    fn limit(&self, plays: usize) -> Limit {
        let seeds = match self.strategy {
            Strategy::Points { .. } => RECORDED_SEEDS,
            Strategy::Random | Strategy::Swarm | Strategy::Pct { .. } | Strategy::Branch => SEEDS,
        };
        let plays = u64::try_from(plays).expect("a number of plays fits");
        let shared = self.runs.map(|runs| runs.div_ceil(plays));
        match self.time {
            Some(time) => Limit::Time(time),
            None => Limit::Seeds(self.seeds.or(shared).unwrap_or(seeds)),
        }
    }

    const fn failures_max(&self) -> u64 {
        match (self.stop_on_failure, self.keep_going) {
            (true, _) => 1,
            (false, true) => u64::MAX,
            (false, false) => FAILURES_MAX,
        }
    }
}
