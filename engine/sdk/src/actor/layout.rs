//! Where in an actor's storage what is kept. The first byte of a key says whose it is, as upstream has it: `1` its state,
//! `4` what its code writes by itself.

use bytes::{BufMut, Bytes, BytesMut};

/// Keys of the state: this byte, then the number of the piece.
const STATE: u8 = 1;

/// Keys of user code: this byte, then what it calls them.
pub(crate) const USER: u8 = 4;

/// The keys of all pieces of the state.
pub(crate) fn state_prefix() -> Bytes {
    Bytes::from_static(&[STATE])
}

/// The key of a piece of the state.
pub(crate) fn state_piece(piece: u16) -> Bytes {
    let mut key = BytesMut::with_capacity(3);
    key.put_u8(STATE);
    key.put_u16(piece);
    key.freeze()
}
