//! What an event costs in the simulator: task wakes, channels, timers, TCP echoes and whole tiny runs, against madsim
//! and tokio with paused time.
//!
//! CPU time, medians of seven turns, the contenders interleaved in one process. Latencies differ between the
//! contenders (100 µs to 1 ms here, 1 to 10 ms in madsim, the kernel's loopback in tokio): they cost virtual time, no CPU.

use scales::interleaved::{Entry, print};
use scales::workload::{
    ECHOES, PINGS, SLEEPERS, SLEEPS, TASKS, TINY_ECHOES, YIELDS, echo, ping_pong, timers, tiny, yields,
};
use scales::{Contender, Madsim, Ours, Tokio};

/// The turn of one contender with one workload.
macro_rules! entry {
    ($contender:ty, $workload:ident) => {{
        let entry: Entry = (<$contender>::NAME, Box::new(|| <$contender>::run($workload::<$contender>)));
        entry
    }};
}

/// All contenders with one workload.
macro_rules! compare {
    ($name:expr, $operations:expr, $workload:ident) => {
        print(
            $name,
            $operations as u64,
            vec![entry!(Ours, $workload), entry!(Tokio, $workload), entry!(Madsim, $workload)],
        )
    };
}

fn main() {
    compare!(&format!("yield, {TASKS} tasks"), TASKS * YIELDS, yields);
    compare!(&format!("channel ping-pong, {TASKS} tasks"), TASKS / 2 * PINGS, ping_pong);
    compare!(&format!("timers, {SLEEPERS} sleepers"), SLEEPERS * SLEEPS, timers);
    compare!("TCP echo, 64 B", ECHOES, echo);
    compare!(&format!("whole runs with {TINY_ECHOES} echoes"), 1, tiny);
}
