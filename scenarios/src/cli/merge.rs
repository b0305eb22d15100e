//! `rehearse merge`: joins the reports of shards into what one search would have said.

use std::io::Write;
use std::path::PathBuf;

use crate::cli::explore::answer;
use crate::cli::report::Report;
use crate::cli::{Ending, Trouble, paint};

/// What `merge` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What shards of one search have written
    #[arg(value_name = "FILE", required = true)]
    reports: Vec<PathBuf>,
    /// Write the joined report
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Name the marks that no run reached
    #[arg(long)]
    marks: bool,
    /// Answer JSON
    #[arg(long)]
    json: bool,
}

/// Obeys.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Ending, Trouble> {
    let (first, others) = arguments.reports.split_first().expect("clap asks for one at least");
    let mut joined = Report::read(first)?;
    for other in others {
        joined.join(other, Report::read(other)?)?;
    }
    if !others.is_empty() && !joined.search.has_commit() {
        let note =
            "note: the builds that wrote these reports know no commit: see yourself that their code is one";
        anstream::eprintln!("{}", paint::odd(note));
    }
    if let Some(path) = &arguments.report {
        joined.write(path)?;
    }
    let missing = joined.missing();
    answer(&joined, &missing, arguments.json, arguments.marks, out)
}
