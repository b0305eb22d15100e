//! Operations that fail or lie, pages that are dropped, bits that flip, disks that are taken out and put in.

use std::path::Path;

use super::super::{Disk, DiskFault, FileHandle, Often, PAGE, SECTOR};
use super::{after_boot, always, with_file};
use crate::options::Ratio;

fn read(disk: &mut Disk, file: FileHandle, len: usize) -> Result<Vec<u8>, DiskFault> {
    let mut out = vec![0; len];
    disk.read(file, 0, &mut out, &mut always(0)).map(|()| out)
}

/// A disk with a file that holds these bytes, durably.
fn holding(bytes: &[u8]) -> (Disk, FileHandle) {
    let (mut disk, file) = with_file();
    disk.write(file, 0, bytes, &mut always(0)).expect("written");
    disk.sync(file, &mut always(0)).expect("synced");
    disk.settle(disk.end_section());
    (disk, file)
}

#[test]
fn how_often_is_never_so_many_times_always_or_decided() {
    let strikes = |mut often: Often, draws: &[u64]| -> Vec<bool> {
        let (mut asked, count) = (draws.iter(), 4);
        let struck =
            (0..count).map(|_| often.strikes("it", &mut |_, _| *asked.next().expect("no more draws")));
        struck.collect()
    };
    assert_eq!(strikes(Often::Never, &[]), [false; 4]);
    assert_eq!(strikes(2.into(), &[]), [true, true, false, false]);
    assert_eq!(strikes(Often::Always, &[]), [true; 4]);
    assert_eq!(strikes(Ratio::new(2, 3).into(), &[0, 1, 2, 0]), [true, true, false, true]);
    assert_eq!(strikes(Ratio::NEVER.into(), &[]), [false; 4], "and nothing is decided");
}

#[test]
fn a_read_that_fails_gives_nothing_and_the_next_gives_all() {
    let (mut disk, file) = holding(&[7; 10]);
    disk.fail_reads(1.into());
    assert_eq!(read(&mut disk, file, 10), Err(DiskFault::ReadFailed));
    assert_eq!(std::io::Error::from(DiskFault::ReadFailed).raw_os_error(), Some(5), "EIO");
    assert_eq!(read(&mut disk, file, 10), Ok(vec![7; 10]));
    disk.fail_reads(Often::Always);
    assert!((0..9).all(|_| read(&mut disk, file, 10) == Err(DiskFault::ReadFailed)));
    disk.fail_reads(Often::Never);
    assert_eq!((read(&mut disk, file, 10), disk.counts().failed), (Ok(vec![7; 10]), 10));
}

#[test]
fn a_write_that_fails_has_written_its_first_pages() {
    let (mut old, file) = holding(&[1; 3 * PAGE]);
    old.fail_writes(Often::Always);
    assert_eq!(old.set_len(file, 1, &mut always(0)), Err(DiskFault::WriteFailed));
    // From the last hundred bytes of the first page to the first hundred of the third.
    for (pages, written) in [(0, 0), (1, 100), (2, 100 + PAGE), (3, 200 + PAGE)] {
        let mut disk = old.clone();
        let (place, data) = (PAGE - 100, vec![2; PAGE + 200]);
        let failed = disk.write(file, place as u64, &data, &mut always(pages));
        assert_eq!(failed, Err(DiskFault::WriteFailed));
        let left = read(&mut disk, file, 3 * PAGE).expect("reads work");
        assert!(left[place..place + written].iter().all(|byte| *byte == 2), "{pages} pages");
        assert_eq!(left.iter().filter(|byte| **byte == 2).count(), written, "{pages} pages");
    }
}

#[test]
fn a_sync_that_lies_does_nothing_and_the_next_does_it() {
    let left = |lies: Often, syncs: usize| {
        let (mut disk, file) = with_file();
        disk.lie_in_syncs(lies);
        disk.write(file, 0, &[1; SECTOR], &mut always(0)).expect("written");
        (0..syncs).for_each(|_| disk.sync(file, &mut always(0)).expect("it says so"));
        disk.lose_power(disk.end_section(), &mut always(0));
        let lied = disk.counts().lied;
        (after_boot(&mut disk).len(), lied)
    };
    assert_eq!(left(Often::Never, 1), (SECTOR, 0));
    assert_eq!(left(Often::Always, 3), (0, 3));
    assert_eq!(left(1.into(), 1), (0, 1));
    assert_eq!(left(1.into(), 2), (SECTOR, 1));
    let (mut clean, file) = holding(&[1]);
    clean.lie_in_syncs(Often::Always);
    clean.sync(file, &mut always(0)).expect("nothing to do");
    assert_eq!(clean.counts().lied, 0, "who has nothing to do does not lie");
}

#[test]
fn dropped_pages_show_what_a_failed_sync_lost_and_nothing_else() {
    let (mut disk, file) = holding(&[1; SECTOR]);
    disk.write(file, 0, &[2; SECTOR], &mut always(0)).expect("written");
    assert_eq!(disk.drop_caches(disk.end_section()), 0, "dirty pages stay");
    assert_eq!(read(&mut disk, file, SECTOR), Ok(vec![2; SECTOR]));
    disk.fail_syncs(1.into());
    assert_eq!(disk.sync(file, &mut always(0)), Err(DiskFault::SyncFailed));
    disk.sync(file, &mut always(0)).expect("nothing is dirty any more");
    assert_eq!(read(&mut disk, file, SECTOR), Ok(vec![2; SECTOR]), "as long as nobody needs the memory");
    assert_eq!(disk.drop_caches(disk.end_section()), 1);
    assert_eq!(read(&mut disk, file, SECTOR), Ok(vec![1; SECTOR]));
}

#[test]
fn a_flipped_bit_is_read_until_it_is_written_over() {
    let (mut disk, file) = holding(&[0; 4 * SECTOR]);
    let now = disk.end_section();
    assert_eq!(disk.rot(1, now, &mut always(8 * 700 + 3)), 1);
    let mut rotten = vec![0; 4 * SECTOR];
    rotten[700] = 1 << 3;
    assert_eq!(read(&mut disk, file, 700).map(|all| all.len()), Ok(700));
    assert_eq!(disk.counts().rotten, 0, "it was not read");
    assert_eq!(read(&mut disk, file, 4 * SECTOR), Ok(rotten.clone()));
    assert_eq!(disk.counts().rotten, 1);
    let mut powerless = disk.clone();
    powerless.lose_power(now, &mut always(1));
    assert_eq!(after_boot(&mut powerless), rotten, "it is on the drive");
    disk.write(file, 700, &[0], &mut always(0)).expect("written");
    assert_eq!(read(&mut disk, file, 4 * SECTOR), Ok(vec![0; 4 * SECTOR]));
    assert_eq!(disk.counts().rotten, 1);
    let (mut empty, _) = with_file();
    assert_eq!(empty.rot(9, now, &mut always(0)), 0);
}

#[test]
fn a_bit_that_flips_under_a_dirty_sector_is_not_read() {
    let (mut disk, file) = holding(&[0; SECTOR]);
    disk.write(file, 0, &[5; SECTOR], &mut always(0)).expect("written");
    disk.rot(1, disk.end_section(), &mut always(0));
    assert_eq!(read(&mut disk, file, SECTOR), Ok(vec![5; SECTOR]));
    assert_eq!(disk.counts().rotten, 0);
    let mut lost = disk.clone();
    lost.lose_power(lost.end_section(), &mut always(0));
    assert_eq!(after_boot(&mut lost)[0], 1, "the write is lost, the flip is there");
    disk.sync(file, &mut always(0)).expect("synced");
    disk.lose_power(disk.end_section(), &mut always(0));
    assert_eq!(after_boot(&mut disk), [5; SECTOR], "the write replaced it");
    assert_eq!(disk.counts().rotten, 0);
}

#[test]
fn a_snapshot_holds_what_is_durable_and_can_be_put_back() {
    let (mut disk, file) = holding(&[1; SECTOR]);
    disk.write(file, 0, &[2; SECTOR], &mut always(0)).expect("written");
    let earlier = disk.snapshot(disk.end_section());
    disk.sync(file, &mut always(0)).expect("synced");
    disk.write(file, 0, &[3; SECTOR], &mut always(0)).expect("written");
    disk.kill(disk.end_section(), &mut always(0));
    let unmounted = disk.eject();
    assert!(disk.is_empty());
    disk.attach(earlier);
    assert_eq!(after_boot(&mut disk), [1; SECTOR], "the sync came later");
    disk.kill(disk.end_section(), &mut always(0));
    disk.attach(unmounted);
    disk.lose_power(disk.end_section(), &mut always(0));
    assert_eq!(after_boot(&mut disk), [3; SECTOR], "an unmount writes back");
    disk.lose_power(disk.end_section(), &mut always(0));
    disk.wipe();
    disk.boot();
    assert!(!disk.exists(Path::new("store")));
}

#[test]
fn an_operation_that_was_to_fail_is_forgotten_with_its_process() {
    let (mut disk, file) = holding(&[7; 10]);
    disk.write(file, 0, &[8; 10], &mut always(0)).expect("written");
    disk.crash_at(disk.operations());
    disk.fail_operation();
    assert_eq!(disk.sync(file, &mut always(0)), Err(DiskFault::Crashed), "it falls before the sync can fail");
    disk.kill(disk.end_section(), &mut always(0));
    disk.boot();
    let file = disk.open(Path::new("store"), &mut always(0)).expect("free");
    disk.write(file, 0, &[9; 10], &mut always(0)).expect("another process");
    assert_eq!((disk.sync(file, &mut always(0)), disk.counts().failed), (Ok(()), 0));
}

#[test]
fn a_read_past_the_end_uses_up_no_failure() {
    let (mut disk, file) = holding(&[7; 10]);
    disk.fail_reads(1.into());
    assert_eq!(read(&mut disk, file, 11), Err(DiskFault::PastEnd));
    assert_eq!((read(&mut disk, file, 10), disk.counts().failed), (Err(DiskFault::ReadFailed), 1));
    disk.fail_reads(Ratio::new(1, 2).into());
    let mut asked = 0;
    let past = disk.read(file, 5, &mut [0; 6], &mut |_, _| {
        asked += 1;
        0
    });
    assert_eq!((past, asked), (Err(DiskFault::PastEnd), 0), "nor is any decided");
}

#[test]
fn a_flipped_bit_is_on_the_drive_until_a_write_over_it_is() {
    let flipped = || {
        let (mut disk, file) = holding(&[0; 4 * SECTOR]);
        disk.begin_section(disk.end_section());
        disk.rot(1, disk.end_section(), &mut always(8 * 700));
        (disk, file)
    };
    let read_again = |mut disk: Disk| (after_boot(&mut disk)[700], disk.counts().rotten);
    let (mut disk, file) = flipped();
    let begun = disk.end_section();
    disk.write(file, 600, &[0; 200], &mut always(0)).expect("written");
    let written = disk.end_section();
    let mut cut = disk.clone();
    cut.kill(begun, &mut always(0));
    assert_eq!(read_again(cut), (1, 1), "the write came to nothing");
    let mut lost = disk.clone();
    lost.lose_power(written, &mut always(0));
    assert_eq!(read_again(lost), (1, 1), "the write was lost");
    let mut kept = disk.clone();
    kept.lose_power(written, &mut always(1));
    assert_eq!(read_again(kept), (0, 0), "the write survived");
    disk.sync(file, &mut always(0)).expect("synced");
    disk.lose_power(disk.end_section(), &mut always(0));
    assert_eq!(read_again(disk), (0, 0));
    let (mut cut_short, file) = flipped();
    cut_short.set_len(file, 700, &mut always(0)).expect("cut");
    let mut lost = cut_short.clone();
    lost.lose_power(lost.end_section(), &mut always(0));
    assert_eq!(read_again(lost), (1, 1), "it is as long as it was");
    cut_short.set_len(file, 4 * SECTOR as u64, &mut always(0)).expect("extended");
    cut_short.sync(file, &mut always(0)).expect("synced");
    cut_short.lose_power(cut_short.end_section(), &mut always(0));
    assert_eq!(read_again(cut_short), (0, 0), "what a file is extended by is zero");
}
