//! What a power loss may leave, for any sequence of operations and any moment.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::{Disk, FileHandle, SECTOR};
use super::{Chance, after_boot, always, with_file};

const MAX: usize = 6 * SECTOR;

#[derive(Clone, Debug)]
enum Step {
    Write { offset: usize, len: usize, byte: u8 },
    SetLen(usize),
    Sync,
}

fn writes_and_syncs() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..MAX, 0..3 * SECTOR, 1..=u8::MAX).prop_map(|(offset, len, byte)| Step::Write {
            offset,
            len: len.min(MAX - offset),
            byte,
        }),
        1 => Just(Step::Sync),
    ];
    proptest::collection::vec(step, 1..24)
}

fn anything() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..MAX, 1..3 * SECTOR, 1..=u8::MAX)
            .prop_map(|(offset, len, byte)| Step::Write { offset, len, byte }),
        2 => (0..MAX).prop_map(Step::SetLen),
        1 => Just(Step::Sync),
    ];
    proptest::collection::vec(step, 1..24)
}

/// What was read after each operation, when it was done, and whether it was a sync.
struct Moment {
    content: Vec<u8>,
    start: u64,
    end: u64,
    sync: bool,
}

fn perform(disk: &mut Disk, file: FileHandle, steps: &[Step], chance: &mut Chance) -> Vec<Moment> {
    let mut content = vec![0; usize::try_from(disk.len(file).expect("known")).expect("small")];
    disk.read(file, 0, &mut content, &mut always(0)).expect("whole");
    let mut moments = Vec::new();
    for step in steps {
        let start = disk.end_section();
        match *step {
            Step::Write { offset, len, byte } => {
                disk.write(file, offset as u64, &vec![byte; len], &mut always(0)).expect("written");
                if len > 0 {
                    content.resize(content.len().max(offset + len), 0);
                    content[offset..offset + len].fill(byte);
                }
            }
            Step::SetLen(len) => {
                disk.set_len(file, len as u64, &mut always(0)).expect("set");
                content.resize(len, 0);
            }
            Step::Sync => disk.sync(file, &mut chance.draw()).expect("synced"),
        }
        let (sync, end) = (matches!(step, Step::Sync), disk.end_section());
        moments.push(Moment { content: content.clone(), start, end, sync });
    }
    moments
}

/// What the file may have been made of when the power went at `at`: as the last sync left it that had ended, and after
/// each operation begun since.
fn possible(before: Vec<u8>, moments: &[Moment], at: u64) -> Vec<Vec<u8>> {
    let mut possible = vec![before];
    for moment in moments.iter().take_while(|moment| moment.start <= at) {
        if moment.sync && moment.end <= at {
            possible.clear();
        }
        possible.push(moment.content.clone());
    }
    possible
}

fn sector(content: &[u8], place: usize) -> &[u8] {
    &content[(place * SECTOR).min(content.len())..((place + 1) * SECTOR).min(content.len())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn each_sector_is_as_synced_or_as_written_since(
        steps in writes_and_syncs(), seed in any::<u64>(), moment in 0..1000u64,
    ) {
        let mut chance = Chance(seed);
        let (mut disk, file) = with_file();
        disk.set_len(file, MAX as u64, &mut always(0)).expect("room");
        disk.sync(file, &mut chance.draw()).expect("synced");
        let begin = disk.end_section();
        disk.begin_section(begin);
        let moments = perform(&mut disk, file, &steps, &mut chance);
        let at = begin + (disk.end_section() - begin) * moment / 999;
        disk.lose_power(at, &mut chance.draw());
        let left = after_boot(&mut disk);
        prop_assert_eq!(left.len(), MAX);
        let possible = possible(vec![0; MAX], &moments, at);
        for place in 0..MAX / SECTOR {
            prop_assert!(
                possible.iter().any(|content| sector(content, place) == sector(&left, place)),
                "sector {} is neither old nor new", place,
            );
        }
    }

    #[test]
    fn lengths_too_are_old_or_new_and_no_byte_comes_from_nowhere(
        steps in anything(), seed in any::<u64>(), moment in 0..1000u64,
    ) {
        let mut chance = Chance(seed);
        let (mut disk, file) = with_file();
        let begin = disk.end_section();
        disk.begin_section(begin);
        let moments = perform(&mut disk, file, &steps, &mut chance);
        let at = begin + (disk.end_section() - begin) * moment / 999;
        disk.lose_power(at, &mut chance.draw());
        let left = after_boot(&mut disk);
        let possible = possible(Vec::new(), &moments, at);
        prop_assert!(possible.iter().any(|content| content.len() == left.len()), "length {}", left.len());
        for (place, byte) in left.iter().enumerate() {
            prop_assert!(
                *byte == 0 || possible.iter().any(|content| content.get(place) == Some(byte)),
                "byte {} is {}", place, byte,
            );
        }
    }

    #[test]
    fn a_kill_keeps_what_was_done_and_at_most_a_part_of_what_was_under_way(
        steps in anything(), seed in any::<u64>(), moment in 0..1000u64,
    ) {
        let mut chance = Chance(seed);
        let (mut disk, file) = with_file();
        let begin = disk.end_section();
        disk.begin_section(begin);
        let moments = perform(&mut disk, file, &steps, &mut chance);
        let at = begin + (disk.end_section() - begin) * moment / 999;
        disk.kill(at, &mut chance.draw());
        let left = after_boot(&mut disk);
        let done = moments.iter().take_while(|moment| moment.end <= at).last();
        let done = done.map_or(Vec::new(), |moment| moment.content.clone());
        let under_way = moments.iter().find(|moment| moment.start <= at && moment.end > at);
        // All of these files are within two pages: a write under way shows none, all, or its first page.
        let mut allowed = vec![done.clone()];
        if let Some(moment) = under_way {
            let mut first_page = moment.content.clone();
            first_page.truncate(4096.max(done.len()));
            if let (Some(tail), Some(old)) = (first_page.get_mut(4096..), done.get(4096..)) {
                tail.copy_from_slice(old);
            }
            allowed.extend([moment.content.clone(), first_page]);
        }
        prop_assert!(allowed.contains(&left));
    }

    #[test]
    fn a_sync_that_ended_holds_whatever_comes_later(
        steps in anything(), later in anything(), seed in any::<u64>(),
    ) {
        let mut chance = Chance(seed);
        let (mut disk, file) = with_file();
        let kept = perform(&mut disk, file, &steps, &mut chance);
        disk.sync(file, &mut chance.draw()).expect("synced");
        let synced = disk.end_section();
        disk.settle(synced);
        disk.begin_section(synced + 1);
        perform(&mut disk, file, &later, &mut chance);
        // Nothing of `later` was begun.
        disk.lose_power(synced, &mut chance.draw());
        prop_assert_eq!(&after_boot(&mut disk), &kept.last().expect("at least one step").content);
    }
}

/// The properties above would also hold for a disk that loses nothing: each outcome has to come about.
#[test]
fn every_outcome_comes_about() {
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut contents = BTreeSet::new();
    let mut torn_writes = 0;
    for seed in 0..400 {
        let mut chance = Chance(seed);
        let (mut disk, file) = with_file();
        disk.set_len(file, 4 * SECTOR as u64, &mut always(0)).expect("room");
        disk.sync(file, &mut chance.draw()).expect("synced");
        disk.write(file, 0, &[1; 4 * SECTOR], &mut always(0)).expect("written");
        disk.write(file, 0, &[2; SECTOR], &mut always(0)).expect("written");
        disk.lose_power(disk.end_section(), &mut chance.draw());
        let (lost, torn) = (disk.counts().sectors_lost, disk.counts().writes_torn);
        let left: Vec<u8> = after_boot(&mut disk).chunks(SECTOR).map(|sector| sector[0]).collect();
        assert_eq!(lost, left.iter().zip([2, 1, 1, 1]).filter(|(left, new)| *left != new).count() as u64);
        let outcome = match left.as_slice() {
            [0, 0, 0, 0] => "nothing",
            [2, 1, 1, 1] => "everything",
            [1, ..] => "an overwritten version",
            _ => "a part",
        };
        *outcomes.entry(outcome).or_default() += 1;
        torn_writes += torn;
        contents.insert(left);
    }
    assert_eq!(contents.len(), 3 * 2 * 2 * 2, "each sector by itself: {outcomes:?}");
    assert!(torn_writes > 100, "{torn_writes}");
    assert!(outcomes["nothing"] > 80 && outcomes["everything"] > 80, "{outcomes:?}");
}
