//! The clock of the host goes on where it was after a run. In a test binary of its own: the origin of `runtime`'s
//! clock is taken once per process, and here a run comes first.

use std::time::Duration;

use hyper::rt::Timer as _;

#[test]
fn a_run_leaves_the_clock_of_other_threads_alone() {
    let run = sim::Sim::seed(0).run(async |_world: sim::World| {
        // What libraries get is counted from the origin.
        let _counted = runtime::http::Timer.now();
    });
    run.expect_ok();
    let before = runtime::now();
    let slept = runtime::process::block_on(None, async { runtime::sleep(Duration::from_millis(20)).await });
    slept.expect("a runtime");
    assert!(before.elapsed() >= Duration::from_millis(20), "the clock stands still");
}
