//! What an event costs in the simulator: task wakes, channels, timers, TCP echoes, HTTP, event streams and whole tiny
//! runs, against madsim, turmoil, moonpool-sim and tokio with paused time; and whether it costs more among many nodes.
//!
//! CPU time, medians of seven turns, the contenders interleaved in one process (one turn where a contender takes minutes). Latencies differ between the
//! contenders (100 µs to 1 ms in `sim` and turmoil, 1 to 10 ms in madsim, 10 µs in moonpool-sim, none in tokio, whose
//! connections are pipes): they cost virtual time, no CPU, except in turmoil, which steps each millisecond.
//!
//! `cargo bench -p rehearsal-benches --bench sim -- yield echo` runs only the workloads whose names hold a word of these;
//! `only=sim` measures that contender alone, for a profiler.

use std::process::ExitCode;

#[cfg(madsim)]
use scales::Madsim;
use scales::interleaved::{Entry, Target, print};
use scales::workload::{
    CROWD_ECHOES, ECHOES, GETS, PINGS, SLEEPERS, SLEEPS, SSE_PINGS, STREAMS, TASKS, TINY_ECHOES, YIELDS,
    crowd, echo, gets, ping_pong, streams, timers, tiny, yields,
};
use scales::{Contender, Moonpool, Ours, Tokio, Turmoil};

/// All contenders with one workload.
macro_rules! contenders {
    ($workload:ident) => {
        vec![
            Entry::new(Ours::NAME, || Ours::run($workload::<Ours>)),
            Entry::new(Tokio::NAME, || Tokio::run($workload::<Tokio>)),
            #[cfg(madsim)]
            Entry::new(Madsim::NAME, || Madsim::run($workload::<Madsim>)),
            Entry::new(Turmoil::NAME, || Turmoil::run($workload::<Turmoil>)),
            Entry::new(Moonpool::NAME, || Moonpool::run($workload::<Moonpool>)),
        ]
    };
}

/// Measures what is asked for.
struct Scales {
    /// A word of each workload's name; none: all workloads.
    words: Vec<String>,
    /// The only contender, for a profile of it.
    only: Option<String>,
    holds: bool,
}

impl Scales {
    fn compare(&mut self, name: &str, operations: usize, targets: &[Target], mut entries: Vec<Entry>) {
        entries.retain(|entry| self.only.as_ref().is_none_or(|only| only == entry.name));
        if entries.is_empty() {
            return;
        }
        if self.words.is_empty() || self.words.iter().any(|word| name.contains(word)) {
            self.holds &= print(name, operations as u64, targets, entries);
        }
    }
}

/// Ends with 1 where a ratio exceeds its bound.
fn main() -> ExitCode {
    // cargo adds `--bench`.
    let words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let (only, words): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with("only="));
    let only = only.iter().find_map(|word| word.strip_prefix("only=")).map(str::to_owned);
    let mut scales = Scales { words, only, holds: true };
    let yielded = [Target::reached("tokio", 0.75), Target::reached("madsim", 0.5)];
    scales.compare(&format!("yield, {TASKS} tasks"), TASKS * YIELDS, &yielded, contenders!(yields));
    let sent = TASKS / 2 * PINGS;
    scales.compare(&format!("channel ping-pong, {TASKS} tasks"), sent, &[], contenders!(ping_pong));
    let slept = (SLEEPERS * SLEEPS) as usize;
    let no_slower = [Target::missed("tokio", 1.0, 1.4)];
    scales.compare(&format!("timers, {SLEEPERS} sleepers"), slept, &no_slower, contenders!(timers));
    let echoed = [Target::missed("madsim", 0.25, 0.4), Target::missed("turmoil", 1.0 / 30.0, 0.12)];
    scales.compare("TCP echo, 64 B", ECHOES, &echoed, contenders!(echo));
    scales.compare("HTTP keep-alive GET", GETS, &[Target::missed("tokio", 1.0, 1.3)], contenders!(gets));
    // turmoil steps through every millisecond of the hour, and takes 13 s for it; moonpool does not get through a minute of
    // it in three.
    let once = |entry: Entry| if entry.name == Turmoil::NAME { entry.once() } else { entry };
    let hour = contenders!(streams).into_iter().filter(|entry| entry.name != Moonpool::NAME);
    let hour = hour.map(once).collect();
    let name = format!("SSE, {STREAMS} streams, a ping a second for an hour");
    scales.compare(&name, STREAMS * SSE_PINGS, &no_slower, hour);
    scales.compare(&format!("whole tiny runs with {TINY_ECHOES} echoes"), 1, &[], contenders!(tiny));
    let crowds = vec![Entry::new("500", || crowd(500)), Entry::new("10", || crowd(10))];
    let even = [Target::missed("10", 1.5, 1.8)];
    scales.compare("echoes among 10 and 500 nodes", CROWD_ECHOES, &even, crowds);
    if scales.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
