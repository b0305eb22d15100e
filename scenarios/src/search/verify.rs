//! The third run of a seed: the same in a fresh process.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::play::{Play, RunOptions, perform};
use crate::search::crew::Done;
use crate::search::explore::Why;
use crate::search::fresh::{Asked, Fingerprint, Fresh, FreshError, Sighting};
use crate::search::twice::{self, Divergence, IN_A_FRESH_PROCESS};

/// Compares runs with the same runs elsewhere. A difference is worse than a broken law, and takes its place. Returns how
/// many of them, from the first on, are settled: all, unless it was interrupted.
pub(super) fn elsewhere(fresh: &dyn Fresh, done: &mut [Done<'_>], interrupted: &AtomicBool) -> usize {
    let begun = runtime::now();
    let runs: Vec<_> = done.iter().map(asked).collect();
    let there = match fresh.sightings(&runs) {
        Ok(there) => there.into_iter().map(Ok).collect(),
        // Ctrl-C reaches the fresh process as well.
        Err(_) if interrupted.load(Ordering::Relaxed) => {
            return done.iter().take_while(|done| has_diverged(done)).count();
        }
        // One of them took the whole process with it: each by itself shows which.
        Err(_) => runs.iter().map(|run| alone(fresh, run)).collect::<Vec<_>>(),
    };
    assert_eq!(there.len(), done.len(), "one answer per run");
    let busy = begun.elapsed() / u32::try_from(done.len()).expect("a stretch is short");
    for (settled, (done, there)) in done.iter_mut().zip(there).enumerate() {
        done.busy += busy;
        if has_diverged(done) {
            continue;
        }
        if there.is_err() && interrupted.load(Ordering::Relaxed) {
            return settled;
        }
        compare(fresh, done, there);
    }
    done.len()
}

/// Whether it was not even the same twice here, which is all there is to know.
fn has_diverged(done: &Done<'_>) -> bool {
    done.why.as_ref().is_some_and(|why| matches!(why, Why::Diverged(_)))
}

fn asked(done: &Done<'_>) -> Asked {
    let (seed, options) = (done.item.seed, done.item.options.clone());
    Asked { play: done.play.name().to_owned(), seed, options }
}

fn alone(fresh: &dyn Fresh, run: &Asked) -> Result<Sighting, FreshError> {
    let mut one = fresh.sightings(std::slice::from_ref(run))?;
    one.pop().ok_or(FreshError::Answer { line: String::new() })
}

fn compare(fresh: &dyn Fresh, done: &mut Done<'_>, there: Result<Sighting, FreshError>) {
    let there = match there {
        Ok(there) => there,
        Err(error) => return done.why = Some(error.into()),
    };
    let why = match (Sighting::from(&done.report), there) {
        (Sighting::Fell(_), Sighting::Fell(_)) => return,
        (Sighting::Ran(_), Sighting::Fell(text)) => FreshError::FellThere { text }.into(),
        (Sighting::Fell(text), Sighting::Ran(_)) => FreshError::FellHere { text }.into(),
        (Sighting::Ran(here), Sighting::Ran(there)) if here == there => return,
        (Sighting::Ran(here), Sighting::Ran(there)) => {
            match locate(fresh, done.play, &asked(done), &here, &there) {
                Ok(divergence) => Box::new(divergence).into(),
                Err(error) => error.into(),
            }
        }
    };
    done.why = Some(why);
}

fn locate(
    fresh: &dyn Fresh,
    play: &dyn Play,
    run: &Asked,
    here: &Fingerprint,
    there: &Fingerprint,
) -> Result<Divergence, FreshError> {
    let stretch = twice::stretch(&here.checkpoints, &there.checkpoints);
    let options = RunOptions { keep_events: stretch.clone(), ..run.options.clone() };
    let here = perform(play, run.seed, &options).kept;
    let there = fresh.events(run, stretch.clone())?;
    let first = sim::first_difference(&here, &there);
    Ok(Divergence { others: IN_A_FRESH_PROCESS, agreed: stretch.start, first })
}
