//! How a database stands in an actor's storage.
//!
//! Every key begins with [`PREFIX`]. Behind it:
//!
//! | key | value |
//! |---|---|
//! | `00` | the head: a layout version (1 byte), commits counted (8 bytes), pages (4 bytes); numbers in big endian |
//! | `01` | the sides: one bit a page, which of its places counts; missing before the first commit that turns one |
//! | `02`, side (`00`, `01`), page number (4 bytes, big endian) | a page |
//!
//! A page a key: a commit sends what it changed and nothing beside it, and a put takes 127 of them, half of the bytes it
//! could. Larger values would load no faster, since lists are bounded by their bytes, and would cost a row's change
//! several pages.

use bytes::Bytes;
use machines::pager::{self, Head, Side, Sides, Slot};
use protocol::limits::{BODY_BYTES_MAX, KV_KEYS_MAX, KV_PUT_BYTES_MAX, KV_VALUE_BYTES_MAX};

/// What every key of a database begins with. Upstream's SQLite lives under `08 01`; this is another layout beside it,
/// and no user key begins so.
pub const PREFIX: [u8; 2] = [8, 2];

/// Size of a page in bytes. SQLite's default.
pub(super) const PAGE_BYTES: usize = 4096;

/// Largest database in bytes: 100 MiB. Ours: all of it is in memory.
pub const DATABASE_BYTES_MAX: usize = 100 * 1024 * 1024;

/// Most bytes of pages that one transaction may change: 32 MiB. Ours: they are in memory twice until they are
/// committed, and take 64 puts, one after the other. Upstream's is 1.25 MiB, since it takes one.
pub const COMMIT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Pages in one list: 2 MiB of them, so that a load holds up nobody else's frames for long. Ours.
const LIST_PAGES_MAX: usize = 512;

/// [`DATABASE_BYTES_MAX`] in pages.
pub(super) const PAGES_MAX: u32 = 25_600;
/// [`COMMIT_BYTES_MAX`] in pages.
pub(super) const COMMIT_PAGES_MAX: usize = COMMIT_BYTES_MAX / PAGE_BYTES;

const SIDES_BYTES_MAX: usize = PAGES_MAX as usize / 8;
const KEY_BYTES: usize = 8;
const HEAD_BYTES: usize = 13;
const VERSION: u8 = 1;

const _: () = {
    assert!(PAGES_MAX as usize * PAGE_BYTES == DATABASE_BYTES_MAX, "the same bound twice");
    assert!(PAGE_BYTES <= KV_VALUE_BYTES_MAX && SIDES_BYTES_MAX <= KV_VALUE_BYTES_MAX, "each is one value");
    assert!(
        KV_KEYS_MAX * (KEY_BYTES + PAGE_BYTES) + HEAD_BYTES + SIDES_BYTES_MAX <= KV_PUT_BYTES_MAX,
        "as many keys as a put takes are within its bytes"
    );
    assert!(LIST_PAGES_MAX * (KEY_BYTES + PAGE_BYTES) < BODY_BYTES_MAX / 2, "a list is within one answer");
};

/// The bounds that commits and loads keep to.
pub(super) const OPTIONS: pager::Options =
    pager::Options { keys_max: KV_KEYS_MAX, list_max: LIST_PAGES_MAX, pages_max: PAGES_MAX };

/// What a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// The head.
    Head,
    /// The sides.
    Sides,
    /// A page.
    Page(Slot),
}

impl Name {
    /// Its key.
    pub(super) fn key(self) -> Bytes {
        let [first, second] = PREFIX;
        match self {
            Self::Head => Bytes::copy_from_slice(&[first, second, 0]),
            Self::Sides => Bytes::copy_from_slice(&[first, second, 1]),
            Self::Page(Slot { side, page }) => {
                let side = match side {
                    Side::A => 0,
                    Side::B => 1,
                };
                let [a, b, c, d] = page.to_be_bytes();
                Bytes::copy_from_slice(&[first, second, 2, side, a, b, c, d])
            }
        }
    }

    /// What a key of ours names, if anything.
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        match key.strip_prefix(&PREFIX)? {
            [0] => Some(Self::Head),
            [1] => Some(Self::Sides),
            [2, side @ (0 | 1), a, b, c, d] => {
                let side = if *side == 0 { Side::A } else { Side::B };
                Some(Self::Page(Slot { side, page: u32::from_be_bytes([*a, *b, *c, *d]) }))
            }
            _ => None,
        }
    }
}

/// The key behind every page's.
pub(super) fn end() -> Bytes {
    let [first, second] = PREFIX;
    Bytes::copy_from_slice(&[first, second, 3])
}

/// A head as it is stored.
pub(super) fn encode_head(head: Head) -> Bytes {
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    bytes.push(VERSION);
    bytes.extend(head.commit.to_be_bytes());
    bytes.extend(head.pages.to_be_bytes());
    Bytes::from(bytes)
}

/// A stored head; none if it is of another layout.
pub(super) fn decode_head(bytes: &[u8]) -> Option<Head> {
    let (commit, pages) = bytes.strip_prefix(&[VERSION])?.split_first_chunk()?;
    Some(Head { commit: u64::from_be_bytes(*commit), pages: u32::from_be_bytes(pages.try_into().ok()?) })
}

/// Stored sides; none if they are of more pages than there can be.
pub(super) fn decode_sides(bytes: &[u8]) -> Option<Sides> {
    (bytes.len() <= SIDES_BYTES_MAX).then(|| Sides::from_bytes(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_what_they_are_made_of_in_the_order_of_places() {
        let slots = [
            Slot::FIRST,
            Slot { side: Side::A, page: 255 },
            Slot { side: Side::A, page: 256 },
            Slot { side: Side::B, page: 0 },
            Slot { side: Side::B, page: u32::MAX },
        ];
        let names = [Name::Head, Name::Sides].into_iter().chain(slots.map(Name::Page));
        let keys: Vec<_> = names.clone().map(Name::key).chain([end()]).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().map(|key| Name::of(key)).collect::<Vec<_>>(), {
            names.map(Some).chain([None]).collect::<Vec<_>>()
        });
        assert_eq!(Name::of(b"\x08\x01\x00"), None, "upstream's");
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_no_other_layout_is() {
        let head = Head { commit: 1 << 40, pages: 25_600 };
        let bytes = encode_head(head);
        assert_eq!(decode_head(&bytes), Some(head));
        assert_eq!(decode_head(&bytes[..12]), None);
        let mut other = bytes.to_vec();
        other[0] = 2;
        assert_eq!(decode_head(&other), None);
    }
}
