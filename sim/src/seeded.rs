//! Seeded tests: what `#[sim::test]` expands to.

use std::future::Future;
use std::ops::Range;

use crate::options::Options;
use crate::report::Failure;
use crate::run::Sim;
use crate::world::World;

/// A test that runs once per seed, and where it stands in the source.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    /// The package.
    pub package: &'static str,
    /// The module's path, the crate's name first.
    pub module: &'static str,
    /// The function.
    pub name: &'static str,
}

/// Which seeds the environment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    /// None: the fixed ones.
    Fixed,
    /// That one alone.
    One(u64),
    /// The fixed ones and these.
    More(Range<u64>),
}

impl Asked {
    fn read(seed: Option<&str>, count: Option<&str>) -> Result<Self, String> {
        let number = |name: &str, text: &str| {
            text.trim().parse::<u64>().map_err(|_| format!("{name} is no number: {text:?}"))
        };
        let seed = seed.map(|text| number("REHEARSAL_SEED", text)).transpose()?;
        let count = count.map(|text| number("REHEARSAL_SEEDS", text)).transpose()?;
        Ok(match (seed, count) {
            (None, None) => Self::Fixed,
            (Some(seed), None) => Self::One(seed),
            (seed, Some(count)) => {
                let first = seed.unwrap_or(0);
                Self::More(first..first.saturating_add(count))
            }
        })
    }

    fn seeds(&self, fixed: Range<u64>) -> Vec<u64> {
        match self {
            Self::Fixed => fixed.collect(),
            Self::One(seed) => vec![*seed],
            Self::More(more) => {
                fixed.clone().chain(more.clone().filter(|seed| !fixed.contains(seed))).collect()
            }
        }
    }
}

impl Seeded {
    /// The line that replays one seed.
    #[must_use]
    pub fn replay(&self, seed: u64) -> String {
        let inner = self.module.split_once("::").map_or("", |(_, inner)| inner);
        let separator = if inner.is_empty() { "" } else { "::" };
        let Self { package, name, .. } = self;
        format!("REHEARSAL_SEED={seed} cargo test -p {package} {inner}{separator}{name} -- --exact")
    }

    /// Runs `script` with each seed, the fixed ones and those the environment asks for.
    ///
    /// # Panics
    /// If a run fails, with its failure and the line that replays it.
    pub fn run<F, Fut>(&self, fixed: Range<u64>, options: impl Fn() -> Options, script: F)
    where
        F: Fn(World) -> Fut + Sync,
        Fut: Future<Output = ()> + 'static,
    {
        let variable = |name: &str| std::env::var(name).ok();
        let asked =
            Asked::read(variable("REHEARSAL_SEED").as_deref(), variable("REHEARSAL_SEEDS").as_deref());
        let asked = asked.unwrap_or_else(|error| panic!("{error}"));
        let trace = variable("REHEARSAL_TRACE")
            .map(|level| level.parse().unwrap_or_else(|_| panic!("REHEARSAL_TRACE is no level: {level:?}")));
        for seed in asked.seeds(fixed) {
            let mut options = Options { seed, ..options() };
            if trace.is_some() {
                options.trace = trace;
                options.trace_to_stderr = true;
            }
            let report = Sim::new(options).run(&script);
            if let Err(failure) = report.outcome {
                let told = report.notes.iter().map(|note| format!("\n  {:?}  {}", note.at, note.text));
                let told: String = told.collect();
                let backtrace = match &failure {
                    Failure::Panic { backtrace, .. } if !backtrace.is_empty() => format!("\n{backtrace}"),
                    Failure::Panic { .. }
                    | Failure::Spinning { .. }
                    | Failure::Stuck { .. }
                    | Failure::TimeLimit { .. }
                    | Failure::EventLimit { .. } => String::new(),
                };
                panic!("seed {seed}: {failure}{told}{backtrace}\nreplay: {}", self.replay(seed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_asks_for_one_or_for_more() {
        let seeds = |seed, count| Asked::read(seed, count).map(|asked| asked.seeds(0..3));
        assert_eq!(seeds(None, None), Ok(vec![0, 1, 2]));
        assert_eq!(seeds(Some("17"), None), Ok(vec![17]));
        assert_eq!(seeds(None, Some("5")), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(seeds(Some("17"), Some("2")), Ok(vec![0, 1, 2, 17, 18]));
        assert!(seeds(Some("x"), None).is_err());
    }

    #[test]
    fn the_replay_line_names_the_test_as_cargo_does() {
        let test = Seeded { package: "p", module: "crate_name::inner", name: "t" };
        assert_eq!(test.replay(4), "REHEARSAL_SEED=4 cargo test -p p inner::t -- --exact");
        let test = Seeded { module: "crate_name", ..test };
        assert_eq!(test.replay(4), "REHEARSAL_SEED=4 cargo test -p p t -- --exact");
    }
}
