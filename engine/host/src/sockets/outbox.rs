//! What waits to be written to one socket, bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use protocol::error::CloseReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::halt::Halt;

/// Frames that may wait. Ours: a runner that reads at all drains thousands of small frames in milliseconds.
const FRAMES_MAX: usize = 4096;
/// Bytes that may wait, counted before a frame is added: one largest frame always fits. Ours.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes that one unit of room stands for; a message takes one at least, so that what waits is bounded in number too.
const UNIT_BYTES: usize = 8 * 1024;
/// Units of room for messages of clients' WebSockets: 16 MiB, or 2048 messages. Ours: a quarter of the bytes and half of the
/// frames that may wait, so that clients who talk much are held back before the runner is cut off.
const UNITS_MAX: u32 = 2048;

/// Room for messages of clients on their way to one runner. A client is not read while there is none.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// What one message has taken, given back when it was written.
#[derive(Debug)]
pub(crate) struct Hold {
    _taken: OwnedSemaphorePermit,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(UNITS_MAX as usize)))
    }

    /// Waits for room; a message that is larger than all of it waits until it is alone.
    pub(crate) async fn take(&self, bytes: usize) -> Hold {
        let units = u32::try_from(bytes / UNIT_BYTES + 1).unwrap_or(UNITS_MAX).min(UNITS_MAX);
        let taken = Arc::clone(&self.0).acquire_many_owned(units).await;
        Hold { _taken: taken.expect("the semaphore is never closed") }
    }
}

/// Something to write.
#[derive(Debug)]
pub(super) enum Outgoing {
    Frame(Bytes, Option<Hold>),
    Close(CloseReason),
}

/// The sending end. A runner that does not read is cut off when its outbox is full, so that it costs nobody else.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Outgoing>,
    waiting: Arc<AtomicUsize>,
    room: Room,
    cut: Halt,
}

/// The end that writes.
#[derive(Debug)]
pub(super) struct Drain {
    queue: mpsc::Receiver<Outgoing>,
    waiting: Arc<AtomicUsize>,
}

/// An outbox whose socket ends when `cut` is given.
pub(super) fn outbox(cut: Halt) -> (Outbox, Drain) {
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    let waiting = Arc::new(AtomicUsize::new(0));
    let room = Room::new();
    (Outbox { queue: sender, waiting: Arc::clone(&waiting), room, cut }, Drain { queue: receiver, waiting })
}

impl Outbox {
    /// The room of its clients.
    pub(super) fn room(&self) -> Room {
        self.room.clone()
    }

    /// Adds a frame, with the room it took, or cuts the socket off.
    pub(crate) fn send(&self, frame: Bytes, hold: Option<Hold>) {
        let size = frame.len();
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        if before > BYTES_MAX || self.queue.try_send(Outgoing::Frame(frame, hold)).is_err() {
            protocol::mark!("socket_outbox_full");
            self.cut.give();
        }
    }

    /// Adds the end, or cuts the socket off.
    pub(crate) fn close(&self, reason: CloseReason) {
        if self.queue.try_send(Outgoing::Close(reason)).is_err() {
            self.cut.give();
        }
    }
}

impl Drain {
    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        let next = self.queue.recv().await;
        self.count(next)
    }

    /// What is there without waiting.
    pub(super) fn ready(&mut self) -> Option<Outgoing> {
        let next = self.queue.try_recv().ok();
        self.count(next)
    }

    fn count(&self, next: Option<Outgoing>) -> Option<Outgoing> {
        if let Some(Outgoing::Frame(frame, _)) = &next {
            self.waiting.fetch_sub(frame.len(), Ordering::Relaxed);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_outbox_cuts_its_socket_off() {
        let cut = Halt::new();
        let (outbox, mut drain) = outbox(cut.clone());
        for _ in 0..FRAMES_MAX {
            outbox.send(Bytes::from_static(b"x"), None);
        }
        assert!(!cut.is_given());
        assert!(drain.ready().is_some());
        outbox.send(Bytes::from_static(b"x"), None);
        assert!(!cut.is_given());
        outbox.send(Bytes::from_static(b"x"), None);
        assert!(cut.is_given());
    }

    #[test]
    fn bytes_count_too_and_are_given_back() {
        let cut = Halt::new();
        let (outbox, mut drain) = outbox(cut.clone());
        let large = Bytes::from(vec![0; BYTES_MAX]);
        outbox.send(large.clone(), None);
        assert!(drain.ready().is_some());
        outbox.send(large, None);
        outbox.send(Bytes::from_static(b"x"), None);
        assert!(!cut.is_given(), "the bound is looked at before a frame is added");
        outbox.send(Bytes::from_static(b"x"), None);
        assert!(cut.is_given());
    }
    #[test]
    fn clients_wait_for_room_long_before_the_runner_is_cut_off() {
        let cut = Halt::new();
        let (outbox, mut drain) = outbox(cut.clone());
        let room = outbox.room();
        let message = |hold| outbox.send(Bytes::from_static(b"x"), Some(hold));
        let test = async {
            for _ in 0..UNITS_MAX {
                message(room.take(1).await);
            }
            assert!(!cut.is_given(), "there is room for others");
            let next = runtime::timeout(std::time::Duration::ZERO, room.take(1)).await;
            assert!(next.is_err(), "a client waits");
            drop(drain.ready());
            message(room.take(1).await);
            while drain.ready().is_some() {}
            drop(room.take(usize::MAX).await);
        };
        runtime::process::block_on(std::num::NonZeroUsize::new(1), test).expect("the tokio world starts");
    }
}
