//! Several contenders measured in turns, by the CPU time of the process: a shared host falsifies wall time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Turns taken by each contender. Odd, so that there is a median.
pub const TURNS: usize = 7;

/// A contender's name, and what one turn of it is.
pub type Entry = (&'static str, Box<dyn FnMut()>);

/// The CPU time this process has used, all threads together.
fn cpu() -> Duration {
    // Not through libc, which madsim interposes.
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is not negative");
    let nanos = u32::try_from(time.tv_nsec).expect("below a second");
    Duration::new(seconds, nanos)
}

/// Lets all take turns, after one turn each that is not counted, and returns the median of each. Who goes first rotates.
pub fn medians(entries: &mut [Entry]) -> Vec<Duration> {
    let mut turns = vec![Vec::with_capacity(TURNS); entries.len()];
    for entry in entries.iter_mut() {
        (entry.1)();
    }
    for turn in 0..TURNS {
        for place in 0..entries.len() {
            let entry = (turn + place) % entries.len();
            let before = cpu();
            (entries[entry].1)();
            turns[entry].push(cpu().saturating_sub(before));
        }
    }
    for turns in &mut turns {
        turns.sort_unstable();
    }
    turns.into_iter().map(|turns| turns[TURNS / 2]).collect()
}

/// Measures and prints a line a contender: nanoseconds of CPU per operation, and the ratio of the first one's to its.
pub fn print(workload: &str, operations: u64, mut entries: Vec<Entry>) {
    let medians = medians(&mut entries);
    let (first, first_name) = (medians[0].as_secs_f64(), entries[0].0);
    println!("{workload}");
    for ((name, _), median) in entries.iter().zip(&medians) {
        let each = median.as_secs_f64() * 1e9 / operations as f64;
        println!("  {name:<8} {each:>10.0} ns/op   {first_name}/{name} {:.2}", first / median.as_secs_f64());
    }
}
