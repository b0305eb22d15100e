//! Files of the host, on blocking threads.

use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use runtime::disk::{self, DiskError};

fn run<F: Future>(future: F) -> F::Output {
    runtime::process::block_on(None, future).expect("a runtime")
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("there").permissions().mode() & 0o777
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").expect("written");
    run(disk::blocking(move || {
        for path in [file.clone(), file.join("below")] {
            assert!(matches!(disk::create_folder(path), Err(DiskError::Unreadable { .. })));
        }
    }));
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/er/store");
    run(disk::blocking(move || {
        assert!(matches!(disk::open(&path), Err(DiskError::Unreadable { .. })), "its folder is missing");
        disk::create_folder(path.parent().expect("deep")).expect("created");
        assert!(!disk::exists(&path));
        let file = disk::open(&path).expect("created");
        assert!(disk::exists(&path));
        assert_eq!(mode(&path), 0o600, "nobody else reads it");
        assert_eq!(mode(path.parent().expect("er")), 0o700);
        assert_eq!(mode(path.ancestors().nth(2).expect("deep")), 0o700);
        assert!(file.is_empty().expect("new"));
        file.write(3, b"late").expect("written");
        file.sync().expect("synced");
        drop(file);

        let file = disk::open(&path).expect("still there");
        let mut all = [9; 7];
        file.read(0, &mut all).expect("seven bytes");
        assert_eq!(&all, b"\0\0\0late");
        assert_eq!(file.read(4, &mut all).expect_err("past the end").kind(), ErrorKind::UnexpectedEof);
        file.set_len(4).expect("cut");
        file.set_len(6).expect("extended");
        let mut all = [9; 6];
        file.read(0, &mut all).expect("six bytes");
        assert_eq!(&all, b"\0\0\0l\0\0");
        assert_eq!(file.len().expect("known"), 6);
    }));
}

#[test]
fn a_file_has_one_holder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    run(disk::blocking(move || {
        let file = disk::open(&path).expect("created");
        let clone = file.clone();
        assert!(matches!(disk::open(&path), Err(DiskError::InUse { .. })));
        drop(file);
        assert!(matches!(disk::open(&path), Err(DiskError::InUse { .. })), "a clone holds it");
        drop(clone);
        disk::open(&path).expect("free again");
    }));
}

#[test]
fn what_is_opened_to_read_is_held_and_neither_written_nor_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    run(disk::blocking(move || {
        assert!(matches!(disk::open_to_read(&path), Err(DiskError::Unreadable { .. })), "there is none");
        assert!(!disk::exists(&path));
        std::fs::write(&path, "kept").expect("written");
        let file = disk::open_to_read(&path).expect("there");
        file.write(0, b"lost").expect_err("it is open to read only");
        file.set_len(0).expect_err("it is open to read only");
        let mut all = [0; 4];
        file.read(0, &mut all).expect("four bytes");
        assert_eq!(&all, b"kept");
        assert!(matches!(disk::open(&path), Err(DiskError::InUse { .. })));
        assert!(matches!(disk::open_to_read(&path), Err(DiskError::InUse { .. })));
        drop(file);
        drop(disk::open(&path).expect("free again"));
    }));
}

#[test]
fn what_is_no_file_is_unreadable() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = run(disk::blocking(move || disk::open(folder.path()).expect_err("a folder")));
    assert!(matches!(error, DiskError::Unreadable { .. }), "{error}");
}

#[test]
fn blocking_work_stops_nobody() {
    // One thread: work done on it would keep the sleeper from ever answering.
    let threads = std::num::NonZeroUsize::MIN;
    let answer = runtime::process::block_on(Some(threads), async {
        let (ask, asked) = std::sync::mpsc::channel();
        drop(runtime::spawn("sleeper", async move {
            runtime::sleep(Duration::from_millis(5)).await;
            ask.send("awake").expect("the work waits");
        }));
        disk::blocking(move || asked.recv().expect("the sleeper answers")).await
    });
    assert_eq!(answer.expect("a runtime"), "awake");
}

#[test]
#[should_panic(expected = "on purpose")]
fn a_panic_in_blocking_work_is_passed_on() {
    run(disk::blocking(|| panic!("on purpose")))
}
