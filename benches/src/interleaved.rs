//! Several contenders measured in turns, by the CPU time of the process: a shared host falsifies wall time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Turns taken by each contender. Odd, so that there is a median.
const TURNS: usize = 7;

/// A contender with a workload.
pub struct Entry {
    /// The contender's name.
    pub name: &'static str,
    /// How many turns it takes: [`TURNS`], or one where a turn takes half a minute.
    turns: usize,
    /// What one turn is.
    run: Box<dyn FnMut()>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Entry({}, {} turns)", self.name, self.turns)
    }
}

impl Entry {
    /// A contender that takes all turns.
    pub fn new(name: &'static str, run: impl FnMut() + 'static) -> Self {
        Self { name, turns: TURNS, run: Box::new(run) }
    }

    /// The same with one turn, and none before that is not counted.
    #[must_use]
    pub fn once(self) -> Self {
        Self { turns: 1, ..self }
    }
}

/// The CPU time this process has used, all threads together.
fn cpu() -> Duration {
    // Not through libc, which madsim interposes.
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is not negative");
    let nanos = u32::try_from(time.tv_nsec).expect("below a second");
    Duration::new(seconds, nanos)
}

/// Lets all take turns, after one turn each that is not counted, and returns the median of each. Who goes first rotates.
fn medians(entries: &mut [Entry]) -> Vec<Duration> {
    let mut turns = vec![Vec::with_capacity(TURNS); entries.len()];
    for entry in entries.iter_mut().filter(|entry| entry.turns > 1) {
        (entry.run)();
    }
    for turn in 0..TURNS {
        for place in 0..entries.len() {
            let place = (turn + place) % entries.len();
            let entry = &mut entries[place];
            if turn < entry.turns {
                let before = cpu();
                (entry.run)();
                turns[place].push(cpu().saturating_sub(before));
            }
        }
    }
    let median = |mut turns: Vec<Duration>| {
        turns.sort_unstable();
        turns[turns.len() / 2]
    };
    turns.into_iter().map(median).collect()
}

/// What the first contender's time is held to, as a part of another's.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The other's name.
    peer: &'static str,
    /// What is wanted.
    wanted: f64,
    /// What it must not exceed. More than is wanted where that is not reached; why: `docs/performance.md`.
    bound: f64,
}

impl Target {
    /// What is wanted is reached, and must stay so.
    #[must_use]
    pub const fn reached(peer: &'static str, wanted: f64) -> Self {
        Self { peer, wanted, bound: wanted }
    }

    /// What is wanted is missed, or so nearly reached that a host's pace decides; more than `bound` it must not be.
    #[must_use]
    pub const fn missed(peer: &'static str, wanted: f64, bound: f64) -> Self {
        Self { peer, wanted, bound }
    }
}

/// Measures and prints a line a contender: nanoseconds of CPU per operation, and the ratio of the first one's to its, with
/// what that is held to. `false`: a bound was exceeded.
#[must_use]
pub fn print(workload: &str, operations: u64, targets: &[Target], mut entries: Vec<Entry>) -> bool {
    let medians = medians(&mut entries);
    let (first, first_name) = (medians[0].as_secs_f64(), entries[0].name);
    println!("{workload}");
    let mut holds = true;
    for (Entry { name, turns, .. }, median) in entries.iter().zip(&medians) {
        let each = median.as_secs_f64() * 1e9 / operations as f64;
        let ratio = first / median.as_secs_f64();
        print!("  {name:<8} {each:>12.0} ns/op   {first_name}/{name} {ratio:.3}");
        if let Some(Target { wanted, bound, .. }) = targets.iter().find(|target| target.peer == *name) {
            holds &= ratio <= *bound;
            let judged = if ratio <= *wanted { "reached" } else { "missed" };
            print!("   wanted {wanted:.3}: {judged}");
            if ratio > *bound {
                print!(", and above its bound {bound:.3}");
            }
        }
        println!("{}", if *turns == 1 { "   (one turn)" } else { "" });
    }
    holds
}
