//! `select!` from another crate: biased, free of the lint that forbids tokio's, and of warnings of its own.

use std::cell::Cell;
use std::future::{pending, ready};
use std::time::Duration;

use runtime::process::block_on;

#[test]
fn the_first_ready_branch_in_written_order_wins() {
    let picked = block_on(None, async {
        let mut picked = Vec::new();
        for _ in 0..64 {
            picked.push(runtime::select! {
                () = pending() => 'p',
                () = ready(()) => 'a',
                () = ready(()) => 'b',
            });
        }
        picked
    });
    // Tokio's own select would pick 'b' in about half of the 64.
    assert_eq!(picked.expect("a runtime"), vec!['a'; 64]);
}

#[test]
fn control_flow_conditions_and_else_pass_through() {
    async fn first(enabled: bool) -> Result<&'static str, runtime::Elapsed> {
        let mut rounds = 0;
        loop {
            rounds += 1;
            runtime::select! {
                () = ready(()), if enabled && rounds == 3 => return Ok("third"),
                out = runtime::timeout(Duration::from_millis(1), pending::<()>()), if !enabled => { out? }
                else => continue,
            }
        }
    }
    let out = block_on(None, async { (first(true).await, first(false).await) });
    assert_eq!(out.expect("a runtime"), (Ok("third"), Err(runtime::Elapsed)));
}

#[test]
fn an_output_that_does_not_match_leaves_the_race() {
    let out = block_on(None, async {
        let matched = runtime::select! {
            Some(number) = ready(None::<u8>) => number,
            Some(number) = async { runtime::sleep(Duration::from_millis(1)).await; Some(7) } => { number }
            else => 0,
        };
        let none = runtime::select! {
            Some(number) = ready(None::<u8>) => number,
            else => 9,
        };
        (matched, none)
    });
    assert_eq!(out.expect("a runtime"), (7, 9));
}

#[test]
fn losers_are_dropped_before_the_handler_runs() {
    struct Loser<'a>(&'a Cell<bool>);
    impl Drop for Loser<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let dropped = Cell::new(false);
    let at_handler = block_on(None, async {
        let loser = Loser(&dropped);
        runtime::select! {
            () = async move { let _held = loser; pending().await } => false,
            () = ready(()) => dropped.get(),
        }
    });
    assert!(at_handler.expect("a runtime"));
}

#[test]
#[should_panic(expected = "no else branch")]
fn no_branch_left_and_no_else_is_a_bug() {
    block_on(None, async {
        runtime::select! {
            () = ready(()), if false => {}
        }
    })
    .expect("a runtime");
}
