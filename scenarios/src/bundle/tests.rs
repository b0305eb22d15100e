use std::time::Duration;

use super::*;

fn bundle() -> Bundle {
    let checkpoints =
        vec![Checkpoint { events: 1024, digest: 7 }, Checkpoint { events: 1500, digest: u128::MAX }];
    let notes = vec![sim::Note { at: Duration::from_millis(1500), text: "engine \"falls\"".to_owned() }];
    let report = RunReport {
        seed: u64::MAX,
        digest: u128::MAX,
        events: 1500,
        checkpoints,
        notes,
        recorded: vec![Decision { stream: "fall/how".to_owned(), ordinal: 3, bound: 2, value: 1 }],
        faults: BTreeMap::from([("nap", 1)]),
        ..RunReport::fallen(0, &"")
    };
    let overrides = ["spare/*#*", "spare/a#0=0"].iter().map(|text| text.parse::<sim::Override>().unwrap());
    let options = RunOptions { overrides: overrides.collect(), ..RunOptions::default() };
    Bundle::new("smoke", &options, ("a_law", "broken".to_owned()), &report, "cargo replay".to_owned())
}

fn broken(law: &'static str) -> Result<(), model::Broken> {
    let at = protocol::time::Mono::ZERO;
    Err(model::Broken { law, at, place: None, text: String::new() })
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rehearsal-bundle-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_bundle_is_read_as_it_was_written() {
    let folder = folder("whole");
    let path = folder.join(bundle().file_name());
    assert!(path.ends_with("smoke-18446744073709551615-ffffffff.json"));
    bundle().write(&path).unwrap();
    assert_eq!(Bundle::read(&path).unwrap(), bundle());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_no_whole_bundle_is_refused_with_the_reason() {
    let folder = folder("damaged");
    let path = folder.join("bundle.json");
    let whole = serde_json::to_string(&bundle()).unwrap();
    let missing = Bundle::read(&path).unwrap_err();
    assert!(matches!(missing, BundleError::Io { .. }), "{missing}");
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Bundle::read(&path).unwrap_err().to_string().replace(path.to_str().unwrap(), "FILE")
    };
    assert!(
        told(&whole[..whole.len() / 2]).starts_with("FILE is no whole failure bundle: EOF while parsing")
    );
    let version = told(&whole.replace("\"version\":1,", "\"version\":2,"));
    assert_eq!(version, "FILE is a failure bundle of version 2, this reads version 1");
    assert_eq!(told("{}"), "FILE is no failure bundle");
    let torn = told(&whole.replace("\"events\":1500", "\"events\":1501"));
    assert_eq!(torn, "FILE is no whole failure bundle: its checkpoints do not end in its digest");
    let pin = told(&whole.replace("spare/a#0=0", "spare/a#0"));
    assert!(pin.contains("an override is STREAM#ORDINAL=VALUE"), "{pin}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn another_run_is_told_with_the_first_checkpoint_that_differs() {
    let report = |digests: [u128; 2]| RunReport {
        outcome: broken("a_law"),
        digest: digests[1],
        events: 1500,
        checkpoints: vec![
            Checkpoint { events: 1024, digest: digests[0] },
            Checkpoint { events: 1500, digest: digests[1] },
        ],
        ..RunReport::fallen(0, &"")
    };
    let elsewhere = Bundle { commit: "d2b4c9f".to_owned(), ..bundle() };
    assert_eq!(elsewhere.compare(&report([7, u128::MAX])), Ok(()));
    let late = elsewhere.compare(&report([7, 1])).unwrap_err();
    let build = Build { commit: "d2b4c9f".to_owned(), hosted: sim::is_hosted() };
    assert_eq!(late, Mismatch::Run { agreed: 1024, differs: 1500, build });
    assert!(late.to_string().contains("the bundle is of commit d2b4c9f, this is "), "{late}");
    let early = bundle().compare(&report([8, 1])).unwrap_err();
    assert!(early.to_string().contains("equal for 0 events, another one by event 1024; "), "{early}");
    // Debug builds know no commit.
    let same = if COMMIT == UNKNOWN { "neither commit is known" } else { "the commit is the bundle's" };
    assert!(early.to_string().contains(same), "{early}");
}

#[test]
fn a_bundle_of_a_build_that_was_hosted_otherwise_says_so_first() {
    let other = Bundle { hosted: !sim::is_hosted(), ..bundle() };
    let mismatch = other.compare(&RunReport::fallen(0, &"")).unwrap_err().to_string();
    let (_, why) = mismatch.split_once("; ").unwrap();
    let told = if sim::is_hosted() { "the bundle was built without" } else { "this is built without" };
    assert!(why.starts_with(told), "{mismatch}");
}

#[test]
fn an_equal_run_that_is_judged_otherwise_is_a_mismatch() {
    let report =
        |outcome| RunReport { outcome, digest: u128::MAX, events: 1500, ..RunReport::fallen(0, &"") };
    assert_eq!(bundle().compare(&report(broken("a_law"))), Ok(()));
    let other = bundle().compare(&report(broken("b_law"))).unwrap_err().to_string();
    assert!(
        other.starts_with("the bundle broke a_law; this run, the same to the last event, breaks b_law; ")
    );
    let none = bundle().compare(&report(Ok(()))).unwrap_err().to_string();
    assert!(none.starts_with("the bundle broke a_law; this run, the same to the last event, does not; "));
    let unsteady = Bundle { law: DETERMINISM.to_owned(), ..bundle() };
    assert_eq!(unsteady.compare(&report(Ok(()))), Ok(()), "that shows between two runs");
}
