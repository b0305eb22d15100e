//! Files that are in use, unreadable, damaged, foreign or half made.

use std::fs;
use std::path::Path;

use host::store::{Batch, FILE_NAME, Location, Outcome, Store, StoreError, VERIFIED_BYTES_MAX, Write};
use protocol::id::ActorId;
use protocol::limits::KV_VALUE_BYTES_MAX;
use protocol::wire::{KvRequestData, KvResponseData};

use crate::support::run;

/// Opens the store, which must fail in one line and leave the file as it is.
fn refused(folder: &Path) -> StoreError {
    let file = folder.join(FILE_NAME);
    let before = fs::read(&file).ok();
    let error = run(Store::open(folder)).unwrap_err();
    assert_eq!(fs::read(&file).ok(), before, "{error}: the file was touched");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error
}

/// A store with some content.
fn filled(folder: &Path) -> Vec<u8> {
    run(async {
        let mut store = Store::open(folder).await.unwrap();
        let mut batch = Batch::new();
        for number in 0..40 {
            let request = KvRequestData::Put {
                keys: vec![vec![number].into()],
                values: vec![vec![number; 1000].into()],
            };
            batch.push(Write::Kv { actor: ActorId::from_entropy([number; 16]), request });
        }
        store.commit(batch).await.unwrap();
        store.close().await;
    });
    fs::read(folder.join(FILE_NAME)).unwrap()
}

/// The values that [`filled`] has put.
async fn contents(mut store: Store) -> Vec<Vec<u8>> {
    let mut batch = Batch::new();
    for number in 0..40 {
        let request = KvRequestData::Get { keys: vec![vec![number].into()] };
        batch.push(Write::Kv { actor: ActorId::from_entropy([number; 16]), request });
    }
    let outcomes = store.commit(batch).await.unwrap();
    store.close().await;
    let values = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Kv(KvResponseData::Get { values, .. }) => values.concat(),
        other => panic!("{other:?}"),
    });
    values.collect()
}

#[test]
fn a_store_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let store = Store::open(folder.path()).await.unwrap();
        let error = Store::open(folder.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        store.close().await;
        Store::open(folder.path()).await.unwrap().close().await;
    });
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(FILE_NAME)).unwrap();
    assert!(matches!(refused(folder.path()), StoreError::Unreadable { .. }));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(refused(&file), StoreError::Unreadable { .. }));
}

#[test]
fn files_of_others_are_never_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let zeros = vec![0; 8192];
    for content in [b"hello".as_slice(), &[b'x'; 9000], &zeros] {
        fs::write(&file, content).unwrap();
        assert!(matches!(refused(folder.path()), StoreError::Foreign { .. }));
    }
    // A database of the same library, but not ours.
    fs::remove_file(&file).unwrap();
    drop(redb::Database::create(&file).unwrap());
    assert!(matches!(refused(folder.path()), StoreError::Foreign { .. }));
}

#[test]
fn another_format_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut content = filled(folder.path());
    let at = content.iter().position(|byte| *byte == b'\n').unwrap();
    content[at - 1] = b'9';
    fs::write(folder.path().join(FILE_NAME), content).unwrap();
    match refused(folder.path()) {
        StoreError::Format { found, ours, .. } => assert_eq!((found.as_str(), ours), ("9", 2)),
        other => panic!("{other}"),
    }
}

#[test]
fn damage_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let content = filled(folder.path());
    let file = folder.path().join(FILE_NAME);
    let mut found = 0;
    // Every part of the database's header, then a sample of its pages.
    for at in (4096..4096 + 512).step_by(64).chain((4096 + 512..content.len()).step_by(1009)) {
        let mut damaged = content.clone();
        for byte in &mut damaged[at..(at + 64).min(content.len())] {
            *byte ^= 0x5a;
        }
        fs::write(&file, &damaged).unwrap();
        match run(Store::open(folder.path())) {
            Err(error @ StoreError::Damaged { .. }) => {
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
                assert_eq!(fs::read(&file).unwrap(), damaged, "{error}: the file was touched");
                found += 1;
            }
            Err(other) => panic!("at {at}: {other}"),
            // A page that is in no tree, or that the database makes anew.
            Ok(store) => {
                assert_eq!(run(contents(store)), (0..40).map(|number| vec![number; 1000]).collect::<Vec<_>>())
            }
        }
    }
    assert!(found > 20, "{found} found");
    fs::write(&file, &content[..content.len() / 2]).unwrap();
    assert!(matches!(refused(folder.path()), StoreError::Damaged { .. }));
    fs::write(&file, &content[..2000]).unwrap();
    assert!(matches!(refused(folder.path()), StoreError::Damaged { .. }));
}

#[test]
fn a_large_store_opens_unread_and_is_verified_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let mark = b"where the damage shall be";
    run(async {
        let mut store = Store::open(folder.path()).await.unwrap();
        let mut batch = Batch::new();
        let values = VERIFIED_BYTES_MAX / KV_VALUE_BYTES_MAX as u64 + 8;
        for number in 0..values {
            let mut value = vec![7; KV_VALUE_BYTES_MAX];
            value[1000..1000 + mark.len()].copy_from_slice(mark);
            let keys = vec![number.to_be_bytes().to_vec().into()];
            let request = KvRequestData::Put { keys, values: vec![value.into()] };
            batch.push(Write::Kv { actor: ActorId::from_entropy([1; 16]), request });
        }
        store.commit(batch).await.unwrap();
        store.close().await;
    });
    let mut content = fs::read(&file).unwrap();
    assert!(content.len() as u64 > VERIFIED_BYTES_MAX);
    run(async { Store::verify(folder.path()).await.unwrap().close().await });
    let at = content.windows(mark.len()).position(|bytes| bytes == mark).unwrap();
    content[at] ^= 1;
    fs::write(&file, &content).unwrap();
    run(async { Store::open(folder.path()).await.unwrap().close().await });
    let error = run(Store::verify(folder.path())).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn whoever_verifies_a_store_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let nothing = folder.path().join("nothing");
    assert!(matches!(run(Store::verify(&nothing)), Err(StoreError::Missing { .. })));
    assert!(!nothing.exists());
    let stamp = filled(folder.path())[..4096].to_vec();
    for cut_short in [Vec::new(), vec![0; 4096], stamp] {
        fs::write(&file, &cut_short).unwrap();
        assert!(matches!(run(Store::verify(folder.path())), Err(StoreError::Missing { .. })));
        assert_eq!(fs::read(&file).unwrap(), cut_short, "it was touched");
    }
}

#[test]
fn a_store_whose_making_was_cut_short_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    let content = filled(folder.path());
    let mut without_magic = vec![0; 1 << 20];
    without_magic[..4096].copy_from_slice(&content[..4096]);
    // redb writes its header before its magic number.
    without_magic[4096 + 9..4096 + 320].fill(7);
    for cut_short in [Vec::new(), vec![0; 4096], vec![0; 100], content[..4096].to_vec(), without_magic] {
        fs::write(&file, &cut_short).unwrap();
        run(async {
            let store = Store::open(folder.path()).await.unwrap();
            assert_eq!(store.size().await.unwrap().kv, 0);
            store.close().await;
        });
    }
}

#[test]
fn what_was_deleted_is_given_back_at_a_start_and_by_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let len = || fs::metadata(folder.path().join(FILE_NAME)).unwrap().len();
    let location = Location::new(folder.path());
    let fill = |from: u64, count: u64| {
        let mut batch = Batch::new();
        for number in from..from + count {
            let keys = vec![number.to_be_bytes().to_vec().into()];
            let request = KvRequestData::Put { keys, values: vec![vec![7; KV_VALUE_BYTES_MAX].into()] };
            batch.push(Write::Kv { actor: ActorId::from_entropy([1; 16]), request });
        }
        batch
    };
    run(async {
        let mut store = location.open_tidy().await.unwrap();
        store.commit(fill(0, 600)).await.unwrap();
        store.commit(fill(1000, 8)).await.unwrap();
        store.close().await;
        let full = len();
        location.open_tidy().await.unwrap().close().await;
        assert_eq!(len(), full, "what is used is left where it is");
        let mut store = location.open_tidy().await.unwrap();
        let mut batch = Batch::new();
        let end = 1000_u64.to_be_bytes().to_vec().into();
        let request = KvRequestData::DeleteRange { start: vec![0].into(), end };
        batch.push(Write::Kv { actor: ActorId::from_entropy([1; 16]), request });
        store.commit(batch).await.unwrap();
        let size = store.size().await.unwrap();
        assert_eq!((size.kv, size.file_bytes), (8, len()));
        store.close().await;
        let wasted = len();
        assert!(wasted > 64 << 20, "{wasted}");
        let store = location.open_tidy().await.unwrap();
        assert_eq!(store.size().await.unwrap().kv, 8);
        store.close().await;
        let tidy = len();
        assert!(tidy < wasted / 8, "{wasted} before, {tidy} after");
        let (before, after) = location.compact().await.unwrap();
        assert!(after.file_bytes <= before.file_bytes && after.kv == 8, "{before:?} {after:?}");
        Store::verify(folder.path()).await.unwrap().close().await;
    });
}
