//! The comparison, script by script and world by world, and the page that keeps it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::scripts::{self, Place, Script};
use crate::worlds::kernel::{self, Namespace, Shown};
use crate::worlds::{Both, HANGS, Outcome, PANICS, simulated};

/// How many simulated worlds have to agree with the kernel, and how many where much is moved.
const SEEDS: (u64, u64) = (40, 2);

/// How many runs on madsim are compared, likewise.
#[cfg(madsim)]
const MADSIM_SEEDS: (u64, u64) = (4, 1);

/// How a world compares with the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It shows the same.
    Equal,
    /// It shows something else: where first, and what.
    Differs(String),
    /// The world has not what the script needs.
    Skipped(&'static str),
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Equal => write!(out, "equal"),
            Self::Differs(how) => write!(out, "{how}"),
            Self::Skipped(why) => write!(out, "skipped: {why}"),
        }
    }
}

/// The first observation in which two worlds differ.
fn difference(kernel: &Both, other: &Outcome) -> Option<String> {
    let other = match other {
        Ok(other) => other,
        Err(failure) => return Some(format!("the run fails: {failure}")),
    };
    // Whoever waits in vain explains less than what the other one saw before.
    let mut found = Vec::new();
    for (party, kernel, other) in
        [("server", &kernel.server, &other.server), ("client", &kernel.client, &other.client)]
    {
        let steps = kernel.len().max(other.len());
        let first = (0..steps).find(|step| kernel.get(*step) != other.get(*step));
        if let Some(step) = first {
            let said = |seen: &[String]| seen.get(step).map_or("nothing more", String::as_str).to_owned();
            let hangs = other.get(step).is_some_and(|said| said == HANGS);
            found.push((hangs, format!("{party}: `{}`, not `{}`", said(other), said(kernel))));
        }
    }
    found.sort_by_key(|(hangs, _)| *hangs);
    found.into_iter().next().map(|(_, how)| how)
}

/// The first seed whose world differs, and how.
fn compare(kernel: &Both, seeds: u64, run: impl Fn(u64) -> Outcome) -> Option<(u64, String)> {
    (0..seeds).find_map(|seed| difference(kernel, &run(seed)).map(|how| (seed, how)))
}

fn seeds_of(script: &Script, (usual, much): (u64, u64)) -> u64 {
    if script.moves_much { much } else { usual }
}

/// Plays everything on the kernel. Its namespaces may be missing.
fn on_the_kernel(all: &[Script]) -> Shown {
    let others = Namespace::begin();
    let mut shown = kernel::on_the_loopback(all);
    match others {
        Some(others) => shown.extend(others.end()),
        None => {
            println!("note: no network namespace may be made here; what needs one was left out on the kernel")
        }
    }
    for (script, both) in &shown {
        let came_to_its_end = |said: &String| !matches!(said.as_str(), HANGS | PANICS);
        let ended = both.server.iter().chain(&both.client).all(came_to_its_end);
        assert!(ended, "{script} does not end on the kernel: it describes nothing\n{both:#?}");
    }
    shown
}

/// What differs between `sim` and the kernel; nothing may.
fn simulated_differences(all: &[Script], kernel: &Shown) -> String {
    let mut differences = String::new();
    for script in all {
        let Some(shown) = kernel.get(script.name) else { continue };
        if let Some((seed, how)) =
            compare(shown, seeds_of(script, SEEDS), |seed| simulated::run(*script, seed))
        {
            let simulated = simulated::run(*script, seed);
            writeln!(
                differences,
                "{}, seed {seed}: {how}\nthe kernel shows {shown:#?}\nand sim {simulated:#?}",
                script.name
            )
            .expect("a string takes all");
        }
    }
    differences
}

/// How madsim compares, script by script.
#[cfg(madsim)]
fn madsim_verdicts(all: &[Script], kernel: &Shown) -> BTreeMap<&'static str, Verdict> {
    let verdict = |script: &Script, shown: &Both| {
        if let Some(why) = script.lacking {
            return Verdict::Skipped(why);
        }
        let run = |seed| crate::worlds::madsim::run(*script, seed);
        let found = compare(shown, seeds_of(script, MADSIM_SEEDS), run);
        found.map_or(Verdict::Equal, |(_, how)| Verdict::Differs(how))
    };
    all.iter().filter_map(|script| Some((script.name, verdict(script, kernel.get(script.name)?)))).collect()
}

/// Verdicts are cells: what would end one is taken out.
fn cell(verdict: &Verdict) -> String {
    verdict.to_string().replace('|', "\\|").replace('\n', " ")
}

/// The page, from what was found on madsim.
fn page(madsim: &BTreeMap<&'static str, Verdict>) -> String {
    let mut page = String::from(HEAD);
    let mut counts = [0; 3];
    for (about, scripts) in scripts::all() {
        writeln!(page, "\n## {about}\n\n| script | kernel | sim | madsim |\n|---|---|---|---|")
            .expect("a string");
        for script in scripts {
            let place = match script.place {
                Place::Loopback => "loopback",
                Place::Namespace => "namespace",
            };
            let verdict = &madsim[script.name];
            counts[match verdict {
                Verdict::Equal => 0,
                Verdict::Differs(_) => 1,
                Verdict::Skipped(_) => 2,
            }] += 1;
            writeln!(page, "| {} | {place} | equal | {} |", script.name, cell(verdict)).expect("a string");
        }
    }
    let [equal, differs, skipped] = counts;
    let all = equal + differs + skipped;
    let sum = format!(
        "{all} scripts. `sim` equals the kernel in all of them; madsim in {equal}, it differs in {differs}, and {skipped} need what \
         it does not have.\n"
    );
    page.replacen("SUM\n", &sum, 1)
}

const HEAD: &str = "# Conformance

The same socket scripts, run unchanged on the real kernel over loopback, on `sim` and on madsim. What is compared is
the order of operations, the bytes in a row, and how a stream ends, with the kind of the error; not the sizes of single
reads and writes, and no times.

SUM
`loopback`: on the kernel's loopback. `namespace`: on the loopback of a network namespace, where the cable is cut by a
queue that swallows everything and `somaxconn` is 4; where the system lets nobody make a namespace,
the kernel's part of these is left out. For madsim the first observation that differs is given: what it shows, and what
the kernel shows.

`cargo test -p rehearsal-tests --test conformance -- --nocapture` prints this page and fails if it is not this one;
`REHEARSAL_WRITE_DOCS=1` writes it.
";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md")
}

#[test]
fn sim_shows_what_the_kernel_shows_and_the_page_tells_where_madsim_does_not() {
    let all: Vec<Script> = scripts::all().into_iter().flat_map(|(_, scripts)| scripts).collect();
    let kernel = on_the_kernel(&all);
    let (differences, page) = std::thread::scope(|scope| {
        let simulated = scope.spawn(|| simulated_differences(&all, &kernel));
        let page = page_of(&all, &kernel);
        (simulated.join().expect("it compares"), page)
    });
    if let Some(page) = &page {
        println!("{page}");
    }
    assert!(differences.is_empty(), "{differences}");
    let Some(page) = page else { return };
    if std::env::var_os("REHEARSAL_WRITE_DOCS").is_some() {
        std::fs::write(path(), &page).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(path()).unwrap_or_default();
    assert!(kept == page, "docs/conformance.md is stale: run with REHEARSAL_WRITE_DOCS=1 to update it");
}

/// The page, if all that it tells could be found out here.
fn page_of(all: &[Script], kernel: &Shown) -> Option<String> {
    #[cfg(not(madsim))]
    {
        println!("note: built without --cfg madsim: its column is not compared");
        let _unread = (all, kernel);
        None
    }
    #[cfg(madsim)]
    {
        let madsim = madsim_verdicts(all, kernel);
        if madsim.len() < all.len() {
            println!(
                "note: {} scripts could not be compared; the page is not checked",
                all.len() - madsim.len()
            );
            return None;
        }
        Some(page(&madsim))
    }
}
