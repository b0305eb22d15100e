//! Bytes that clients' requests may take, all together: connections are bounded by their count, and each may send a
//! body of megabytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that one unit stands for.
const UNIT_BYTES: usize = 1024;

/// What may be taken. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Semaphore>);

/// What one request has taken, given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Room {
    bytes: usize,
    taken: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS))))
    }

    /// Takes room for so many bytes more. False, and nothing taken, if there is too little.
    pub(crate) fn extend(&self, room: &mut Room, bytes: usize) -> bool {
        let units = |bytes: usize| bytes.div_ceil(UNIT_BYTES);
        let more = units(room.bytes + bytes) - units(room.bytes);
        let Ok(more) = u32::try_from(more) else { return false };
        let Ok(permit) = Arc::clone(&self.0).try_acquire_many_owned(more) else { return false };
        match &mut room.taken {
            Some(taken) => taken.merge(permit),
            None => room.taken = Some(permit),
        }
        room.bytes += bytes;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_counted_once_and_given_back() {
        let budget = Budget::new(3 * UNIT_BYTES);
        let (mut one, mut two) = (Room::default(), Room::default());
        for _ in 0..2 * UNIT_BYTES {
            assert!(budget.extend(&mut one, 1), "bytes add up, whatever the pieces");
        }
        assert!(!budget.extend(&mut two, UNIT_BYTES + 1));
        assert!(budget.extend(&mut two, UNIT_BYTES));
        assert!(!budget.extend(&mut one, 1));
        drop(one);
        assert!(budget.extend(&mut two, 2 * UNIT_BYTES));
    }
}
