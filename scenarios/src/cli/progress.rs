//! How far a search is, and what it finds on the way.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::paint;
use crate::cli::report::replay_line;
use crate::cli::told::flags;
use crate::search::{Failed, Limit, Progress};

/// The progress bar, which only terminals see, and failures as they are found, which everybody does.
pub(super) struct Bar {
    bar: ProgressBar,
    limit: Limit,
    json: bool,
}

impl Bar {
    /// Of a search that has done nothing.
    pub(super) fn new(limit: Limit, json: bool) -> Self {
        let bar = ProgressBar::new(0);
        let style = "{elapsed_precise} {bar:30} {msg}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is well formed"));
        Self { bar, limit, json }
    }

    /// Of runs that must be known before the search begins.
    pub(super) fn tell_ahead(&self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
        self.bar.set_message(format!("{done}/{all} runs ahead"));
    }

    /// How far it is, and what failed.
    pub(super) fn tell(
        &self,
        progress: Progress,
        failed: Option<&Failed>,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
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
                let Failed { play, seed, options, why, .. } = failed;
                anstream::eprintln!("{play}:{seed}{} {why}", flags(options));
                return Ok(());
            }
            write_failure(failed, out)
        })
    }

    /// Where a failure is kept.
    pub(super) fn tell_bundle(&self, path: &Path, out: &mut dyn Write) -> std::io::Result<()> {
        self.bar.suspend(|| {
            if self.json {
                anstream::eprintln!("  bundle: {}", path.display());
                return Ok(());
            }
            writeln!(out, "  bundle: {}", path.display())?;
            out.flush()
        })
    }

    /// Takes it away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn write_failure(failed: &Failed, out: &mut dyn Write) -> std::io::Result<()> {
    let Failed { play, seed, options, why, .. } = failed;
    let run = format!("{play}:{seed}{}", flags(options));
    writeln!(out, "{} {why}", paint::bad(run))?;
    writeln!(out, "  replay: {}", paint::command(replay_line(failed)))?;
    out.flush()
}
