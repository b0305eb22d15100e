//! Faults leave a trace: in the digest when they are injected, among the effects when somebody suffers them.

use std::num::NonZeroU64;

use runtime::TcpListener;
use sim::tap::{Place, Wire};
use sim::{Cut, Effect, Fall, Latency, Node, Often, Options, Ratio, Side, Sim, World};

use crate::support::{MILLISECOND, SECOND, connect};

#[test]
fn every_fault_is_part_of_the_digest() {
    let faults: [fn(&World, &Node); 40] = [
        |_, _| {},
        |_, node| node.step_wall(1),
        |_, node| node.slow_disk(2),
        |_, node| node.limit_disk(Some(1)),
        |_, node| node.fail_syncs(1),
        |_, node| node.fail_syncs(2),
        |_, node| node.fail_syncs(Often::Always),
        |_, node| node.fail_syncs(Ratio::new(1, 2)),
        |_, node| node.fail_reads(1),
        |_, node| node.fail_writes(1),
        |_, node| node.lie_in_syncs(1),
        |_, node| node.drop_caches(),
        |_, node| assert_eq!(node.flip_bits(1), 0),
        |_, node| node.stall_disk(),
        |_, node| node.release_disk(),
        |world, _| world.node("spare").wipe_disk(),
        |world, _| world.node("spare").swap_disks(&world.node("other spare")),
        |world, _| world.node("spare").attach_disk(&world.node("other spare").snapshot_disk()),
        |_, node| node.drift_clocks(1),
        |_, node| node.freeze_clocks(),
        |_, node| node.thaw_clocks(),
        |_, node| node.delay_timers(Ratio::new(1, 2), SECOND),
        |_, node| node.crash_in_disk_operation(1000, Fall::Kill),
        |_, node| node.crash_in_disk_operation(1000, Fall::PowerOff),
        |world, node| world.set_latency(node, node, Latency::Constant(SECOND)),
        |world, node| world.set_latency(node, node, Latency::Constant(MILLISECOND)),
        |world, node| world.set_bandwidth(node, node, NonZeroU64::new(1)),
        |_, node| node.kill(),
        |_, node| node.power_off(),
        |_, node| {
            node.power_off();
            node.restart();
        },
        |_, node| node.pause(),
        |_, node| {
            node.pause();
            node.resume();
        },
        |world, node| world.block(node, &world.node("script")),
        |world, node| world.partition(&world.node("script"), node),
        |world, node| world.isolate(node),
        |world, _| world.heal_all(),
        |world, _| assert!(world.cut(&world.connections()[0], Cut::Silence, Side::Opener)),
        |world, _| assert!(world.cut_at(&world.connections()[0], Side::Opener, 7, Cut::Silence)),
        |world, _| drop(world.plan_cut(Wire::any(), Side::Opener, Place::after_upgrade(), Cut::Silence)),
        |world, node| world.alias("sufferer", &[node]),
    ];
    let digests: std::collections::BTreeSet<u128> = faults
        .into_iter()
        .map(|fault| {
            let run = Sim::seed(0).run(async move |world: World| {
                let node = world.node("victim");
                node.boot(|| async {
                    let _listener = TcpListener::bind(([0; 4], 80).into()).await.unwrap();
                    std::future::pending().await
                });
                world.sleep(MILLISECOND).await;
                let _stream = connect("victim").await.unwrap();
                world.sleep(SECOND).await;
                fault(&world, &node);
            });
            assert_eq!(run.outcome, Ok(()));
            run.digest
        })
        .collect();
    assert_eq!(digests.len(), 40);
}

#[test]
fn kept_events_tell_faults_and_notes_by_their_text() {
    let options = Options { keep_events: 0..100, ..Options::seed(0) };
    let run = Sim::new(options).run(async |world: World| {
        world.note("hello");
        world.node("victim").slow_disk(3);
        world.partition(&world.node("victim"), &world.node("script"));
    });
    let texts: Vec<_> = run.kept.iter().map(|event| event.text.as_str()).collect();
    for text in
        ["note: hello", "fault: victim: its disk takes 3 times as long", "fault: victim → script blocked"]
    {
        assert!(texts.contains(&text), "{text} is not among {texts:?}");
    }
}

#[sim::test]
async fn a_slow_disk_and_a_stepped_clock_are_felt_by_who_uses_them(world: World) {
    let node = world.node("victim");
    node.slow_disk(10);
    node.step_wall(500);
    node.boot(|| async {
        runtime::sleep(SECOND).await;
        runtime::disk::blocking(|| runtime::disk::open("a").expect("free")).await;
        let _looked = (runtime::wall(), runtime::wall());
    });
    world.sleep(SECOND / 2).await;
    assert!(world.effects().is_empty());
    node.ended().await;
    assert_eq!(
        world.effects().into_iter().collect::<Vec<_>>(),
        [(Effect::SlowDisk, 1), (Effect::ClockStep, 1)]
    );
}
