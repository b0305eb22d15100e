//! One face: the file and the map answer the same, and refuse the same.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use protocol::id::ActorId;
use protocol::wire::{KvRequestData, KvResponseData};

use super::memory::Memory;
use crate::store::disk::Disk;
use crate::store::draft::Draft;
use crate::store::face::{Changes, Face, Fault, Order, Range, Snapshot, Space};
use crate::store::{Batch, CACHE_BYTES, Outcome, Store, StoreError, Write, file};

/// A file that vanishes.
fn on_disk(folder: &tempfile::TempDir) -> Disk {
    let path = folder.path().join("store");
    let (backend, _) = file::prepare(runtime::disk::open(&path).unwrap(), &path).unwrap();
    let disk = Disk::open(backend, CACHE_BYTES, true).unwrap();
    disk.prepare().unwrap();
    disk
}

/// One thing to do in a transaction.
#[derive(Clone, Debug)]
enum Step {
    Put(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Clear(Range),
    Expect(Vec<u8>, Option<Vec<u8>>),
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0u8), Just(1u8), Just(0xff)], 0..3)
}

fn range() -> impl Strategy<Value = Range> {
    prop_oneof![
        Just(Range::all()),
        key().prop_map(Range::prefix),
        (key(), prop::option::of(key())).prop_map(|(start, end)| Range { start, end }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::collection::vec(any::<u8>(), 0..3);
    prop_oneof![
        6 => (key(), value()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key().prop_map(Step::Remove),
        1 => range().prop_map(Step::Clear),
        1 => (key(), prop::option::of(value())).prop_map(|(key, value)| Step::Expect(key, value)),
    ]
}

fn rows(
    scan: impl Fn(&mut crate::store::face::Each<'_>) -> Result<(), Fault>,
    limit: usize,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    scan(&mut |key, value| {
        if rows.len() == limit {
            return Ok(ControlFlow::Break(()));
        }
        rows.push((key.to_vec(), value.to_vec()));
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    rows
}

/// Everything there is to read.
fn all(snapshot: &dyn Snapshot) -> Vec<(Vec<u8>, Vec<u8>)> {
    rows(|each| snapshot.scan(Space::Kv, &Range::all(), Order::Forward, each), usize::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The file and the map after the same transactions: rows in both orders, limits, counts, sizes, refusals. Before
    /// each commit, a draft sees what the commit leaves.
    #[test]
    fn the_file_and_the_map_are_one_face(
        transactions in prop::collection::vec(prop::collection::vec(step(), 0..8), 1..8),
        looks in prop::collection::vec((range(), any::<bool>(), 0usize..4), 4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (disk, memory) = (on_disk(&folder), Memory::default());
        for steps in transactions {
            let mut changes = Changes::default();
            let mut draft = Draft::new(disk.snapshot().unwrap());
            for step in steps {
                match step {
                    Step::Put(key, value) => {
                        changes.put(Space::Kv, key.clone(), value.clone().into());
                        draft.put(Space::Kv, key, value);
                    }
                    Step::Remove(key) => {
                        changes.remove(Space::Kv, key.clone());
                        draft.remove(Space::Kv, key);
                    }
                    Step::Clear(range) => {
                        changes.clear(Space::Kv, range.clone());
                        draft.clear(Space::Kv, range);
                    }
                    Step::Expect(key, value) => changes.expect(Space::Kv, &key, value.map(Bytes::from)),
                }
            }
            let before = memory.snapshot().unwrap();
            let held = disk.snapshot().unwrap();
            let drafted = rows(|each| draft.scan(Space::Kv, &Range::all(), Order::Forward, each), usize::MAX);
            let foreseen: Vec<Vec<_>> = looks.iter().map(|(range, reverse, limit)| {
                let order = if *reverse { Order::Reverse } else { Order::Forward };
                rows(|each| draft.scan(Space::Kv, range, order, each), *limit)
            }).collect();
            let committed = memory.commit(changes.clone());
            prop_assert_eq!(disk.commit(changes), committed.clone());
            let (one, other) = (disk.snapshot().unwrap(), memory.snapshot().unwrap());
            prop_assert_eq!(all(&*held), all(&*before), "a snapshot stays as it is");
            match committed {
                Ok(()) => prop_assert_eq!(&drafted, &all(&*other)),
                Err(_) => prop_assert_eq!(all(&*other), all(&*before), "a refused transaction changes nothing"),
            }
            for ((range, reverse, limit), foreseen) in looks.iter().zip(foreseen) {
                let order = if *reverse { Order::Reverse } else { Order::Forward };
                let found = rows(|each| one.scan(Space::Kv, range, order, each), *limit);
                prop_assert_eq!(&found, &rows(|each| other.scan(Space::Kv, range, order, each), *limit));
                prop_assert!(committed.is_err() || found == foreseen, "{:?} foresaw {:?}", range, foreseen);
            }
            for (key, value) in all(&*other) {
                prop_assert_eq!(one.get(Space::Kv, &key).unwrap(), Some(Bytes::from(value)));
            }
            let (mut size, expected) = (disk.size().unwrap(), memory.size().unwrap());
            size.file_bytes = 0;
            prop_assert_eq!(size, expected);
        }
    }
}

fn put(value: &'static str) -> Batch {
    let mut batch = Batch::new();
    let request = KvRequestData::Put { keys: vec!["k".into()], values: vec![value.into()] };
    batch.push(Write::Kv { actor: ActorId::from_entropy([1; 16]), request });
    batch
}

async fn value(store: &mut Store) -> Vec<Bytes> {
    let mut batch = Batch::new();
    let request = KvRequestData::Get { keys: vec!["k".into()] };
    batch.push(Write::Kv { actor: ActorId::from_entropy([1; 16]), request });
    match store.commit(batch).await.unwrap().remove(0) {
        Outcome::Kv(KvResponseData::Get { values, .. }) => values,
        other => panic!("{other:?}"),
    }
}

/// Two engines on one database that no lock protects.
async fn overtaking(face: Arc<dyn Face>) {
    let open = || Store::on(Arc::clone(&face), PathBuf::from("shared")).unwrap();
    let (mut older, mut newer) = (open(), open());
    older.commit(put("a")).await.unwrap();
    let refused = newer.commit(put("b")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Overtaken { .. }), "who opened before the other wrote: {refused}");
    let mut newer = open();
    newer.commit(put("c")).await.unwrap();
    newer.commit(put("d")).await.unwrap();
    let refused = older.commit(put("e")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Overtaken { .. }), "{refused}");
    assert_eq!(value(&mut older).await, ["d"], "whoever may not write still reads");
    newer.commit(put("f")).await.unwrap();
}

#[test]
fn a_writer_that_is_not_the_newest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    runtime::process::block_on(None, async {
        overtaking(Arc::new(on_disk(&folder))).await;
        overtaking(Arc::new(Memory::default())).await;
    })
    .unwrap();
}

#[test]
fn bytes_are_counted_as_they_come_and_go_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let disk = on_disk(&folder);
    let write = |disk: &Disk, change: &dyn Fn(&mut Changes)| {
        let mut changes = Changes::default();
        change(&mut changes);
        disk.commit(changes).unwrap();
        disk.size().unwrap().stored_bytes
    };
    assert_eq!(write(&disk, &|changes| changes.put(Space::Kv, vec![1; 10], vec![2; 90].into())), 100);
    assert_eq!(write(&disk, &|changes| changes.put(Space::Kv, vec![1; 10], vec![2; 40].into())), 50);
    assert_eq!(write(&disk, &|changes| changes.put(Space::Inputs, vec![1; 10], vec![2; 40].into())), 100);
    drop(disk);
    let disk = on_disk(&folder);
    assert_eq!(disk.size().unwrap().stored_bytes, 100);
    assert_eq!(write(&disk, &|changes| changes.remove(Space::Inputs, vec![1; 10])), 50);
    assert_eq!(write(&disk, &|changes| changes.clear(Space::Kv, Range::all())), 0);
}
