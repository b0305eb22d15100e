//! An actor's state: borrowed by its code, written and read in pieces.

use std::ops::{Deref, DerefMut};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use protocol::limits::{KV_PUT_BYTES_MAX, KV_VALUE_BYTES_MAX};

use super::context::Core;
use super::layout;

/// A look at the state. Not to be held across an await.
#[derive(Debug)]
pub struct StateRef<'a, S>(pub(super) RwLockReadGuard<'a, S>);

/// The state, to change it: written soon after. Not to be held across an await.
#[derive(Debug)]
pub struct StateMut<'a, S> {
    pub(super) state: RwLockWriteGuard<'a, S>,
    pub(super) core: &'a Core,
    pub(super) touched: bool,
}

impl<S> Deref for StateRef<'_, S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S> Deref for StateMut<'_, S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.state
    }
}

impl<S> DerefMut for StateMut<'_, S> {
    fn deref_mut(&mut self) -> &mut S {
        self.touched = true;
        &mut self.state
    }
}

impl<S> Drop for StateMut<'_, S> {
    fn drop(&mut self) {
        if self.touched {
            self.core.changed();
        }
    }
}

/// Version of the layout below.
const VERSION: u8 = 1;

/// Before the state itself, in the first piece: version, whether the actor has begun, number of pieces.
const HEAD_BYTES: usize = 4;

/// Pieces of the largest state: what one put carries, less what the keys take.
const PIECES_MAX: usize = KV_PUT_BYTES_MAX / KV_VALUE_BYTES_MAX;

/// The largest state.
const STATE_BYTES_MAX: usize = PIECES_MAX * KV_VALUE_BYTES_MAX - HEAD_BYTES;

/// What is stored of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Whether its actor has begun; one that has not starts from nothing.
    pub begun: bool,
    /// The state, encoded.
    pub state: Bytes,
}

/// The entries that store a state, all in one put; none if it is too large.
pub(crate) fn entries(stored: &Stored) -> Option<Vec<(Bytes, Bytes)>> {
    if stored.state.len() > STATE_BYTES_MAX {
        return None;
    }
    let bytes = HEAD_BYTES + stored.state.len();
    let pieces = u16::try_from(bytes.div_ceil(KV_VALUE_BYTES_MAX)).expect("a state has few pieces");
    let mut whole = BytesMut::with_capacity(bytes);
    whole.put_u8(VERSION);
    whole.put_u8(u8::from(stored.begun));
    whole.put_u16(pieces);
    whole.put_slice(&stored.state);
    let mut whole = whole.freeze();
    let piece = |piece| (layout::state_piece(piece), whole.split_to(whole.len().min(KV_VALUE_BYTES_MAX)));
    Some((0..pieces).map(piece).collect())
}

/// The state in these entries, in the order of their keys; none if there is none.
pub(crate) fn restored(entries: Vec<(Bytes, Bytes)>) -> Result<Option<Stored>, Malformed> {
    let mut values = entries.into_iter().map(|(_, value)| value);
    let Some(mut first) = values.next() else { return Ok(None) };
    if first.len() < HEAD_BYTES || first.get_u8() != VERSION {
        return Err(Malformed);
    }
    let begun = first.get_u8() != 0;
    let pieces = usize::from(first.get_u16());
    // Those beyond are of a larger state before.
    let others: Vec<Bytes> = values.take(pieces.saturating_sub(1)).collect();
    if others.len() + 1 != pieces {
        return Err(Malformed);
    }
    if others.is_empty() {
        return Ok(Some(Stored { begun, state: first }));
    }
    let mut state = BytesMut::from(first);
    others.iter().for_each(|piece| state.put_slice(piece));
    Ok(Some(Stored { begun, state: state.freeze() }))
}

/// What is stored as a state is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is stored as the state of the actor is none")]
pub(crate) struct Malformed;

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(length: usize) -> Stored {
        let state = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect::<Vec<_>>().into();
        Stored { begun: length.is_multiple_of(2), state }
    }

    #[test]
    fn a_state_of_any_size_is_read_as_it_was_written() {
        let one = KV_VALUE_BYTES_MAX - HEAD_BYTES;
        for length in [0, 1, one - 1, one, one + 1, 3 * KV_VALUE_BYTES_MAX, STATE_BYTES_MAX] {
            let written = entries(&stored(length)).unwrap();
            let bytes: usize = written.iter().map(|(key, value)| key.len() + value.len()).sum();
            assert!(bytes <= KV_PUT_BYTES_MAX, "one put of {bytes} bytes");
            assert!(written.iter().all(|(_, value)| value.len() <= KV_VALUE_BYTES_MAX));
            assert_eq!(restored(written).unwrap(), Some(stored(length)));
        }
        assert_eq!(entries(&stored(STATE_BYTES_MAX + 1)), None);
        assert_eq!(restored(Vec::new()).unwrap(), None);
    }

    #[test]
    fn a_state_that_shrank_is_not_read_with_what_it_was() {
        let mut written = entries(&stored(3 * KV_VALUE_BYTES_MAX)).unwrap();
        let smaller = entries(&stored(10)).unwrap();
        written[0] = smaller.into_iter().next().unwrap();
        assert_eq!(restored(written).unwrap(), Some(stored(10)));
    }

    #[test]
    fn what_is_no_state_is_told_apart() {
        let value = |bytes: &'static [u8]| vec![(layout::state_piece(0), Bytes::from_static(bytes))];
        assert_eq!(restored(value(b"")), Err(Malformed));
        assert_eq!(restored(value(&[9, 1, 0, 1, 7])), Err(Malformed));
        assert_eq!(restored(value(&[1, 1, 0, 2, 7])), Err(Malformed));
    }
}
