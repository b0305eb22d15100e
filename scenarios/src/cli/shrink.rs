//! `rehearse shrink`: a smaller run that breaks the same law.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bundle::{Bundle, BundleError};
use crate::cli::name::{RunName, Subject, find};
use crate::cli::told::{Told as How, flags};
use crate::cli::{Ending, Trouble, duration, interrupt, jobs, paint, world, writable};
use crate::play::{Play, RunOptions};
use crate::shrink::{Plan, Progress, Shrunk, Size, shrink};

/// Names of what is left are told up to so many.
const NAMES_MAX: usize = 12;

/// How often the progress bar is drawn anew.
const TICK: Duration = Duration::from_millis(250);

/// What `shrink` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The failing run, as a failure names it, or its bundle
    #[arg(value_name = "SCENARIO:SEED|FILE.json")]
    run: Subject,
    #[command(flatten)]
    told: How,
    /// Where the smaller run's bundle goes [default: SCENARIO-SEED-DIGEST.json]
    #[arg(long, value_name = "FILE.json", value_parser = bundle_path)]
    out: Option<PathBuf>,
    /// End after so long with what there is then: 60s, 5m [default: when nothing more can go]
    #[arg(long = "for", value_name = "TIME", id = "time", value_parser = duration::parse)]
    time: Option<Duration>,
    /// Threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// Why a file cannot be a bundle's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a bundle ends in .json: by that replay and shrink know it")]
struct NoBundleName;

fn bundle_path(text: &str) -> Result<PathBuf, NoBundleName> {
    if text.ends_with(".json") { Ok(text.into()) } else { Err(NoBundleName) }
}

/// Obeys.
pub(super) fn run(
    arguments: &Arguments,
    plays: &[&'static dyn Play],
    out: &mut dyn Write,
) -> Result<Ending, Trouble> {
    let (RunName { play: name, seed }, options, bundle) = arguments.run.read(&arguments.told)?;
    world::check(options.world, &[("shrink", true)])?;
    let play = find(plays, &name)?;
    let given = arguments.out.as_deref();
    let place = given.unwrap_or_else(|| Path::new("."));
    given
        .map_or_else(|| writable::folder(place), writable::file)
        .map_err(|source| BundleError::Io { path: place.to_owned(), source })?;
    let plan = Plan {
        play,
        seed,
        options: options.clone(),
        law: bundle.as_ref().map(|bundle| bundle.law.as_str()),
        jobs: jobs(arguments.jobs),
        limit: arguments.time,
        interrupted: interrupt::watch()?,
    };
    let begun = runtime::now();
    let bar = bar();
    let shrunk = shrink(&plan, |progress| bar.set_message(told(&progress)));
    bar.finish_and_clear();
    let shrunk = match shrunk {
        Ok(shrunk) => shrunk,
        Err(error) => {
            anstream::eprintln!("{name}:{seed}: {}", paint::bad(error));
            return Ok(Ending::Failed);
        }
    };
    write(&name, seed, &shrunk, begun.elapsed(), out)?;
    let options = RunOptions { overrides: shrunk.overrides.clone(), ..options };
    let replay = format!("cargo replay {name}:{seed}{}", flags(&options));
    // First of all, since it is all that is needed: a file may still not be written.
    writeln!(out, "  replay: {}", paint::command(&replay))?;
    out.flush()?;
    let law = (shrunk.broken.law, shrunk.broken.to_string());
    let bundle = Bundle::new(&name, &options, law, &shrunk.report, replay);
    let path = arguments.out.clone().unwrap_or_else(|| bundle.file_name().into());
    bundle.write(&path)?;
    writeln!(out, "  bundle: {}", path.display())?;
    Ok(if shrunk.interrupted { Ending::Interrupted } else { Ending::Passed })
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = "{elapsed_precise} {spinner} {msg}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is well formed"));
    bar.enable_steady_tick(TICK);
    bar
}

fn told(progress: &Progress) -> String {
    let Size { faults, operations, clients, streams, .. } = progress.left;
    let runs = progress.runs;
    format!(
        "{runs} runs; left: {faults} faults, {operations} operations, {clients} clients, {streams} free streams"
    )
}

fn write(
    play: &str,
    seed: u64,
    shrunk: &Shrunk,
    elapsed: Duration,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let Shrunk { before, after, .. } = shrunk;
    writeln!(out, "{} {}", paint::bad(format_args!("{play}:{seed}")), shrunk.broken)?;
    let calm: Vec<_> = shrunk.calm.iter().map(ToString::to_string).collect();
    for (what, from, to, names) in [
        ("faults", before.faults, after.faults, &shrunk.faults),
        ("operations", before.operations, after.operations, &shrunk.operations),
        ("clients", before.clients, after.clients, &Vec::new()),
        ("streams left to the seed", before.streams, after.streams, &Vec::new()),
    ] {
        writeln!(out, "  {what}: {from} → {to}{}", listed(names))?;
    }
    if !calm.is_empty() {
        writeln!(out, "  calm{}", listed(&calm))?;
    }
    writeln!(out, "  events: {} → {}", before.events, after.events)?;
    let end = match (shrunk.interrupted, shrunk.cut_off) {
        (true, _) => "; ended by Ctrl-C",
        (false, true) => "; time was over before nothing more could go",
        (false, false) => "; nothing more can go",
    };
    writeln!(out, "{} runs in {}{end}", shrunk.runs, duration::short(elapsed))
}

/// Names after a colon, not too many.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let told = names[..names.len().min(NAMES_MAX)].join(", ");
    let more = names.len().saturating_sub(NAMES_MAX);
    if more > 0 { format!(": {told} and {more} more") } else { format!(": {told}") }
}
