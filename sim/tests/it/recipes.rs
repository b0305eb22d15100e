//! A run that goes on with another seed is the first one up to there, and neither of both from there on.

use std::time::Duration;

use sim::{Branch, Options, Sim, World};

/// A dozen draws of two streams, one of them named late, each a tenth of a second after the other.
async fn draws(world: World) -> Vec<(Duration, u64)> {
    let early = world.stream("early");
    let mut drawn = Vec::new();
    for step in 0..12 {
        world.sleep(Duration::from_millis(100)).await;
        let stream = if step % 2 == 0 { early.clone() } else { world.stream(&format!("late {}", step % 3)) };
        drawn.push((world.elapsed(), stream.below(1 << 40)));
    }
    drawn
}

fn run(seed: u64, recipe: &[Branch]) -> Vec<(Duration, u64)> {
    Sim::new(Options { recipe: recipe.to_vec(), ..Options::seed(seed) }).run(draws).expect_ok()
}

#[test]
fn another_seed_decides_from_its_moment_on() {
    let (first, second) = (run(1, &[]), run(2, &[]));
    for at in [0, 1, 550, 600, 1_200] {
        let at = Duration::from_millis(at);
        let branched = run(1, &[Branch { at, seed: 2 }]);
        // Both seeds draw as often, so the second one's draws are those of its own run.
        let expected: Vec<_> =
            first.iter().zip(&second).map(|(one, other)| if one.0 < at { *one } else { *other }).collect();
        assert_eq!(branched, expected, "at {at:?}");
    }
    assert_eq!(run(1, &[Branch { at: Duration::from_secs(9), seed: 2 }]), first, "it ends before");
}

#[test]
fn a_recipe_may_branch_again() {
    let runs = [1, 2, 3].map(|seed| run(seed, &[]));
    let at = Duration::from_millis;
    let branched = run(1, &[Branch { at: at(350), seed: 2 }, Branch { at: at(850), seed: 3 }]);
    let expected: Vec<_> = [&runs[0][..3], &runs[1][3..8], &runs[2][8..]].concat();
    assert_eq!(branched, expected);
}

#[test]
fn the_digest_is_the_first_seeds_up_to_the_branch() {
    let at = Duration::from_millis(650);
    let kept = |recipe| {
        let options = Options { recipe, keep_events: 0..10_000, ..Options::seed(1) };
        Sim::new(options).run(draws).kept
    };
    let (plain, branched) = (kept(Vec::new()), kept(vec![Branch { at, seed: 2 }]));
    let before = plain.iter().take_while(|event| event.at < at).count();
    assert!(before > 10);
    assert_eq!(plain[..before], branched[..before]);
    assert_ne!(plain[before..], branched[before..]);
}

#[test]
fn a_branch_at_the_very_beginning_takes_all_of_it() {
    let whole = |seed, recipe| {
        let options = Options { recipe, clock_drift: 100, name_streams: true, ..Options::seed(seed) };
        let report = Sim::new(options).run(async |world: World| {
            let clocks = (runtime::now(), runtime::wall());
            let node = world.node("node");
            node.boot(std::future::pending);
            let there = node.spawn("clocks", async { (runtime::now(), runtime::wall()) }).await;
            (clocks, there, draws(world).await)
        });
        report.expect_ok()
    };
    let branch = vec![Branch { at: Duration::ZERO, seed: 2 }];
    assert_eq!(whole(1, branch), whole(2, Vec::new()));
}
