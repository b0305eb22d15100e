//! Processes beside this one.

use std::num::NonZeroUsize;
use std::os::unix::process::ExitStatusExt;

use runtime::process::{Command, block_on};

fn shell(script: &str) -> Command {
    Command { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()], log: None }
}

#[test]
fn a_child_is_told_to_end_and_leaves_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    block_on(Some(NonZeroUsize::MIN), async {
        let mut child =
            Command { log: Some(log.clone()), ..shell("echo out; echo err >&2; exit 7") }.spawn().unwrap();
        assert_eq!(child.exited().await.unwrap().code(), Some(7));
        assert_eq!((child.id(), child.terminate().is_ok()), (None, true), "one that has ended is left alone");
        let mut patient = shell("exec sleep 600").spawn().unwrap();
        patient.terminate().unwrap();
        assert_eq!(patient.exited().await.unwrap().signal(), Some(15));
        let mut stubborn = shell("exec sleep 600").spawn().unwrap();
        stubborn.kill().unwrap();
        assert_eq!(stubborn.exited().await.unwrap().signal(), Some(9));
    })
    .unwrap();
    assert_eq!(std::fs::read_to_string(log).unwrap(), "out\nerr\n");
}

#[test]
fn a_child_is_in_a_group_of_its_own() {
    block_on(Some(NonZeroUsize::MIN), async {
        let mut child = shell("exec sleep 600").spawn().unwrap();
        let id = child.id().unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // After the name in brackets: state, parent, group (proc(5)).
        let group = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap();
        assert_eq!(group, id.to_string());
        child.kill().unwrap();
        child.exited().await.unwrap();
    })
    .unwrap();
}
