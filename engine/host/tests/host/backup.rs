//! Backups of an engine that is written to meanwhile, and what is made of them.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host::store::backup::{self, BackupError, Reading, RestoringError};
use host::store::{FILE_NAME, Store, StoreError};
use machines::control::Control;
use protocol::id::NamespaceId;
use protocol::time::{Mono, Now, Wall};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Node, get, run, until};

/// Creates an actor with an input that takes room; its id.
async fn create(node: &Node, key: &str) -> String {
    let body = json!({
        "name": "counter", "key": key, "runner_name_selector": "default", "crash_policy": "sleep",
        "input": STANDARD.encode([7; 8_000]),
    });
    let answer = node.put("/actors?namespace=default", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["actor"]["actor_id"].as_str().unwrap().to_owned()
}

/// The backup of an engine with so many actors, while more are created, and those that were there before.
async fn taken(folder: &Path, actors: usize) -> (Vec<u8>, Vec<(String, String)>) {
    let node = Node::start(folder).await;
    node.normal_pool("default").await;
    let mut acknowledged = Vec::new();
    for number in 0..actors {
        let key = format!("before {number}");
        acknowledged.push((key.clone(), create(&node, &key).await));
    }
    let address = node.address;
    let taking = runtime::spawn("backup", async move { get(address, "/admin/backup").await });
    for number in 0..20 {
        create(&node, &format!("meanwhile {number}")).await;
    }
    let answer = taking.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    node.stop().await;
    (answer.body.to_vec(), acknowledged)
}

fn restore(backup: &[u8], folder: &Path) -> Result<(), RestoringError> {
    backup::restore(Reading::open(backup)?, folder, |_| (), |_| Ok(()))
}

#[test]
fn a_backup_under_writes_has_all_that_was_acknowledged_before_and_holds_together() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, acknowledged) = run(taken(&folder.path().join("first"), 60));
    assert!(backup.len() > 60 * 8_000, "several pieces: {}", backup.len());
    let second = folder.path().join("second");
    restore(&backup, &second).unwrap();
    assert_eq!(std::fs::read_dir(&second).unwrap().count(), 1);
    run(async {
        let store = Store::verify(&second).await.unwrap();
        let (records, size) = (store.load().await.unwrap(), store.size().await.unwrap());
        store.close().await;
        assert_eq!((records.len() as u64, size.inputs >= 60), (size.records, true), "{size:?}");
        let now = Now { mono: Mono(0), wall: Wall(runtime::wall().as_millis()) };
        let fresh = NamespaceId::from_entropy([9; 16]);
        Control::restore(machines::control::Options::default(), now, fresh, records, &mut Vec::new())
            .unwrap()
            .check();
        let node = Node::start(&second).await;
        for (key, id) in &acknowledged {
            assert_eq!(create(&node, key).await, *id, "{key}");
        }
        node.stop().await;
    });
}

#[test]
fn a_backup_that_was_cut_or_has_rotted_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, _) = run(taken(&folder.path().join("first"), 3));
    let second = folder.path().join("second");
    let length = backup.len();
    for end in (0..length).step_by(4_999).chain(length - 40..length) {
        let error = restore(&backup[..end], &second).unwrap_err();
        let cut = matches!(&error, RestoringError::Backup(BackupError::Cut { .. } | BackupError::Foreign));
        assert!(cut, "{end} of {length}: {error}");
    }
    for at in (0..length).step_by(2_999).chain(length - 40..length) {
        let mut rotten = backup.clone();
        rotten[at] ^= 1;
        let error = restore(&rotten, &second).unwrap_err();
        assert!(matches!(&error, RestoringError::Backup(_)), "{at} of {length}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    let longer = [&backup[..], b"x"].concat();
    assert!(matches!(restore(&longer, &second), Err(RestoringError::Backup(BackupError::Damaged(_)))));
    assert_eq!(std::fs::read_dir(&second).unwrap().count(), 0, "nothing is left");
    restore(&backup, &second).unwrap();
    assert!(matches!(restore(&backup, &second), Err(RestoringError::Occupied { .. })));
}

#[test]
fn what_an_interrupted_restore_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, _) = run(taken(&folder.path().join("first"), 3));
    let second = folder.path().join("second");
    let (part, other) = (second.join(format!("{FILE_NAME}.part")), second.join("other"));
    std::fs::create_dir(&second).unwrap();
    std::fs::write(&part, &backup[..1000]).unwrap();
    std::fs::write(&other, "somebody's").unwrap();
    assert!(matches!(restore(&backup, &second), Err(RestoringError::Occupied { .. })));
    assert!(part.exists(), "nothing is touched in a folder of others");
    std::fs::remove_file(&other).unwrap();
    let at_work = runtime::disk::open(&part).unwrap();
    let error = restore(&backup, &second).unwrap_err();
    assert!(matches!(error, RestoringError::Store(StoreError::InUse { .. })), "{error}");
    assert!(part.exists(), "whoever is at work on it goes on");
    drop(at_work);
    restore(&backup, &second).unwrap();
    assert_eq!(std::fs::read_dir(&second).unwrap().count(), 1);
    run(async { Store::verify(&second).await.unwrap().close().await });
}

#[test]
fn one_backup_at_a_time_and_whoever_leaves_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        node.normal_pool("default").await;
        // More than what fits between the engine and a client that does not read.
        let input = STANDARD.encode(vec![7; 4 * 1024 * 1024]);
        for key in 0..6 {
            let body = json!({
                "name": "a", "key": key.to_string(), "runner_name_selector": "default", "crash_policy": "sleep",
                "input": input,
            });
            assert_eq!(node.put("/actors?namespace=default", &body).await.status, 200);
        }
        let mut slow = runtime::TcpStream::connect(node.address).await.unwrap();
        slow.write_all(b"GET /admin/backup HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        slow.read_exact(&mut [0; 15]).await.unwrap();
        let answer = node.get("/admin/backup").await;
        assert_eq!(answer.refusal(), (503, "guard.service_unavailable".to_owned()));
        assert_eq!(node.get("/health").await.status, 200);
        drop(slow);
        let whole = until("another backup", || async {
            let answer = node.get("/admin/backup").await;
            (answer.status == 200).then_some(answer)
        });
        let contents = Reading::open(&whole.await.body[..]).unwrap().contents().unwrap();
        assert_eq!(contents.inputs, 6);
        assert_eq!(node.get("/admin/backup?x=1").await.status, 400);
        node.stop().await;
    });
}

fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rehearsal-engine")).args(arguments).output().unwrap()
}

/// What a command that ends well says in JSON.
fn said(arguments: &[&str]) -> Value {
    let output = command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

/// The one line of a command that ends with code 1.
fn refused(arguments: &[&str]) -> String {
    let output = command(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

#[test]
fn an_engine_that_says_nothing_is_given_up_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("today.backup").display().to_string();
    for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"] {
        run(async {
            let mute = runtime::TcpListener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
            let (url, file) = (format!("http://{}", mute.local_addr().unwrap()), file.clone());
            let peer = runtime::spawn("mute", async move {
                let (mut stream, _) = mute.accept().await.unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(said.as_bytes()).await.unwrap();
                stream.read_to_end(&mut asked).await.unwrap();
            });
            let line = runtime::disk::blocking(move || {
                refused(&["backup", "--url", &url, "--to", &file, "--timeout", "200ms"])
            })
            .await;
            assert!(line.contains("200ms"), "{line}");
            peer.await.unwrap();
        });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "half a backup is none");
    }
}

#[test]
fn the_commands_back_up_check_restore_and_compact() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (backup, second) = (path("today.backup"), path("second"));
    run(async {
        let node = Node::start(&folder.path().join("first")).await;
        node.normal_pool("default").await;
        create(&node, "a").await;
        let (url, to) = (format!("http://{}", node.address), backup.clone());
        let made = runtime::disk::blocking(move || said(&["backup", "--url", &url, "--to", &to, "--json"]));
        assert_eq!(made.await["bytes"], std::fs::metadata(&backup).unwrap().len());
        node.stop().await;
    });
    assert!(!folder.path().join("today.backup.part").exists());
    let checked = said(&["check", &backup, "--json"]);
    for (field, value) in
        [("kind", json!("backup")), ("sound", json!(true)), ("actors", json!(1)), ("inputs", json!(1))]
    {
        assert_eq!(checked[field], value, "{checked}");
    }
    let rows = said(&["restore", "--from", &backup, "--data", &second, "--json"])["rows"].as_u64();
    assert_eq!(rows, Some(checked["records"].as_u64().unwrap() + 1), "records and an input");
    let restored = said(&["check", "--data", &second, "--json"]);
    assert_eq!(restored["kind"], "store");
    assert_eq!(
        (&restored["records"], &restored["stored_bytes"]),
        (&checked["records"], &checked["stored_bytes"])
    );
    let sizes = said(&["compact", "--data", &second, "--json"]);
    assert!(sizes["after"]["file_bytes"].as_u64() <= sizes["before"]["file_bytes"].as_u64(), "{sizes}");
    assert_eq!(said(&["check", &second, "--json"])["records"], checked["records"]);

    let line = refused(&["restore", "--from", &backup, "--data", &second]);
    assert!(line.contains("is not empty"), "{line}");
    let line = refused(&["backup", "--url", "http://127.0.0.1:1", "--to", &path("none")]);
    assert!(line.contains("cannot reach the engine"), "{line}");
    assert!(!folder.path().join("none").exists() && !folder.path().join("none.part").exists());
    let content = std::fs::read(&backup).unwrap();
    std::fs::write(&backup, &content[..content.len() - 1]).unwrap();
    let line = refused(&["check", &backup]);
    assert!(line.contains("cut short"), "{line}");
    let output = command(&["check", &backup, "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["sound"]), (Some(1), &json!(false)));
    let line = refused(&["compact", "--data", &path("nothing")]);
    assert!(line.contains("there is no store"), "{line}");
    assert_eq!(command(&["check", "--wrong"]).status.code(), Some(2));
}
