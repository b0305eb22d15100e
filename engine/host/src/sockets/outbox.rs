//! What waits to be written to one socket, bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use protocol::error::CloseReason;
use tokio::sync::mpsc;

use crate::halt::Halt;

/// Frames that may wait. Ours: a runner that reads at all drains thousands of small frames in milliseconds.
const FRAMES_MAX: usize = 4096;
/// Bytes that may wait, counted before a frame is added: one largest frame always fits. Ours.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Something to write.
#[derive(Debug)]
pub(super) enum Outgoing {
    Frame(Bytes),
    Close(CloseReason),
}

/// The sending end. A runner that does not read is cut off when its outbox is full, so that it costs nobody else.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Outgoing>,
    waiting: Arc<AtomicUsize>,
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
    (Outbox { queue: sender, waiting: Arc::clone(&waiting), cut }, Drain { queue: receiver, waiting })
}

impl Outbox {
    /// Adds a frame, or cuts the socket off.
    pub(crate) fn send(&self, frame: Bytes) {
        let size = frame.len();
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        if before > BYTES_MAX || self.queue.try_send(Outgoing::Frame(frame)).is_err() {
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
        if let Some(Outgoing::Frame(frame)) = &next {
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
            outbox.send(Bytes::from_static(b"x"));
        }
        assert!(!cut.is_given());
        assert!(drain.ready().is_some());
        outbox.send(Bytes::from_static(b"x"));
        assert!(!cut.is_given());
        outbox.send(Bytes::from_static(b"x"));
        assert!(cut.is_given());
    }

    #[test]
    fn bytes_count_too_and_are_given_back() {
        let cut = Halt::new();
        let (outbox, mut drain) = outbox(cut.clone());
        let large = Bytes::from(vec![0; BYTES_MAX]);
        outbox.send(large.clone());
        assert!(drain.ready().is_some());
        outbox.send(large);
        outbox.send(Bytes::from_static(b"x"));
        assert!(!cut.is_given(), "the bound is looked at before a frame is added");
        outbox.send(Bytes::from_static(b"x"));
        assert!(cut.is_given());
    }
}
