//! The smallest plays there are, under the command line of `rehearse`: one that is well, and one for each way not to
//! be. `cargo run -p rehearsal-scenarios --bin toy explore` searches them; `tests/cli` sees that each is found.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Broken;
use protocol::time::Mono;
use scenarios::play::{Performance, Play, RunOptions, RunReport};
use sim::{Point, PointFault, PointKind, Ratio, Sim, Streams, World};

/// A play that waits for a minute of virtual time, beside its one particularity.
struct Toy {
    name: &'static str,
    about: &'static str,
    particularity: fn(&World, &mut Performance),
}

impl Play for Toy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn fault_streams(&self) -> Vec<Streams> {
        vec![Streams::beginning("storm/")]
    }

    fn run(&self, seed: u64, options: &RunOptions) -> RunReport {
        let (particularity, swarm) = (self.particularity, options.swarm);
        let report = Sim::new(options.sim(seed)).run(move |world| async move {
            let naps = !swarm || world.stream("swarm/nap").chance(Ratio::new(1, 2));
            let mut performance = Performance {
                outcome: Ok(()),
                unjudged: Vec::new(),
                operations: 100,
                acknowledged: 100,
                failed: 0,
                commits: world.stream("commits").below(10),
                faults: naps.then_some(("nap", 1)).into_iter().collect(),
                drawn: swarm.then(|| naps.then_some("nap").into_iter().collect()),
                recoveries: Vec::new(),
                marks: protocol::mark::hits(),
            };
            world.note("the curtain rises");
            for second in 0..60 {
                world.sleep(Duration::from_secs(1)).await;
                if second == 30 {
                    tracing::info!("the middle of the play");
                    particularity(&world, &mut performance);
                }
            }
            performance
        });
        report.into()
    }
}

fn calm(_: &World, _: &mut Performance) {}

fn flawed(world: &World, performance: &mut Performance) {
    if world.seed() % 7 == 3 {
        let at = Mono::ZERO + world.elapsed();
        let text = "the seed is three above a multiple of seven".to_owned();
        performance.outcome = Err(Broken { law: "no_such_seed", at, place: None, text });
    }
}

fn forgetful(world: &World, _: &mut Performance) {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    world.note(format!("this process has run {} seeds", RUNS.fetch_add(1, Ordering::Relaxed)));
}

fn moody(world: &World, performance: &mut Performance) {
    flawed(world, performance);
    forgetful(world, performance);
}

fn homesick(world: &World, _: &mut Performance) {
    world.note(format!("at home in process {}", std::process::id()));
}

fn spared(_: &World, performance: &mut Performance) {
    performance.faults = BTreeMap::from([("meteor", 0)]);
}

fn deserter(world: &World, _: &mut Performance) {
    if world.seed() == 2 && std::env::args().nth(1).is_some_and(|command| command == "digests") {
        std::process::abort();
    }
}

fn blind(_: &World, performance: &mut Performance) {
    performance.unjudged = vec!["nothing_left"];
}

fn clumsy(_: &World, _: &mut Performance) {
    panic!("stumbles over the carpet");
}

/// Ten storms, and two clients with ten operations each: it breaks a law when storm 6 strikes and the first client does
/// its operations 4 and 7 while it rains; and another law when nobody does anything.
fn stormy(world: &World, performance: &mut Performance) {
    let rain = world.stream("rain/drops").below(1_000);
    let wind: u64 = (0..50).map(|_| world.stream("wind/gusts").below(10)).sum();
    let storms: Vec<u64> = (0..10)
        .filter(|storm| {
            let how = world.stream("storm/how").below(3);
            let strikes = !world.waives("spare/storm");
            if strikes {
                world.note(format!("storm {storm} strikes, as {how} in a wind of {wind}"));
            }
            strikes
        })
        .collect();
    let mut done = Vec::new();
    for client in ["a", "b"] {
        if world.waives(&format!("absent/{client}")) {
            continue;
        }
        done.extend(
            (0..10).filter(|_| !world.waives(&format!("skip/{client}"))).map(|number| (client, number)),
        );
    }
    performance.faults.insert("storm", storms.len() as u64);
    let needs = storms.contains(&6) && done.contains(&("a", 4)) && done.contains(&("a", 7)) && rain > 0;
    let law = if done.is_empty() { Some("somebody_works") } else { needs.then_some("dry_feet") };
    if let Some(law) = law {
        let at = Mono::ZERO + world.elapsed();
        let text = format!("of {} storms and {} operations", storms.len(), done.len());
        performance.outcome = Err(Broken { law, at, place: None, text });
    }
}

/// A play that does not even begin.
struct Absent;

impl Play for Absent {
    fn name(&self) -> &'static str {
        "absent"
    }

    fn about(&self) -> &'static str {
        "it panics before there is a world"
    }

    fn run(&self, _: u64, _: &RunOptions) -> RunReport {
        panic!("nobody came")
    }
}

/// A play with points: a process that keeps three words, and takes each for kept that it was given.
struct Credulous;

impl Play for Credulous {
    fn name(&self) -> &'static str {
        "credulous"
    }

    fn about(&self) -> &'static str {
        "it does not hear of a sync that failed"
    }

    fn is_small(&self) -> bool {
        true
    }

    fn may_strike(&self, point: &Point, _: PointFault) -> bool {
        point.kind != PointKind::BootStep
    }

    fn run(&self, seed: u64, options: &RunOptions) -> RunReport {
        let report = Sim::new(options.sim(seed)).run(async |world: World| {
            world.node("store").boot(store);
            world.sleep(Duration::from_secs(60)).await;
            let mut performance = Performance { operations: 3, acknowledged: 3, ..Performance::default() };
            let felt = world.effects();
            let failed = [sim::Effect::WriteError, sim::Effect::SyncError];
            let failed = failed.iter().any(|effect| felt.contains_key(effect));
            if failed {
                let at = Mono::ZERO + world.elapsed();
                let text = "a word was lost, and nobody heard of it".to_owned();
                performance.outcome = Err(Broken { law: "words_are_kept", at, place: None, text });
            }
            performance
        });
        report.into()
    }
}

async fn store() {
    for word in 0..3 {
        runtime::sleep(Duration::from_secs(1)).await;
        runtime::disk::blocking(move || {
            let Ok(file) = runtime::disk::open("words") else { return };
            drop(file.write(word, b"w"));
            drop(file.sync());
        })
        .await;
    }
}

static PLAYS: [&dyn Play; 12] = [
    &Toy { name: "calm", about: "nothing happens", particularity: calm },
    &Toy { name: "flawed", about: "one seed in seven breaks a law", particularity: flawed },
    &Toy { name: "forgetful", about: "a second run in one process is another one", particularity: forgetful },
    &Toy {
        name: "moody",
        about: "one seed in seven breaks a law, and no run is the same twice",
        particularity: moody,
    },
    &Toy { name: "homesick", about: "a run in another process is another one", particularity: homesick },
    &Toy { name: "spared", about: "its fault is never felt", particularity: spared },
    &Toy { name: "deserter", about: "a fresh process is gone in its middle", particularity: deserter },
    &Toy { name: "blind", about: "a law has nothing to judge", particularity: blind },
    &Toy { name: "clumsy", about: "it panics", particularity: clumsy },
    &Toy {
        name: "stormy",
        about: "one of ten storms and two of twenty operations break a law",
        particularity: stormy,
    },
    &Absent,
    &Credulous,
];

fn main() -> ExitCode {
    scenarios::cli::main(&PLAYS)
}
