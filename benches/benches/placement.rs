//! What placing one actor costs among a thousand, ten thousand and a hundred thousand runners: one is chosen, a slot of
//! it taken, and a slot of another given back.
//!
//! Runners are half full, of one version, with 16 to 64 slots each. Stale, lost and draining ones are not in the index,
//! as in the engine, so that freshness costs nothing here. Required: among 100,000 at most three times what it costs
//! among 1,000, both measured in turns in one run, and 500,000 a second among 10,000 on one core. Else the process
//! fails.

use std::collections::VecDeque;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use machines::control::{Index, Seat, Stand, Stands};
use scales::{Paired, Words};

/// What is required of 100,000 runners against 1,000.
const RATIO_MAX: f64 = 3.0;

/// What is required among 10,000 runners, a second.
const PER_SECOND_MIN: f64 = 500_000.0;

/// Turns in one measurement.
const BATCH: u32 = 2_000;

/// A runner, as whoever places knows it.
#[derive(Clone, Copy)]
struct Runner {
    free: u32,
    total: u32,
    stand: Stand,
}

/// By seat.
struct Runners(Vec<Runner>);

impl Stands for Runners {
    fn stand_mut(&mut self, seat: Seat) -> &mut Stand {
        &mut self.0[seat.number()].stand
    }
}

/// Runners with their index, and the slots that are taken, longest first.
struct Fleet {
    index: Index,
    runners: Runners,
    taken: VecDeque<Seat>,
    words: Words,
}

impl Fleet {
    fn new(count: usize) -> Self {
        let mut words = Words::new(count as u64);
        let (mut index, mut runners, mut slots) = (Index::default(), Runners(Vec::new()), 0);
        for number in 0..count {
            let total = 16 + u32::try_from(words.next() % 49).expect("below 49");
            let stand = index.insert(Seat::new(number), 1, total, total);
            runners.0.push(Runner { free: total, total, stand });
            slots += u64::from(total);
        }
        let mut fleet = Self { index, runners, taken: VecDeque::new(), words };
        (0..slots / 2).for_each(|_| fleet.take());
        fleet
    }

    fn take(&mut self) {
        let seat = self.index.choose(self.words.next()).expect("half of the slots are free");
        let runner = &mut self.runners.0[seat.number()];
        runner.free -= 1;
        let (free, total) = (runner.free, runner.total);
        self.index.update(&mut self.runners, seat, free, total);
        self.taken.push_back(seat);
    }

    fn release(&mut self) {
        let seat = self.taken.pop_front().expect("half of the slots are taken");
        let runner = &mut self.runners.0[seat.number()];
        runner.free += 1;
        let (free, total) = (runner.free, runner.total);
        self.index.update(&mut self.runners, seat, free, total);
    }

    fn turns(&mut self, turns: u32) {
        for _ in 0..turns {
            self.take();
            self.release();
        }
        black_box(&self.index);
    }
}

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut fleets = [1_000, 10_000, 100_000].map(|count| (count, Fleet::new(count)));
    let mut group = criterion.benchmark_group("placement");
    for (count, fleet) in &mut fleets {
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(*count), |bencher| bencher.iter(|| fleet.turns(1)));
    }
    group.finish();
    criterion.final_summary();

    let [(_, few), (_, some), (_, many)] = &mut fleets;
    let paired = Paired::measure(|| many.turns(BATCH), || few.turns(BATCH));
    let each = Paired::measure(|| some.turns(BATCH), || few.turns(BATCH)).left / BATCH;
    let per_second = each.as_secs_f64().recip();
    println!(
        "a turn: {:?} among 1,000, {each:?} among 10,000 ({per_second:.0} a second), {:?} among 100,000, ratio {:.2}",
        paired.right / BATCH,
        paired.left / BATCH,
        paired.ratio
    );
    let mut kept = true;
    if paired.ratio > RATIO_MAX {
        eprintln!(
            "{:.2} times as long among 100,000 as among 1,000, at most {RATIO_MAX} is allowed",
            paired.ratio
        );
        kept = false;
    }
    if per_second < PER_SECOND_MIN {
        eprintln!("{per_second:.0} a second among 10,000, at least {PER_SECOND_MIN} are required");
        kept = false;
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
