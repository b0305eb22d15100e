//! Several contenders measured in turns, by the CPU time of the process: a shared host falsifies wall time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Turns taken by each contender. Odd, so that there is a median.
pub const TURNS: usize = 7;

/// A contender with a workload.
pub struct Entry {
    /// The contender's name.
    pub name: &'static str,
    /// How many turns it takes: [`TURNS`], or one where a turn takes half a minute.
    pub turns: usize,
    /// What one turn is.
    pub run: Box<dyn FnMut()>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Entry({}, {} turns)", self.name, self.turns)
    }
}

impl Entry {
    /// A contender that takes [`TURNS`] turns.
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

/// Measures and prints a line a contender: nanoseconds of CPU per operation, and the ratio of the first one's to its.
pub fn print(workload: &str, operations: u64, mut entries: Vec<Entry>) {
    let medians = medians(&mut entries);
    let (first, first_name) = (medians[0].as_secs_f64(), entries[0].name);
    println!("{workload}");
    for (Entry { name, turns, .. }, median) in entries.iter().zip(&medians) {
        let each = median.as_secs_f64() * 1e9 / operations as f64;
        let ratio = first / median.as_secs_f64();
        let once = if *turns == 1 { "   (one turn)" } else { "" };
        println!("  {name:<8} {each:>10.0} ns/op   {first_name}/{name} {ratio:.2}{once}");
    }
}
