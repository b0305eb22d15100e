//! Requests to stop: each is heard once, in a world as on the kernel (for which `runtime` tests itself).

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use runtime::signals::Signals;
use sim::Sim;

#[test]
fn a_second_request_is_told_from_the_first() {
    let run = Sim::seed(1).run(async |world| {
        let node = world.node("asked");
        node.boot(pending);
        let heard = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&heard);
        drop(node.spawn("follow", async move {
            let mut signals = Signals::new().expect("the node's");
            loop {
                signals.terminate().await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        }));
        let mut seen = Vec::new();
        for ask in [false, true, true, false] {
            if ask {
                node.ask_to_stop();
            }
            world.sleep(Duration::from_secs(1)).await;
            seen.push(heard.load(Ordering::Relaxed));
        }
        seen
    });
    assert_eq!(run.expect_ok(), [0, 1, 2, 2]);
}
