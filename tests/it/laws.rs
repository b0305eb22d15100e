//! The page of laws says what holds each promise: the list is complete, and what it names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use model::Law;

const PAGE: &str = include_str!("../../docs/laws.md");

/// The rows of the restart races, and of errors and versions, that concern the control plane.
const ROWS: [&str; 23] = [
    "S2-01", "S2-02", "S2-08", "S2-23", "S2-24", "S2-25", "S2-26", "S2-27", "S4-01", "S4-02", "S4-03",
    "S4-06", "S4-08", "S4-12", "S4-13", "S4-14", "S4-15", "S4-16", "S4-17", "S4-20", "S4-21", "S4-22",
    "S4-23",
];

/// The invariants are numbered up to this one.
const INVARIANTS: u32 = 38;

/// Those that are no part of the control plane; the page says why.
const ELSEWHERE: [&str; 1] = ["I30"];

/// Below these lie the sources of tests.
const ROOMS: [&str; 5] = ["engine", "model", "scenarios", "sim", "tests"];

/// The rows of the page: id, what it says, and the names of what holds it.
fn rows() -> BTreeMap<&'static str, (&'static str, Vec<&'static str>)> {
    let (_, list) = PAGE.split_once("\n# Where each is held\n").expect("the page has the list");
    let mut rows = BTreeMap::new();
    for line in list.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, says, held] = cells[..] else { panic!("a row has three cells: {line}") };
        let names = held.split('`').skip(1).step_by(2).collect();
        assert!(rows.insert(id, (says, names)).is_none(), "{id} is there twice");
    }
    rows
}

/// Names of all tests below a folder.
fn tests(folder: &Path, names: &mut BTreeSet<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry of a folder that was read").path();
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("sources are text");
            names.extend(tests_of(&source));
        }
    }
}

/// Names of the tests in a source: of the functions behind its attributes.
fn tests_of(source: &str) -> impl Iterator<Item = String> {
    let attributed = ["#[test]\n", "#[sim::test"].into_iter().flat_map(|mark| source.split(mark).skip(1));
    let name = |rest: &str| Some(rest.split_once("fn ")?.1.split_once('(')?.0.to_owned());
    attributed.filter_map(name)
}

#[test]
fn only_what_runs_as_a_test_counts_as_one() {
    let source = "fn helps() {}\n#[test]\n#[ignore = \"slow\"]\nfn holds() { helps() }\n#[sim::test(seeds = 3)]\nasync fn holds_too(world: World) {}\nfn neither() {}\n";
    assert_eq!(tests_of(source).collect::<Vec<_>>(), ["holds", "holds_too"]);
}

#[test]
fn every_promise_of_the_control_plane_is_on_the_page() {
    let rows = rows();
    let mut wanted: BTreeSet<String> = ROWS.map(ToOwned::to_owned).into();
    wanted.extend((1..=INVARIANTS).map(|number| format!("I{number}")));
    wanted.retain(|id| !ELSEWHERE.contains(&id.as_str()));
    let there: BTreeSet<String> = rows.keys().map(|id| (*id).to_owned()).collect();
    assert_eq!(wanted.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "missing");
    assert_eq!(there.difference(&wanted).collect::<Vec<_>>(), Vec::<&String>::new(), "unknown");
    for (id, (says, names)) in rows {
        assert!(says.len() > 20 && !names.is_empty(), "{id} says {says:?}, and nothing holds it");
    }
}

#[test]
fn what_the_page_names_is_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut known = BTreeSet::new();
    for room in ROOMS {
        tests(&root.join(room), &mut known);
    }
    known.extend(Law::ALL.map(|law| law.name().to_owned()));
    known.extend(scenarios::plays().iter().map(|play| play.name().to_owned()));
    let names = rows().into_iter().flat_map(|(id, (_, names))| names.into_iter().map(move |name| (id, name)));
    let unknown: Vec<_> = names.filter(|(_, name)| !known.contains(*name)).collect();
    assert!(unknown.is_empty(), "neither a law nor a play nor a test: {unknown:?}");
}
