//! Tasks on tokio.

use std::future::{Future, pending};
use std::time::Duration;

use runtime::{JoinError, spawn};
use tokio::sync::oneshot;

fn run<F: Future>(future: F) -> F::Output {
    runtime::process::block_on(None, future).expect("a runtime")
}

#[test]
fn a_task_gives_its_output() {
    run(async {
        let task = spawn("answer", async { 42 });
        assert_eq!(task.await, Ok(42));
    });
}

#[test]
fn an_aborted_task_is_dropped_and_says_so() {
    run(async {
        let (held, dropped) = oneshot::channel::<()>();
        let task = spawn("stuck", async move {
            let _held = held;
            pending::<()>().await;
        });
        assert!(!task.is_finished());
        task.abort();
        assert_eq!(task.await, Err(JoinError::Cancelled));
        assert!(dropped.await.is_err());
    });
}

#[test]
fn a_panic_is_told_from_a_cancellation() {
    run(async {
        let task = spawn("faulty", async { panic!("on purpose") });
        let ended: Result<(), JoinError> = task.await;
        assert_eq!(ended, Err(JoinError::Panicked));
    });
}

#[test]
fn a_dropped_handle_lets_the_task_run_on() {
    run(async {
        let (tell, told) = oneshot::channel();
        drop(spawn("detached", async move {
            runtime::sleep(Duration::from_millis(5)).await;
            tell.send("still here").expect("the test waits");
        }));
        assert_eq!(told.await, Ok("still here"));
    });
}

#[test]
fn an_ended_task_is_finished_and_can_be_aborted_in_vain() {
    run(async {
        let task = spawn("short", async {});
        while !task.is_finished() {
            runtime::sleep(Duration::from_millis(1)).await;
        }
        task.abort();
        assert_eq!(task.await, Ok(()));
    });
}
