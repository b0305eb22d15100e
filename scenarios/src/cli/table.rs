//! What a search found, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, Table};

use sim::PointFault;

use crate::cli::summary::{Recovery, Scenario, Summary};
use crate::cli::{duration, paint};

/// Writes it.
pub(super) fn write(summary: &Summary, name_marks: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", plays(&summary.scenarios))?;
    let faults = faults(&summary.scenarios);
    if faults.row_count() > 0 {
        writeln!(out, "{faults}")?;
    }
    let points = points(summary);
    if points.row_count() > 0 {
        writeln!(out, "{points}")?;
    }
    recoveries(&summary.scenarios, out)?;
    skipped(summary, out)?;
    marks(summary, name_marks, out)?;
    for shortfall in &summary.shortfalls {
        writeln!(out, "{} {shortfall}", paint::bad("the batch falls short:"))?;
    }
    if !summary.hosted {
        let warning = "built without --cfg madsim: runs may differ where libraries ask the operating system";
        writeln!(out, "{}", paint::odd(warning))?;
    }
    last_line(summary, out)
}

/// How long recoveries took, where they were waited for.
fn recoveries(scenarios: &[Scenario], out: &mut dyn Write) -> io::Result<()> {
    for scenario in scenarios {
        let Some(Recovery { count, median_ms, longest_ms }) = &scenario.recovery else { continue };
        let name = &scenario.name;
        writeln!(
            out,
            "{name}: {count} recoveries, half of them within {median_ms} ms, all within {longest_ms} ms"
        )?;
    }
    Ok(())
}

/// What the world does not have: each family with its reason, and the scenarios that would have it.
fn skipped(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut all: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for each in &summary.skipped {
        all.entry((&each.name, &each.why)).or_default().push(&each.scenario);
    }
    for ((name, why), scenarios) in all {
        writeln!(out, "not on {}: {name} ({}): {why}", summary.world, scenarios.join(", "))?;
    }
    Ok(())
}

/// The marks of rare branches: how many of them were reached, and by name those that were not.
fn marks(summary: &Summary, name_them: bool, out: &mut dyn Write) -> io::Result<()> {
    let (reached, missed) = (summary.marks.len(), &summary.marks_never_reached);
    if missed.is_empty() {
        return Ok(());
    }
    let all = reached + missed.len();
    if name_them {
        let never = missed.len();
        return writeln!(out, "{reached} of {all} marks reached, {never} never: {}", missed.join(", "));
    }
    let never = missed.len();
    writeln!(out, "{reached} of {all} marks reached, {never} never; --marks names those")
}

fn last_line(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let seeds: u64 = summary.scenarios.iter().map(|scenario| scenario.seeds).sum();
    let wall = duration::short(Duration::try_from_secs_f64(summary.wall_seconds).unwrap_or(Duration::MAX));
    let runs = if summary.verified { "runs, each three times," } else { "runs" };
    let jobs = summary.jobs;
    let done = format!("{seeds} {runs} in {wall} on {jobs} threads");
    let verdict = match (summary.failures.len(), summary.shortfalls.len()) {
        (0, 0) if summary.passed => paint::good("nothing failed").to_string(),
        (0, 0) if summary.interrupted => paint::odd("nothing failed so far").to_string(),
        (0, 0) if !summary.shards_missing.is_empty() => paint::bad("shards are missing").to_string(),
        (0, 0) if !summary.shards_unfinished.is_empty() => {
            paint::bad("it was not done to its end").to_string()
        }
        (0, 0) => paint::bad("a scenario was not run at all, or not to the end").to_string(),
        (0, _) => paint::bad("the batch falls short").to_string(),
        (failures, _) if summary.gave_up => {
            paint::bad(format!("ended after {failures} failures")).to_string()
        }
        (failures, _) => paint::bad(format!("{failures} failed")).to_string(),
    };
    let shards = match summary.shards.as_slice() {
        [one] if one == "1/1" => String::new(),
        shards => format!(" (shard {})", shards.join(", ")),
    };
    let cut = if summary.interrupted { ", then ended by Ctrl-C" } else { "" };
    for shard in &summary.shards_missing {
        writeln!(out, "{} {shard}", paint::bad("a shard is missing:"))?;
    }
    for shard in &summary.shards_unfinished {
        let advice = "--resume goes on from its report";
        writeln!(out, "{} {shard}; {advice}", paint::bad("a shard ended without a word:"))?;
    }
    writeln!(out, "{done}{shards}{cut}: {verdict}")
}

fn plain(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(head.iter().map(Cell::new));
    table
}

fn right(text: impl std::fmt::Display) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}

fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        whole => format!("{:.0} %", part as f64 * 100.0 / whole as f64),
    }
}

fn plays(scenarios: &[Scenario]) -> Table {
    let head = [
        "scenario",
        "seeds",
        "failed",
        "operations",
        "refused",
        "faults felt",
        "in seeds",
        "commits",
        "virtual",
        "seeds/s",
        "virtual s/s",
    ];
    let mut table = plain(&head);
    for scenario in scenarios {
        let felt: u64 = scenario.faults.values().map(|fault| fault.effects).sum();
        let seconds = Duration::try_from_secs_f64(scenario.virtual_seconds).unwrap_or(Duration::MAX);
        table.add_row([
            Cell::new(&scenario.name),
            right(scenario.seeds),
            right(scenario.failures),
            right(scenario.operations),
            right(scenario.operations_failed),
            right(felt),
            right(percent(scenario.seeds_with_effect, scenario.seeds_with_faults)),
            right(scenario.commits),
            right(duration::short(seconds)),
            right(format!("{:.1}", scenario.seeds_per_second)),
            right(format!("{:.0}", scenario.virtual_seconds_per_second)),
        ]);
    }
    table
}

fn faults(scenarios: &[Scenario]) -> Table {
    // Only a search that leaves families out says of how many seeds.
    let drawn = scenarios.iter().any(|scenario| scenario.seeds_drawn > 0);
    let head: &[_] = if drawn {
        &["scenario", "fault", "not left out", "on in seeds", "felt in", "effects"]
    } else {
        &["scenario", "fault", "on in seeds", "felt in", "effects"]
    };
    let mut table = plain(head);
    for scenario in scenarios {
        for (family, fault) in &scenario.faults {
            let share = right(percent(fault.seeds_drawn, scenario.seeds_drawn));
            let mut row = vec![Cell::new(&scenario.name), Cell::new(family)];
            row.extend(drawn.then_some(share));
            row.extend([
                right(fault.seeds),
                right(percent(fault.seeds_with_effect, fault.seeds)),
                right(fault.effects),
            ]);
            table.add_row(row);
        }
    }
    table
}

/// The runs that were recorded, and how many followed from each.
fn points(summary: &Summary) -> Table {
    let mut table =
        plain(&["scenario", "seed", "points", "faults", "cannot strike", "equal", "runs", "pairs"]);
    for recorded in &summary.points {
        let kinds: Vec<_> = recorded.points.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let points: u64 = recorded.points.values().sum();
        table.add_row([
            Cell::new(&recorded.scenario),
            right(recorded.seed),
            Cell::new(format!("{points}: {}", kinds.join(", "))),
            right(points * PointFault::ALL.len() as u64),
            right(recorded.inapplicable),
            right(recorded.equal),
            right(recorded.runs),
            right(recorded.pairs),
        ]);
    }
    table
}
