//! What an event costs in the simulator: task wakes, channels, timers, TCP echoes, HTTP, event streams and whole tiny
//! runs, against madsim, turmoil, moonpool-sim and tokio with paused time; and whether it costs more among many nodes.
//!
//! CPU time, medians of seven turns, the contenders interleaved in one process. Latencies differ between the
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

/// The turn of one contender with one workload.
macro_rules! entry {
    ($contender:ty, $workload:ident) => {{
        let entry: Entry = (<$contender>::NAME, Box::new(|| <$contender>::run($workload::<$contender>)));
        entry
    }};
}

/// All contenders with one workload, if it is asked for.
macro_rules! compare {
    ($asked:expr, $name:expr, $operations:expr, $workload:ident) => {{
        let name: &str = $name;
        if is_asked($asked, name) {
            let entries = vec![
                entry!(Ours, $workload),
                entry!(Tokio, $workload),
                entry!(Madsim, $workload),
                entry!(Turmoil, $workload),
                entry!(Moonpool, $workload),
            ];
            print(name, $operations as u64, entries);
        }
    }};
}

fn is_asked(words: &[String], name: &str) -> bool {
    words.is_empty() || words.iter().any(|word| name.contains(word))
}

fn main() {
    // cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    compare!(&words, &format!("yield, {TASKS} tasks"), TASKS * YIELDS, yields);
    compare!(&words, &format!("channel ping-pong, {TASKS} tasks"), TASKS / 2 * PINGS, ping_pong);
    compare!(&words, &format!("timers, {SLEEPERS} sleepers"), SLEEPERS * SLEEPS, timers);
    compare!(&words, "TCP echo, 64 B", ECHOES, echo);
    compare!(&words, "HTTP keep-alive GET", GETS, gets);
    compare!(
        &words,
        &format!("SSE, {STREAMS} streams, a ping a second for an hour"),
        STREAMS * SSE_PINGS,
        streams
    );
    compare!(&words, &format!("whole tiny runs with {TINY_ECHOES} echoes"), 1, tiny);
    let name = "echoes among 10 and 500 nodes";
    if is_asked(&words, name) {
        let entries: Vec<Entry> = vec![("500", Box::new(|| crowd(500))), ("10", Box::new(|| crowd(10)))];
        print(name, CROWD_ECHOES as u64, entries);
    }
}
