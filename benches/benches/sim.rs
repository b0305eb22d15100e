//! What an event costs in the simulator: task wakes, channels, timers, TCP echoes, HTTP, event streams and whole tiny
//! runs, against madsim, turmoil, moonpool-sim and tokio with paused time; and whether it costs more among many nodes.
//!
//! CPU time, medians of seven turns, the contenders interleaved in one process (one turn where a contender takes minutes). Latencies differ between the
//! contenders (100 µs to 1 ms in `sim` and turmoil, 1 to 10 ms in madsim, 10 µs in moonpool-sim, none in tokio, whose
//! connections are pipes): they cost virtual time, no CPU, except in turmoil, which steps each millisecond.
//!
//! `cargo bench -p rehearsal-benches --bench sim -- yield echo` runs only the workloads whose names hold a word of these.

use scales::interleaved::{Entry, print};
use scales::workload::{
    CROWD_ECHOES, ECHOES, GETS, PINGS, SLEEPERS, SLEEPS, SSE_PINGS, STREAMS, TASKS, TINY_ECHOES, YIELDS,
    crowd, echo, gets, ping_pong, streams, timers, tiny, yields,
};
use scales::{Contender, Madsim, Moonpool, Ours, Tokio, Turmoil};

/// All contenders with one workload.
macro_rules! contenders {
    ($workload:ident) => {
        [
            Entry::new(Ours::NAME, || Ours::run($workload::<Ours>)),
            Entry::new(Tokio::NAME, || Tokio::run($workload::<Tokio>)),
            Entry::new(Madsim::NAME, || Madsim::run($workload::<Madsim>)),
            Entry::new(Turmoil::NAME, || Turmoil::run($workload::<Turmoil>)),
            Entry::new(Moonpool::NAME, || Moonpool::run($workload::<Moonpool>)),
        ]
    };
}

fn is_asked(words: &[String], name: &str) -> bool {
    words.is_empty() || words.iter().any(|word| name.contains(word))
}

/// Measures a workload, if it is asked for.
fn compare(words: &[String], name: &str, operations: usize, entries: impl Into<Vec<Entry>>) {
    if is_asked(words, name) {
        print(name, operations as u64, entries.into());
    }
}

fn main() {
    // cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let words = &words;
    compare(words, &format!("yield, {TASKS} tasks"), TASKS * YIELDS, contenders!(yields));
    compare(words, &format!("channel ping-pong, {TASKS} tasks"), TASKS / 2 * PINGS, contenders!(ping_pong));
    let timed = (SLEEPERS * SLEEPS) as usize;
    compare(words, &format!("timers, {SLEEPERS} sleepers"), timed, contenders!(timers));
    compare(words, "TCP echo, 64 B", ECHOES, contenders!(echo));
    compare(words, "HTTP keep-alive GET", GETS, contenders!(gets));
    // turmoil steps through every millisecond of the hour.
    let is_slow = |entry: &Entry| entry.name == Turmoil::NAME;
    let hour = contenders!(streams).map(|entry| if is_slow(&entry) { entry.once() } else { entry });
    compare(
        words,
        &format!("SSE, {STREAMS} streams, a ping a second for an hour"),
        STREAMS * SSE_PINGS,
        hour,
    );
    compare(words, &format!("whole tiny runs with {TINY_ECHOES} echoes"), 1, contenders!(tiny));
    let crowds = [Entry::new("500", || crowd(500)), Entry::new("10", || crowd(10))];
    compare(words, "echoes among 10 and 500 nodes", CROWD_ECHOES, crowds);
}
