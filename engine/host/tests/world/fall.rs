//! One boot that falls in a disk operation, and the next that must succeed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sim::{Fall, Node};

/// Longer than any of these boots takes.
const BOOT: Duration = Duration::from_secs(5);

/// Boots `node` to do what `opens` does and keep what it returns, fells it in its `nth` disk operation, and boots it again. Whether it fell.
pub(crate) async fn opens_after_a_fall<O>(node: &Node, nth: u64, how: Fall, opens: fn() -> O) -> bool
where
    O: Future + 'static,
{
    let opened = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&opened);
    node.boot(move || {
        let told = Arc::clone(&told);
        async move {
            let kept = opens().await;
            told.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
            drop(kept);
        }
    });
    node.crash_in_disk_operation(nth, how);
    runtime::sleep(BOOT).await;
    let fell = !node.is_running();
    if fell {
        assert_eq!(opened.load(Ordering::Relaxed), 0, "it fell before it could say so");
        node.restart();
        runtime::sleep(BOOT).await;
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1, "it opens");
    fell
}
