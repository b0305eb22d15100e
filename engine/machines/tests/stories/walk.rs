//! How a random walk is run: the same cases each time, and all of them together must go everywhere.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use protocol::mark;

/// Plays 2,000 cases (other numbers by `PROPTEST_CASES`), then demands that every mark of this prefix was hit, but for
/// those that begin with one of `elsewhere`.
pub(crate) fn walk<S: Strategy>(prefix: &str, elsewhere: &[&str], strategy: S, play: impl Fn(S::Value)) {
    walk_often(2_000, prefix, elsewhere, strategy, play);
}

/// Plays so many cases.
pub(crate) fn walk_often<S: Strategy>(
    usual: u32,
    prefix: &str,
    elsewhere: &[&str],
    strategy: S,
    play: impl Fn(S::Value),
) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    mark::reset();
    let result = runner.run(&strategy, |case| {
        play(case);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let hits = mark::hits();
    let missed: Vec<_> = hits
        .iter()
        .filter(|(name, hits)| {
            name.starts_with(prefix) && **hits == 0 && !elsewhere.iter().any(|known| name.starts_with(known))
        })
        .collect();
    assert!(cases < usual || missed.is_empty(), "never reached: {missed:?}, of {hits:?}");
}
