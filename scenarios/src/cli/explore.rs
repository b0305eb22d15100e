//! `rehearse explore`: runs plays over seeds.

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Ending, Trouble, duration, interrupt, name, paint, summary, table};
use crate::play::Play;
use crate::search::{Failed, Fresh, Limit, Plan, Process, Progress, Start, explore};

/// Seeds per play if nothing is said: about a quarter of a minute on two cores.
const SEEDS: u64 = 200;
/// Failures after which a search ends if nothing is said: more of them rarely tell more.
const FAILURES_MAX: u64 = 10;

/// What `explore` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only these scenarios [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    scenario: Vec<String>,
    /// Seeds per scenario [default: 200]
    #[arg(long, value_name = "N", conflicts_with = "time", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Go on for so long instead: 60s, 5m, 1h
    #[arg(long = "for", value_name = "TIME", id = "time", value_parser = duration::parse)]
    time: Option<Duration>,
    /// The first seed: a number, or a commit hash for other seeds with every commit
    #[arg(long, value_name = "N|COMMIT", default_value = "0")]
    start: Start,
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
    let chosen = match arguments.scenario.as_slice() {
        [] => plays.to_vec(),
        names => names.iter().map(|play| name::find(plays, play)).collect::<Result<_, _>>()?,
    };
    if chosen.is_empty() {
        return Err(Trouble::NoPlays);
    }
    let jobs =
        arguments.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let fresh = if arguments.verify { Some(Process::of_this_binary()?) } else { None };
    let limit = match (arguments.time, arguments.seeds) {
        (Some(time), _) => Limit::Time(time),
        (None, seeds) => Limit::Seeds(seeds.unwrap_or(SEEDS)),
    };
    let failures_max = match (arguments.stop_on_failure, arguments.keep_going) {
        (true, _) => 1,
        (false, true) => u64::MAX,
        (false, false) => FAILURES_MAX,
    };
    let interrupted = interrupt::watch()?;
    let plan = Plan {
        plays: &chosen,
        start: arguments.start,
        limit,
        jobs,
        failures_max,
        verify: fresh.as_ref().map(|fresh| fresh as &dyn Fresh),
        interrupted,
    };
    let bar = Bar::new(limit, arguments.json);
    let mut broken_pipe = None;
    let findings = explore(&plan, |progress, failed| {
        if let Err(error) = bar.tell(progress, failed, out) {
            broken_pipe.get_or_insert(error);
            // Nobody reads what it would find.
            interrupted.store(true, Ordering::Relaxed);
        }
    });
    bar.clear();
    if let Some(error) = broken_pipe {
        return Err(error.into());
    }
    let summary = summary::of(&plan, &findings);
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &summary).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        table::write(&summary, arguments.marks, out)?;
    }
    Ok(match (findings.interrupted, summary.passed) {
        (true, _) => Ending::Interrupted,
        (false, true) => Ending::Passed,
        (false, false) => Ending::Failed,
    })
}

/// The progress bar, which only terminals see, and failures as they are found, which everybody does.
struct Bar {
    bar: ProgressBar,
    limit: Limit,
    json: bool,
}

impl Bar {
    fn new(limit: Limit, json: bool) -> Self {
        let bar = ProgressBar::new(0);
        let style = "{elapsed_precise} {bar:30} {msg}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is well formed"));
        Self { bar, limit, json }
    }

    fn tell(&self, progress: Progress, failed: Option<&Failed>, out: &mut dyn Write) -> std::io::Result<()> {
        let Progress { done, total, failures, elapsed } = progress;
        match self.limit {
            Limit::Seeds(_) => {
                self.bar.set_length(total.unwrap_or(done));
                self.bar.set_position(done);
            }
            Limit::Time(limit) => {
                let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                self.bar.set_length(millis(limit));
                self.bar.set_position(millis(elapsed.min(limit)));
            }
        }
        let of = total.map_or_else(String::new, |total| format!("/{total}"));
        let failures = if failures == 0 { String::new() } else { format!(", {failures} failed") };
        self.bar.set_message(format!("{done}{of} runs{failures}"));
        let Some(failed) = failed else { return Ok(()) };
        self.bar.suspend(|| {
            if self.json {
                anstream::eprintln!("{}:{} {}", failed.play, failed.seed, failed.why);
                return Ok(());
            }
            write_failure(failed, out)
        })
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn write_failure(failed: &Failed, out: &mut dyn Write) -> std::io::Result<()> {
    let Failed { play, seed, why, .. } = failed;
    writeln!(out, "{} {why}", paint::bad(format_args!("{play}:{seed}")))?;
    writeln!(out, "  replay: {}", paint::command(summary::replay_line(failed)))?;
    out.flush()
}
