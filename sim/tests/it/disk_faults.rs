//! Broken disks: what a process hears of each fault, and that without it there is nothing to hear.

use std::io;
use std::time::Duration;

use sim::{Effect, Node, Often, Options, Overrides, Ratio, Sim, World};

use crate::support::{MILLISECOND, SECOND, process};

/// Linux's `EIO` and `ENOSPC`.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What a process heard of its disk: the system's numbers where something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    write: Result<(), Option<i32>>,
    sync: Result<(), Option<i32>>,
    read: Result<Vec<u8>, Option<i32>>,
}

impl Heard {
    fn well() -> Self {
        Self { write: Ok(()), sync: Ok(()), read: Ok(b"kept".to_vec()) }
    }
}

fn number(error: io::Error) -> Option<i32> {
    error.raw_os_error()
}

/// A write, a sync, and a read of what was written.
async fn work() -> Heard {
    runtime::disk::blocking(|| {
        let file = runtime::disk::open("store").expect("nobody else holds it");
        let mut out = vec![0; 4];
        Heard {
            write: file.write(0, b"kept").map_err(number),
            sync: file.sync().map_err(number),
            read: file.read(0, &mut out).map(|()| out).map_err(number),
        }
    })
    .await
}

/// All of the file; nothing if it is not there.
async fn content() -> Vec<u8> {
    runtime::disk::blocking(|| {
        if !runtime::disk::exists("store") {
            return Vec::new();
        }
        let file = runtime::disk::open("store").expect("nobody else holds it");
        let mut all = vec![0; usize::try_from(file.len().expect("known")).expect("small")];
        file.read(0, &mut all).expect("whole");
        all
    })
    .await
}

fn effects(world: &World) -> Vec<(Effect, u64)> {
    world.effects().into_iter().collect()
}

#[sim::test]
async fn a_disk_without_faults_gives_none(world: World) {
    assert_eq!(process(&world.node("node"), work).await, Heard::well());
    assert!(world.elapsed() < 10 * MILLISECOND);
    assert_eq!(effects(&world), []);
}

#[sim::test]
async fn each_operation_fails_as_linux_tells_it_once_or_for_ever(world: World) {
    type Break = fn(&Node, Often);
    let read = Heard { read: Err(Some(EIO)), ..Heard::well() };
    let sync = Heard { sync: Err(Some(EIO)), ..Heard::well() };
    let families: [(Break, Effect, Heard); 2] = [
        (|node, often| node.fail_reads(often), Effect::ReadError, read),
        (|node, often| node.fail_syncs(often), Effect::SyncError, sync),
    ];
    for (number, (family, effect, heard)) in families.into_iter().enumerate() {
        let node = world.node(&format!("node {number}"));
        let before = world.effects().get(&effect).copied();
        assert_eq!(before, None);
        family(&node, Often::Times(1));
        assert_eq!(process(&node, work).await, heard, "{effect}");
        assert_eq!(process(&node, work).await, Heard::well(), "{effect}: it was once");
        family(&node, Often::Always);
        for _ in 0..3 {
            assert_eq!(process(&node, work).await, heard, "{effect}");
        }
        family(&node, Often::Never);
        assert_eq!(process(&node, work).await, Heard::well(), "{effect} is over");
        assert_eq!(world.effects()[&effect], 4);
    }
}

#[sim::test]
async fn a_write_fails_for_the_drive_or_for_want_of_room(world: World) {
    let (bad, full) = (world.node("bad"), world.node("full"));
    bad.fail_writes(1);
    assert_eq!(process(&bad, work).await.write, Err(Some(EIO)));
    assert_eq!(process(&bad, work).await, Heard::well());
    full.limit_disk(Some(3));
    let heard = process(&full, work).await;
    assert_eq!(heard.write, Err(Some(ENOSPC)));
    full.limit_disk(None);
    assert_eq!(process(&full, work).await, Heard::well());
    assert_eq!(effects(&world), [(Effect::WriteError, 1), (Effect::DiskFull, 1)]);
}

#[test]
fn odds_are_decided_in_a_stream_of_their_own() {
    let run = |overrides: Overrides| {
        let script = async |world: World| {
            let node = world.node("node");
            node.fail_syncs(Ratio::new(1, 2));
            let mut failed = Vec::new();
            for _ in 0..20 {
                failed.push(process(&node, work).await.sync.is_err());
            }
            failed
        };
        Sim::new(Options { overrides, ..Options::seed(4) }).run(script).expect_ok()
    };
    let failed = run(Overrides::new());
    let count = failed.iter().filter(|failed| **failed).count();
    assert!((3..=17).contains(&count), "{failed:?}");
    let place = failed.iter().position(|failed| !failed).expect("one went well");
    let mut pinned = failed;
    pinned[place] = true;
    let mut overrides = Overrides::new();
    overrides.pin("disk/node/sync error", place as u64, 0);
    assert_eq!(run(overrides), pinned, "that one alone");
}

/// The defaults, with the first loss of that node decided: 0 keeps nothing, 1 all.
fn losing(node: &str, kept: u64) -> Options {
    let mut overrides = Overrides::new();
    overrides.pin(format!("disk/{node}/loss"), 0, kept);
    Options { overrides, ..Options::default() }
}

#[sim::test(options = losing("liar", 0))]
async fn what_a_lying_sync_covered_is_lost_with_the_power(world: World) {
    let (honest, liar) = (world.node("honest"), world.node("liar"));
    liar.lie_in_syncs(Often::Always);
    for node in [&honest, &liar] {
        assert_eq!(process(node, work).await, Heard::well(), "it says so");
        // A process that has ended leaves its pages to the kernel; the power takes them.
        node.power_off();
    }
    assert_eq!(process(&honest, content).await, b"kept");
    assert_eq!(process(&liar, content).await, b"");
    assert_eq!(effects(&world), [(Effect::LostSectors, 1), (Effect::LyingSync, 1)]);
}

#[sim::test(options = losing("node", 0))]
async fn what_an_honest_sync_covered_is_there(world: World) {
    let node = world.node("node");
    assert_eq!(process(&node, work).await, Heard::well());
    node.drop_caches();
    assert_eq!(process(&node, content).await, b"kept", "the drive has it");
    node.power_off();
    assert_eq!(process(&node, content).await, b"kept", "without power, too");
    assert_eq!(effects(&world), []);
}

#[sim::test(options = losing("node", 0))]
async fn a_failed_sync_is_forgotten_and_what_it_covered_with_it(world: World) {
    let node = world.node("node");
    node.fail_syncs(1);
    let heard = process(&node, || async {
        let first = work().await;
        let again = runtime::disk::blocking(|| {
            let file = runtime::disk::open("store").expect("free");
            let outcome = file.sync().map_err(number);
            drop(file);
            outcome
        });
        let again = again.await;
        let cached = content().await;
        runtime::sleep(SECOND).await;
        (first.sync, again, cached, content().await)
    });
    let drops = world.clone().spawn("drops", {
        let (world, node) = (world.clone(), node.clone());
        async move {
            world.sleep(SECOND / 2).await;
            node.drop_caches();
        }
    });
    let (first, again, cached, dropped) = heard.await;
    drops.await;
    assert_eq!((first, again), (Err(Some(EIO)), Ok(())), "the next sync has nothing to do");
    assert_eq!(cached, b"kept", "as long as the page cache has it");
    assert_eq!(dropped, b"", "the drive took nothing of it");
    assert_eq!(effects(&world), [(Effect::SyncError, 1), (Effect::DroppedPages, 1)]);
}

#[sim::test]
async fn nothing_ends_on_a_stalled_disk_until_it_is_released(world: World) {
    let node = world.node("node");
    node.boot(|| async {
        assert_eq!(work().await, Heard::well());
        runtime::sleep(SECOND).await;
        // Two tasks, one queue.
        let both = futures_util::future::join(work(), content()).await;
        assert_eq!(both, (Heard::well(), b"kept".to_vec()));
    });
    world.sleep(SECOND / 2).await;
    assert_eq!(effects(&world), []);
    node.stall_disk();
    assert!(world.within(60 * SECOND, node.ended()).await.is_none());
    assert_eq!(effects(&world), [(Effect::DiskStall, 2)]);
    let released = world.elapsed();
    node.release_disk();
    node.ended().await;
    let took = world.elapsed() - released;
    assert!(took > MILLISECOND / 2 && took < 10 * MILLISECOND, "each took its own time: {took:?}");
    assert_eq!(process(&node, work).await, Heard::well());
}

#[sim::test(options = losing("node", 0))]
async fn a_sync_that_a_stall_holds_is_not_durable(world: World) {
    let node = world.node("node");
    process(&node, work).await;
    let overwrite = || async {
        runtime::disk::blocking(|| {
            let file = runtime::disk::open("store").expect("free");
            file.write(0, b"late").and_then(|()| file.sync()).expect("a disk that works");
        })
        .await;
    };
    node.boot(move || async move {
        overwrite().await;
        unreachable!("it never ends");
    });
    node.stall_disk();
    world.sleep(60 * SECOND).await;
    node.power_off();
    node.release_disk();
    assert_eq!(process(&node, content).await, b"kept");
    assert_eq!(world.effects()[&Effect::DiskStall], 1);
    process(&node, overwrite).await;
    node.power_off();
    assert_eq!(process(&node, content).await, b"late", "a sync that ends is durable");
}

#[sim::test]
async fn a_stalled_disk_takes_back_nothing_and_frees_nobody_who_fell(world: World) {
    let node = world.node("node");
    node.stall_disk();
    node.boot(|| async {
        work().await;
    });
    world.sleep(SECOND).await;
    node.kill();
    node.restart();
    world.sleep(SECOND).await;
    assert!(node.is_running(), "the next process meets the same disk");
    node.release_disk();
    assert!(world.within(SECOND, node.ended()).await.is_some());
    assert_eq!(world.effects()[&Effect::DiskStall], 2);
}

#[sim::test]
async fn a_slow_disk_takes_so_many_times_as_long(world: World) {
    let (quick, slow) = (world.node("quick"), world.node("slow"));
    slow.slow_disk(1000);
    let began = world.elapsed();
    process(&quick, work).await;
    let quick = world.elapsed() - began;
    process(&slow, work).await;
    let slow = world.elapsed() - began - quick;
    // Syncs take 0.5 to 5 ms each, two of them; the rest is fixed.
    assert!(quick < 15 * MILLISECOND && slow > 1000 * MILLISECOND, "{quick:?} {slow:?}");
    assert_eq!(effects(&world), [(Effect::SlowDisk, 4)], "open, write, sync and read");
}

#[sim::test]
async fn a_slow_disk_is_felt_where_something_takes_longer(world: World) {
    let node = world.node("node");
    process(&node, work).await;
    node.slow_disk(10);
    let looks = || async {
        runtime::disk::blocking(|| {
            let file = runtime::disk::open("store").expect("free");
            assert_eq!(file.len().expect("known") + file.len().expect("known"), 8);
            assert!(runtime::disk::open("store").is_err(), "it is held");
            assert!(file.read(0, &mut [0; 5]).is_err(), "it is shorter");
        })
        .await;
    };
    process(&node, looks).await;
    assert_eq!(effects(&world), [(Effect::SlowDisk, 1)], "the first open");
    node.slow_disk(1);
    process(&node, work).await;
    assert_eq!(effects(&world), [(Effect::SlowDisk, 1)]);
}

#[sim::test]
async fn a_wiped_disk_is_empty(world: World) {
    let node = world.node("node");
    node.wipe_disk();
    process(&node, work).await;
    assert_eq!(process(&node, content).await, b"kept");
    assert_eq!(effects(&world), [], "there was nothing to wipe, and nothing was");
    node.wipe_disk();
    assert_eq!(process(&node, content).await, b"");
    assert_eq!(effects(&world), [(Effect::DiskWiped, 1)]);
}

#[sim::test]
async fn swapped_disks_hold_what_the_other_node_wrote(world: World) {
    let (one, other) = (world.node("one"), world.node("other"));
    process(&one, work).await;
    assert_eq!((process(&one, content).await, process(&other, content).await), (b"kept".to_vec(), vec![]));
    assert_eq!(effects(&world), []);
    one.swap_disks(&other);
    assert_eq!((process(&one, content).await, process(&other, content).await), (vec![], b"kept".to_vec()));
    assert_eq!(effects(&world), [(Effect::DiskSwapped, 2)]);
}

#[sim::test]
async fn an_earlier_snapshot_knows_nothing_of_what_came_later(world: World) {
    let node = world.node("node");
    process(&node, work).await;
    let earlier = node.snapshot_disk();
    let overwrite = || async {
        runtime::disk::blocking(|| {
            let file = runtime::disk::open("store").expect("free");
            file.write(0, b"late").and_then(|()| file.sync()).expect("a disk that works");
        })
        .await;
    };
    process(&node, overwrite).await;
    assert_eq!(process(&node, content).await, b"late");
    assert_eq!(effects(&world), []);
    node.attach_disk(&earlier);
    assert_eq!(process(&node, content).await, b"kept");
    assert_eq!(effects(&world), [(Effect::DiskSwapped, 1)]);
}

#[sim::test]
async fn a_bit_that_flips_at_rest_is_read_by_whoever_reads_it(world: World) {
    let node = world.node("node");
    assert_eq!(node.flip_bits(1), 0, "nothing is there yet");
    process(&node, work).await;
    world.sleep(Duration::from_secs(1)).await;
    assert_eq!(process(&node, content).await, b"kept");
    assert_eq!(effects(&world), []);
    assert_eq!(node.flip_bits(1), 1);
    let rotten = process(&node, content).await;
    let differ: u32 = rotten.iter().zip(b"kept").map(|(one, other)| (one ^ other).count_ones()).sum();
    assert_eq!((rotten.len(), differ), (4, 1));
    assert_eq!(effects(&world), [(Effect::FlippedBit, 1)]);
    process(&node, work).await;
    assert_eq!(process(&node, content).await, b"kept", "what is written anew is whole");
}
