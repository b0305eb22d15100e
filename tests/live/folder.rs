//! A data folder that cannot be served from: one clear line, exit code 1, nothing overwritten.

use gates::binaries::Binaries;
use gates::platform::Platform;
use gates::process::{Process, free_port};

/// Serves from a folder and returns what the process said when it ended with code 1.
fn refused(folder: &std::path::Path) -> String {
    let bind = format!("127.0.0.1:{}", free_port());
    let folder = folder.display().to_string();
    let arguments = ["serve", "--bind", &bind, "--data", &folder, "--log", "off"];
    let mut process = Process::start(&Binaries::built().engine(), &arguments, &[]);
    let status = process.wait();
    let lines = process.rest();
    assert_eq!(status.code(), Some(1), "{lines:?}");
    assert_eq!(lines.len(), 1, "one line: {lines:?}");
    lines.concat()
}

#[test]
fn a_folder_in_use_is_refused() {
    let platform = Platform::start();
    let line = refused(platform.data());
    assert!(line.contains("in use"), "{line}");
    // Whoever has it is undisturbed.
    gates::block_on(async move { platform.client().health().await })
        .expect("the engine that has the folder answers");
}

#[test]
fn a_damaged_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut platform = Platform::start_on(folder.path());
    platform.stop();
    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| std::fs::metadata(path).unwrap().len())
        .expect("a stopped engine leaves its store");
    let damaged = b"this was a store once".repeat(1000);
    std::fs::write(&file, &damaged).unwrap();
    let line = refused(folder.path());
    assert!(line.contains(file.file_name().unwrap().to_str().unwrap()), "the line names the file: {line}");
    assert_eq!(std::fs::read(&file).unwrap(), damaged, "nothing is overwritten");
}

#[test]
fn a_store_that_is_damaged_inside_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut platform = Platform::start_on(folder.path());
    platform.stop();
    let file = folder.path().join("rehearsal.store");
    let mut damaged = std::fs::read(&file).unwrap();
    // Behind our stamp, where the database is.
    damaged[8192..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&file, &damaged).unwrap();
    let line = refused(folder.path());
    assert!(line.contains("rehearsal.store is damaged"), "{line}");
    assert_eq!(std::fs::read(&file).unwrap(), damaged, "nothing is overwritten");
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    std::fs::write(&file, "mine").unwrap();
    refused(&file);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}
