//! What a run on madsim comes to.
//!
//! madsim has no events to fold into a digest and no decisions to name, so a run is told by its lines: the story, what the
//! platform told, what clients asked and heard, how long it took and how many packets there were. Their hash is the
//! digest, their number that of events; where two runs differ, the first differing line is named.

use std::ops::Range;
use std::time::Duration;

use model::Broken;
use model::evidence::Evidence;
use protocol::time::Mono;
use sim::Event;
use sim::second::{Failed, Report, Second};
use xxhash_rust::xxh3::Xxh3;

use super::{Performance, RunReport};

/// Virtual time after which a run fails. Ours: ten times the longest there is.
const LIMIT: Duration = Duration::from_hours(1);

/// A run on madsim, told its seed and not begun.
pub(crate) fn of(seed: u64) -> Second {
    Second::seed(seed).limit(LIMIT)
}

/// What happened, in lines, each with its moment.
pub(crate) type Lines = Vec<(Duration, String)>;

/// The lines of the evidence.
pub(crate) fn lines(evidence: &Evidence) -> Lines {
    let at = |mono: Mono| mono.since(Mono::ZERO);
    let told =
        evidence.told.iter().map(|told| (at(told.at), format!("{} tells {:?}", told.place, told.fact)));
    let ops = evidence.history.ops().iter().map(|op| (at(op.invoked), format!("{op:?}")));
    told.chain(ops).collect()
}

/// Joins what madsim and the script know; lines numbered `keep` are kept as events. If the run itself failed, the
/// script's part is empty.
pub(crate) fn report(seed: u64, keep: &Range<u64>, report: Report<(Performance, Lines)>) -> RunReport {
    let Report { outcome, elapsed, packets, notes } = report;
    let (performance, more) = outcome.unwrap_or_else(|failed| {
        let outcome = Err(broken(&failed, elapsed));
        (Performance { outcome, ..Performance::default() }, Lines::new())
    });
    let story = notes.iter().map(|note| (note.at, note.text.clone()));
    let end = (elapsed, format!("{packets} packets"));
    let lines: Lines = story.chain(more).chain([end]).collect();
    let mut digest = Xxh3::new();
    for (at, text) in &lines {
        digest.update(&at.as_nanos().to_le_bytes());
        digest.update(&(text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    }
    let events = lines.len() as u64;
    let kept = (0..).zip(lines).filter(|(index, _)| keep.contains(index));
    // A line is all there is to an event: it has no words beside it.
    let kept = kept.map(|(index, (at, text))| Event { index, at, text, words: [0; 2] }).collect();
    RunReport { digest: digest.digest128(), events, elapsed, notes, kept, ..RunReport::of(seed, performance) }
}

/// A failure of the run itself, told like a broken law.
fn broken(failed: &Failed, elapsed: Duration) -> Broken {
    let law = match failed {
        Failed::Stuck { .. } => "never_stuck",
        Failed::Panicked { .. } => "nobody_panics",
        Failed::Spinning { .. } => "nobody_spins",
        Failed::TimeLimit { .. } => "the_run_ends",
    };
    Broken { law, at: Mono::ZERO + elapsed, place: None, text: failed.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of three lines: it told two, and ended.
    fn told(last: &str, outcome: Result<(), Failed>) -> RunReport {
        let at = Duration::from_secs(1);
        let notes = ["a", last].map(|text| sim::Note { at, text: text.to_owned() }).into();
        let outcome = outcome.map(|()| (Performance::default(), Lines::new()));
        report(3, &(1..9), Report { outcome, elapsed: 5 * at, packets: 7, notes })
    }

    #[test]
    fn a_run_is_told_by_its_lines() {
        let [one, again, other] = ["b", "b", "c"].map(|last| told(last, Ok(())));
        assert_eq!((one.digest, one.events), (again.digest, 3));
        assert_ne!(one.digest, other.digest);
        let first = sim::first_difference(&one.kept, &other.kept).map(|event| event.map(|event| event.text));
        assert_eq!(first, [Some("b".to_owned()), Some("c".to_owned())]);
    }

    #[test]
    fn a_run_that_fails_breaks_a_law_and_keeps_its_story() {
        let (seed, limit) = (3, LIMIT);
        for (failed, law) in [
            (Failed::Stuck { seed }, "never_stuck"),
            (Failed::Panicked { seed, message: String::new() }, "nobody_panics"),
            (Failed::Spinning { seed, task: "t", polls: 1 }, "nobody_spins"),
            (Failed::TimeLimit { seed, limit }, "the_run_ends"),
        ] {
            let report = told("b", Err(failed));
            assert_eq!(report.notes.len(), 2);
            assert!(report.fell().is_none(), "it did not take its thread with it");
            assert_eq!(report.outcome.expect_err("it failed").law, law);
        }
    }
}
