use protocol::time::Mono;

use super::*;

/// A play of which a report is made without a world: it breaks a law if its faults 3 and 8 of ten strike and operation 4
/// of twelve is done by the second client while the stream `rain` is left to the seed; another law, earlier, if its fault 5
/// is spared.
struct Paper {
    other_law: bool,
}

impl Play for Paper {
    fn name(&self) -> &'static str {
        "paper"
    }

    fn about(&self) -> &'static str {
        "it exists on paper only"
    }

    fn fault_streams(&self) -> Vec<Streams> {
        vec![Streams::beginning("fall/")]
    }

    fn run(&self, seed: u64, options: &RunOptions) -> RunReport {
        let overrides = &options.overrides;
        let happens = |stream: &str, number| !overrides.waives(stream, number);
        let calm = |name: &str| {
            let calms = overrides.iter().filter_map(|one| match one {
                sim::Override::Calm(streams) => Some(streams),
                sim::Override::Pin { .. } => None,
            });
            calms.into_iter().any(|streams| streams.contains(name))
        };
        let two = happens("spare/a", 3) && happens("spare/a", 8);
        let one = happens("absent/client-1", 0) && happens("skip/client-1", 4);
        let law = if self.other_law && !happens("spare/a", 5) {
            Some("another_law")
        } else {
            (two && one && !calm("weather/rain/x") && !calm("fall/how")).then_some("a_law")
        };
        let broken = |law| Broken { law, at: Mono::ZERO, place: None, text: String::new() };
        let stream =
            |stream: &str, decisions, given| StreamCount { stream: stream.to_owned(), decisions, given };
        RunReport {
            seed,
            outcome: law.map_or(Ok(()), |law| Err(broken(law))),
            events: 1,
            streams: vec![
                stream("pick", 9, false),
                stream("weather/rain/x", 9, false),
                stream("weather/rain/y", 9, false),
                stream("weather/wind", 9, false),
                stream("entropy/a", 9, false),
                stream("fall/how", 10, false),
                stream("spare/a", 10, true),
                stream("skip/client-0", 12, true),
                stream("skip/client-1", 12, true),
                stream("absent/client-0", 1, true),
                stream("absent/client-1", 1, true),
            ],
            ..RunReport::fallen(seed, &"")
        }
    }
}

fn shrunk(play: &Paper, overrides: &[&str], jobs: usize) -> Result<Shrunk, ShrinkError> {
    let plan = Plan {
        play,
        seed: 7,
        options: RunOptions {
            overrides: overrides.iter().map(|text| text.parse::<sim::Override>().unwrap()).collect(),
            ..RunOptions::default()
        },
        jobs: NonZeroUsize::new(jobs).unwrap(),
        law: None,
        limit: None,
        interrupted: &AtomicBool::new(false),
    };
    shrink(&plan, |_| {})
}

fn texts(overrides: &Overrides) -> Vec<String> {
    overrides.iter().map(|one| one.to_string()).collect()
}

#[test]
fn what_is_left_is_exactly_what_breaks_the_law() {
    let shrunk = shrunk(&Paper { other_law: false }, &["pick#3=1", "weather/wind#2=1"], 1).unwrap();
    let left = [
        "absent/client-0#0=1",
        "pick#*",
        "skip/*#*",
        "spare/*#*",
        "weather/rain/y#*",
        "weather/wind#*",
        "skip/client-1#4=0",
        "spare/a#3=0",
        "spare/a#8=0",
    ];
    let mut found = texts(&shrunk.overrides);
    found.sort();
    let mut left = left.map(ToOwned::to_owned);
    left.sort();
    assert_eq!(found, left);
    assert_eq!((shrunk.before.faults, shrunk.after.faults), (10, 2));
    assert_eq!((shrunk.before.operations, shrunk.after.operations), (24, 1));
    assert_eq!((shrunk.before.clients, shrunk.after.clients), (2, 1));
    assert_eq!(shrunk.faults, ["spare/a#3", "spare/a#8"]);
    assert!(!shrunk.cut_off && shrunk.runs < 200, "{} runs", shrunk.runs);
}

#[test]
fn a_run_that_breaks_another_law_is_no_smaller_one() {
    let shrunk = shrunk(&Paper { other_law: true }, &[], 1).unwrap();
    assert_eq!(shrunk.broken.law, "a_law");
    assert_eq!(shrunk.faults, ["spare/a#3", "spare/a#5", "spare/a#8"]);
}

#[test]
fn a_shrunk_run_is_found_the_same_on_any_number_of_threads_and_shrinks_no_further() {
    let play = Paper { other_law: true };
    let one = shrunk(&play, &["pick#3=1"], 1).unwrap();
    for jobs in [2, 5] {
        let many = shrunk(&play, &["pick#3=1"], jobs).unwrap();
        assert_eq!((texts(&many.overrides), many.runs), (texts(&one.overrides), one.runs));
    }
    let left = texts(&one.overrides);
    let again = shrunk(&play, &left.iter().map(String::as_str).collect::<Vec<_>>(), 1).unwrap();
    assert_eq!(texts(&again.overrides), left);
    assert_eq!(again.before.faults, 3);
}

#[test]
fn what_breaks_no_law_is_not_shrunk() {
    let error = shrunk(&Paper { other_law: false }, &["spare/a#3=1"], 1).unwrap_err();
    assert!(matches!(error, ShrinkError::Holds));
}

#[test]
fn a_shrink_that_is_cut_off_hands_back_what_fails_still() {
    let interrupted = AtomicBool::new(true);
    let play = Paper { other_law: false };
    let plan = Plan {
        play: &play,
        seed: 7,
        options: RunOptions::default(),
        jobs: NonZeroUsize::MIN,
        law: None,
        limit: None,
        interrupted: &interrupted,
    };
    let shrunk = shrink(&plan, |_| {}).unwrap();
    assert!(shrunk.cut_off && shrunk.interrupted);
    assert_eq!((texts(&shrunk.overrides), shrunk.runs), (Vec::new(), 0));
}

#[test]
fn a_run_that_breaks_another_law_than_its_bundle_is_not_shrunk() {
    let plan = |law| Plan {
        play: &Paper { other_law: false },
        seed: 7,
        options: RunOptions::default(),
        law: Some(law),
        jobs: NonZeroUsize::MIN,
        limit: None,
        interrupted: &INTERRUPTED,
    };
    static INTERRUPTED: AtomicBool = AtomicBool::new(true);
    assert_eq!(shrink(&plan("a_law"), |_| {}).unwrap().broken.law, "a_law");
    let error = shrink(&plan("another_law"), |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the bundle broke another_law, and this run breaks a_law: it is another failure"
    );
}

/// A play that falls outside of its world, unless its first fault is spared: then it goes on until it is stopped.
struct Endless;

impl Play for Endless {
    fn name(&self) -> &'static str {
        "endless"
    }

    fn about(&self) -> &'static str {
        "without its fault it does not end by itself"
    }

    fn run(&self, seed: u64, options: &RunOptions) -> RunReport {
        let spare = |decisions| StreamCount { stream: "spare/a".to_owned(), decisions, given: true };
        let report = RunReport { streams: vec![spare(2)], ..RunReport::fallen(seed, &"") };
        match options.events_max {
            _ if !options.overrides.waives("spare/a", 0) => report,
            // As the simulator does.
            Some(limit) => RunReport { events: limit + 1, ..report },
            None => RunReport { outcome: Ok(()), events: 1 << 40, ..report },
        }
    }
}

#[test]
fn a_run_that_only_does_not_end_within_the_shrinkers_own_limit_breaks_no_law() {
    let plan = Plan {
        play: &Endless,
        seed: 7,
        options: RunOptions::default(),
        law: None,
        jobs: NonZeroUsize::MIN,
        limit: None,
        interrupted: &AtomicBool::new(false),
    };
    let shrunk = shrink(&plan, |_| {}).unwrap();
    assert_eq!(shrunk.faults, ["spare/a#0"], "the other one can go");
    assert_eq!(shrunk.broken.law, "the_run_ends");
}
