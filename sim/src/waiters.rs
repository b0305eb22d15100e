//! Who waits for one thing: any number, each with the waker of its last poll.

use std::collections::BTreeMap;
use std::task::Waker;

/// Those that wait.
#[derive(Default)]
pub(crate) struct Waiters {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Waiters {
    /// Waits, under the number that `place` holds from then on. What comes back is to be dropped where nothing is
    /// borrowed.
    #[must_use = "a waker's destructor may be anybody's"]
    pub(crate) fn wait(&mut self, place: &mut Option<u64>, waker: &Waker) -> Option<Waker> {
        let number = *place.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.wakers.insert(number, waker.clone())
    }

    /// Waits no more.
    #[must_use = "a waker's destructor may be anybody's"]
    pub(crate) fn leave(&mut self, number: u64) -> Option<Waker> {
        self.wakers.remove(&number)
    }

    /// All of them, in the order in which they began to wait.
    pub(crate) fn take_all(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakers).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    struct Named;
    impl std::task::Wake for Named {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_waiter_counts_once_however_often_its_waker_changes() {
        let (mut waiters, mut one, mut other) = (Waiters::default(), None, None);
        for _ in 0..3 {
            let _before = waiters.wait(&mut one, &Waker::from(Arc::new(Named)));
        }
        let last = Arc::new(Named);
        assert!(waiters.wait(&mut other, &Waker::from(Arc::clone(&last))).is_none());
        assert!(waiters.leave(one.expect("it waits")).is_some());
        let left = waiters.take_all();
        assert_eq!((left.len(), Arc::strong_count(&last)), (1, 2), "the other one is left");
    }
}
