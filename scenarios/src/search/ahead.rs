//! What must be run before a search can begin: on all its threads, and no longer than until it is interrupted.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use crate::search::course::CourseError;

/// Does the work of each number below `count`, and hands back what came of it, in order. `watch` is told how many are
/// done, on the calling thread.
///
/// # Errors
/// The first error of any work, or that it was interrupted.
///
/// # Panics
/// If the host gives no threads.
pub(super) fn each<T: Send>(
    count: u64,
    (jobs, interrupted): (NonZeroUsize, &AtomicBool),
    work: impl Fn(u64) -> Result<T, CourseError> + Sync,
    mut watch: impl FnMut(u64),
) -> Result<Vec<T>, CourseError> {
    let (next, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let is_over = || over.load(Ordering::Relaxed) || interrupted.load(Ordering::Relaxed);
    let mut done = BTreeMap::new();
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(jobs.get());
        for _ in 0..jobs.get() {
            let (sender, next, work, is_over) = (sender.clone(), &next, &work, &is_over);
            let take = move || {
                while !is_over() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || sender.send((number, work(number))).is_err() {
                        return;
                    }
                }
            };
            std::thread::Builder::new()
                .name("ahead".to_owned())
                .spawn_scoped(scope, take)
                .expect("the host gives a thread per job");
        }
        drop(sender);
        for (number, result) in receiver {
            over.fetch_or(result.is_err(), Ordering::Relaxed);
            done.insert(number, result);
            watch(done.len() as u64);
        }
    });
    let done = done.into_values().collect::<Result<Vec<_>, _>>()?;
    if done.len() as u64 == count { Ok(done) } else { Err(CourseError::Interrupted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

    #[test]
    fn what_is_done_ahead_comes_in_order_whatever_the_number_of_threads() {
        let not = AtomicBool::new(false);
        let mut told = 0;
        let doubled = each(100, (TWO, &not), |number| Ok(number * 2), |done| told = done).unwrap();
        assert_eq!(doubled, (0..100).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(told, 100);
        assert_eq!(each(0, (TWO, &not), Ok, |_| {}), Ok(Vec::<u64>::new()));
    }

    #[test]
    fn an_interruption_is_heard_between_two_runs() {
        let interrupted = AtomicBool::new(false);
        let runs = AtomicU64::new(0);
        let work = |number| {
            runs.fetch_add(1, Ordering::Relaxed);
            interrupted.store(true, Ordering::Relaxed);
            Ok(number)
        };
        let ended = each(1_000, (TWO, &interrupted), work, |_| {});
        assert!(matches!(ended, Err(CourseError::Interrupted)));
        assert!(runs.into_inner() <= 2, "one for each thread");
    }
}
