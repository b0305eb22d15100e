//! Two contenders measured in turns, for a ratio that a drifting host does not falsify.

use std::time::Duration;

/// Turns taken by each side. Odd, so that there is a median.
const TURNS: usize = 301;

/// What two contenders took, turn by turn.
#[derive(Debug)]
pub struct Paired {
    /// Median of a turn of the left one.
    pub left: Duration,
    /// Median of a turn of the right one.
    pub right: Duration,
    /// Median over the turns of left / right, each measured back to back.
    pub ratio: f64,
}

impl Paired {
    /// Lets both take turns; who goes first alternates, so that neither always runs on warmer caches.
    pub fn measure(mut left: impl FnMut(), mut right: impl FnMut()) -> Self {
        fn took(turn: &mut dyn FnMut()) -> Duration {
            let start = runtime::now();
            turn();
            start.elapsed()
        }
        left();
        right();
        let turns: Vec<(Duration, Duration)> = (0..TURNS)
            .map(|turn| {
                if turn % 2 == 0 {
                    let first = took(&mut left);
                    (first, took(&mut right))
                } else {
                    let first = took(&mut right);
                    (took(&mut left), first)
                }
            })
            .collect();
        Self {
            left: median(turns.iter().map(|turn| turn.0).collect(), Duration::cmp),
            right: median(turns.iter().map(|turn| turn.1).collect(), Duration::cmp),
            ratio: median(
                turns.iter().map(|(left, right)| left.as_secs_f64() / right.as_secs_f64()).collect(),
                f64::total_cmp,
            ),
        }
    }

    /// Prints nanoseconds per operation, of `batch` in each turn, and the ratio, and answers with that.
    pub fn print(&self, name: &str, batch: u32) -> f64 {
        let each = |turn: Duration| (turn / batch).as_nanos();
        println!(
            "{name}: runtime {} ns, plain tokio {} ns, ratio {:.3} (median of {TURNS} pairs)\n",
            each(self.left),
            each(self.right),
            self.ratio
        );
        self.ratio
    }
}

fn median<T: Copy>(mut values: Vec<T>, order: impl FnMut(&T, &T) -> std::cmp::Ordering) -> T {
    values.sort_by(order);
    values[values.len() / 2]
}
