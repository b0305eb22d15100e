//! Processes, locks, time, injected faults.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::super::{Disk, DiskFault, DiskOptions, Often, PAGE, SECTOR};
use super::{after_boot, always, with_file};

const NAME: &str = "store";

fn reopen(disk: &mut Disk) -> Result<super::super::FileHandle, DiskFault> {
    disk.open(Path::new(NAME), &mut always(0))
}

#[test]
fn a_file_has_one_holder_until_it_closes_or_dies() {
    let (mut disk, file) = with_file();
    assert_eq!(reopen(&mut disk), Err(DiskFault::InUse));
    assert_eq!(disk.open_files(), 1);
    assert_eq!(io::Error::from(DiskFault::InUse).kind(), io::ErrorKind::WouldBlock);
    disk.close(file);
    let file = reopen(&mut disk).expect("free");
    disk.kill(disk.end_section(), &mut always(0));
    assert_eq!(disk.open_files(), 0);
    disk.crash_at(disk.operations());
    disk.spare();
    disk.boot();
    let heir = reopen(&mut disk).expect("the dead hold no locks");
    assert_eq!(disk.write(file, 0, b"late", &mut always(0)), Err(DiskFault::Fenced), "a handle of the dead");
    disk.close(file);
    assert_eq!(reopen(&mut disk), Err(DiskFault::InUse), "nor can they release the lock of the heir");
    disk.write(heir, 0, b"mine", &mut always(0)).expect("the heir writes");
}

#[test]
fn a_fence_refuses_everything_until_the_next_boot() {
    let (mut disk, file) = with_file();
    disk.write(file, 0, b"kept", &mut always(0)).expect("written");
    disk.fence();
    assert_eq!(disk.write(file, 0, b"late", &mut always(0)), Err(DiskFault::Fenced));
    assert_eq!(disk.read(file, 0, &mut [0; 4], &mut always(0)), Err(DiskFault::Fenced));
    assert_eq!(disk.set_len(file, 0, &mut always(0)), Err(DiskFault::Fenced));
    assert_eq!(disk.sync(file, &mut always(0)), Err(DiskFault::Fenced));
    assert_eq!(disk.len(file), Err(DiskFault::Fenced));
    assert_eq!(reopen(&mut disk), Err(DiskFault::Fenced));
    assert!(!disk.exists(Path::new(NAME)));
    assert_eq!(disk.counts().refused, 6);
    disk.kill(disk.end_section(), &mut always(0));
    assert_eq!(after_boot(&mut disk), b"kept");
    assert!(disk.exists(Path::new(NAME)));
}

#[test]
fn a_new_name_is_durable_and_a_wiped_one_is_gone() {
    let (made, _) = with_file();
    let there = |at: u64, power: bool, keep: u64| {
        let mut disk = made.clone();
        if power {
            disk.lose_power(at, &mut always(keep));
        } else {
            disk.kill(at, &mut always(keep));
        }
        disk.boot();
        disk.exists(Path::new(NAME))
    };
    assert!(there(made.end_section(), true, 0), "durable when open has ended");
    assert!(there(made.end_section() - 1, true, 1) && !there(made.end_section() - 1, true, 0), "not before");
    assert!(there(1, false, 0), "the kernel goes on with it");
    let mut late = Disk::new(DiskOptions::default());
    late.boot();
    late.begin_section(100);
    reopen(&mut late).expect("created");
    late.lose_power(99, &mut always(1));
    late.boot();
    assert!(!late.exists(Path::new(NAME)), "it was never begun");

    let (mut disk, _) = with_file();
    disk.fence();
    disk.wipe();
    disk.boot();
    assert!(!disk.exists(Path::new(NAME)));
}

#[test]
fn operations_queue_and_take_their_time() {
    let (mut disk, file) = with_file();
    let options = DiskOptions::default();
    let begin = 1_000_000_000;
    disk.begin_section(begin);
    assert_eq!(disk.end_section(), begin, "nothing was done");
    disk.write(file, 0, &[1; 8192], &mut always(0)).expect("written");
    let written = Duration::from_micros(22);
    assert_eq!(Duration::from_nanos(disk.end_section() - begin), written);
    disk.sync(file, &mut always(u64::MAX)).expect("synced");
    let synced = written + options.sync.1;
    assert_eq!(Duration::from_nanos(disk.end_section() - begin), synced);
    disk.sync(file, &mut always(u64::MAX)).expect("nothing left");
    let idle = synced + options.write;
    assert_eq!(Duration::from_nanos(disk.end_section() - begin), idle);
    // Another task, while the first one waits: it queues.
    disk.begin_section(begin + 1);
    disk.read(file, 0, &mut [0; 1], &mut always(0)).expect("read");
    assert_eq!(Duration::from_nanos(disk.end_section() - begin), idle + Duration::from_micros(81));
    disk.begin_section(begin + 1);
    assert_eq!(disk.end_section(), begin + 1, "who does nothing waits for nobody");
    disk.slow_down(10);
    disk.begin_section(begin * 2);
    disk.write(file, 0, &[1], &mut always(0)).expect("written");
    assert_eq!(Duration::from_nanos(disk.end_section() - begin * 2), Duration::from_micros(210));
}

#[test]
fn a_crash_falls_inside_its_operation() {
    let (nothing, old, new) = (&[0; 0][..], &[1; SECTOR][..], &[2; SECTOR][..]);
    // 0 is open, 1 write, 2 sync, 3 write; what is left when nothing or everything is kept of what is open to chance.
    let table =
        [(1, [nothing, old], [nothing, old]), (2, [old, old], [nothing, old]), (3, [old, new], [old, new])];
    for (crash_at, killed, powerless) in table {
        let mut disk = Disk::new(DiskOptions::default());
        disk.boot();
        disk.crash_at(crash_at);
        disk.begin_section(77);
        let file = reopen(&mut disk).expect("before the crash");
        let done = [
            disk.write(file, 0, old, &mut always(0)),
            disk.sync(file, &mut always(0)),
            disk.write(file, 0, new, &mut always(0)),
        ];
        let crash = usize::try_from(crash_at - 1).expect("small");
        assert!(done[..crash].iter().all(Result::is_ok), "{done:?}");
        assert!(done[crash..].iter().all(|each| *each == Err(DiskFault::Crashed)), "{done:?}");
        assert!(disk.has_crashed());
        assert_eq!(disk.counts().refused, 4 - crash_at);
        // The clock stands still while a closure runs, and yet all before the crash was done.
        for keep in [0, 1] {
            let mut host_lives = disk.clone();
            host_lives.kill(77, &mut always(keep));
            assert_eq!(after_boot(&mut host_lives), killed[usize::from(keep > 0)], "crash at {crash_at}");
            assert!(!host_lives.has_crashed(), "the next process begins anew");
            let mut host_falls = disk.clone();
            host_falls.lose_power(77, &mut always(keep));
            assert_eq!(after_boot(&mut host_falls), powerless[usize::from(keep > 0)], "crash at {crash_at}");
        }
    }
}

#[test]
fn a_sync_holds_from_its_end_and_what_comes_after_the_fall_never_was() {
    let (mut disk, file) = with_file();
    let begin = disk.end_section();
    disk.begin_section(begin);
    disk.write(file, 0, &[1; SECTOR], &mut always(0)).expect("written");
    disk.sync(file, &mut always(0)).expect("synced");
    let synced = disk.end_section();
    disk.write(file, 0, &[2; SECTOR], &mut always(0)).expect("written");
    let left = |at: u64, keep: u64| {
        let mut disk = disk.clone();
        disk.lose_power(at, &mut always(keep));
        after_boot(&mut disk)
    };
    assert_eq!(left(synced - 1, 0), [0; 0], "the sync was under way");
    assert_eq!(left(synced - 1, 1), [1; SECTOR], "the second write was never begun");
    assert_eq!(left(synced, 0), [1; SECTOR]);
    assert_eq!(left(disk.end_section(), 1), [2; SECTOR]);
}

#[test]
fn a_killed_write_stops_at_a_page() {
    let (mut disk, file) = with_file();
    disk.write(file, 0, &[1; 3 * 4096], &mut always(0)).expect("written");
    disk.begin_section(disk.end_section());
    let begin = disk.end_section();
    disk.write(file, 4000, &[2; 5000], &mut always(0)).expect("written");
    for (pages, written) in [(0, 0), (1, 96), (2, 4192), (3, 5000)] {
        let mut disk = disk.clone();
        disk.kill(begin + 1, &mut always(pages));
        let left = after_boot(&mut disk);
        assert_eq!(left.len(), 3 * 4096);
        let twos = left.iter().filter(|byte| **byte == 2).count();
        assert_eq!((twos, left[4000..4000 + written].iter().all(|byte| *byte == 2)), (written, true));
    }
}

#[test]
fn a_full_disk_takes_nothing_more() {
    let (mut disk, file) = with_file();
    disk.write(file, 0, &[1; 100], &mut always(0)).expect("room");
    disk.limit(Some(150));
    assert_eq!(disk.write(file, 100, &[1; 51], &mut always(0)), Err(DiskFault::Full));
    assert_eq!(disk.set_len(file, u64::MAX, &mut always(0)), Err(DiskFault::Full));
    assert_eq!(disk.write(file, u64::MAX, &[1], &mut always(0)), Err(DiskFault::Full));
    assert_eq!(disk.len(file), Ok(100), "nothing of it was written");
    disk.write(file, 50, &[2; 100], &mut always(0)).expect("up to the brim");
    disk.limit(None);
    disk.write(file, 150, &[3], &mut always(0)).expect("room again");
    assert_eq!(disk.counts().failed, 3);
    assert_eq!(io::Error::from(DiskFault::Full).kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.read(file, 150, &mut [0; 2], &mut always(0)), Err(DiskFault::PastEnd));
}

#[test]
fn what_a_failed_sync_covered_no_later_one_saves() {
    let (mut disk, file) = with_file();
    disk.write(file, 0, &[1; SECTOR], &mut always(0)).expect("written");
    disk.sync(file, &mut always(0)).expect("synced");
    disk.settle(disk.end_section());
    disk.write(file, 0, &[2; SECTOR], &mut always(0)).expect("written");
    disk.fail_syncs(Often::Times(1));
    assert_eq!(disk.sync(file, &mut always(0)), Err(DiskFault::SyncFailed));
    disk.sync(file, &mut always(0)).expect("nothing is dirty any more");
    let mut read = [0; SECTOR];
    disk.read(file, 0, &mut read, &mut always(0)).expect("whole");
    assert_eq!(read, [2; SECTOR], "it still is in the page cache");
    disk.lose_power(disk.end_section(), &mut always(1));
    assert_eq!(after_boot(&mut disk), [1; SECTOR]);
}

#[test]
fn a_failed_sync_leaves_alone_what_one_before_it_covered() {
    let (mut disk, file) = with_file();
    disk.begin_section(disk.end_section());
    disk.write(file, 0, &[1; SECTOR], &mut always(0)).expect("written");
    disk.sync(file, &mut always(0)).expect("synced");
    disk.write(file, SECTOR as u64, &[2; SECTOR], &mut always(0)).expect("written");
    disk.fail_syncs(Often::Times(1));
    // All in one section: nothing of it has settled when the second sync fails, and nothing of that is kept.
    assert_eq!(disk.sync(file, &mut always(0)), Err(DiskFault::SyncFailed));
    let failed = disk.end_section();
    disk.write(file, 2 * SECTOR as u64, &[3; SECTOR], &mut always(0)).expect("written");
    disk.sync(file, &mut always(0)).expect("synced");
    let left = |at: u64, keep: u64| {
        let mut disk = disk.clone();
        disk.lose_power(at, &mut always(keep));
        let lost = disk.counts().sectors_lost;
        (after_boot(&mut disk), lost)
    };
    assert_eq!(left(failed, 0), ([1; SECTOR].to_vec(), 2), "the third write has begun, and is lost, too");
    let second_lost = [[1; SECTOR], [0; SECTOR], [3; SECTOR]].concat();
    assert_eq!(left(disk.end_section(), 1), (second_lost, 1), "the failure was decided when it happened");
    let both = [[1; SECTOR], [2; SECTOR]].concat();
    assert_eq!(left(failed - 1, 1), (both, 0), "the sync that fails is under way: all is open");
}

#[test]
fn what_a_killed_write_left_is_there_whenever_the_next_process_dies() {
    let (mut disk, file) = with_file();
    disk.write(file, 0, &[1; 3 * PAGE], &mut always(0)).expect("written");
    disk.begin_section(disk.end_section());
    disk.slow_down(1000);
    let begin = disk.end_section();
    disk.write(file, 0, &[2; 3 * PAGE], &mut always(0)).expect("written");
    let end = disk.end_section();
    disk.kill(begin + 10, &mut always(2));
    let left = [[2; 2 * PAGE].as_slice(), &[1; PAGE]].concat();
    disk.slow_down(1);
    assert_eq!(after_boot(&mut disk), left);
    for at in [begin + 20, end - 1] {
        let mut again = disk.clone();
        again.kill(at, &mut always(0));
        assert_eq!(after_boot(&mut again), left, "nothing was under way any more");
    }
}
