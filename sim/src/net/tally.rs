//! A running hash over the bytes of a direction, the same however they are cut into pieces.

/// An odd constant with mixed bits (the golden ratio).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Eight bytes at a time; what does not fill a word waits for the next piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    hash: u64,
    word: u64,
    filled: u32,
}

impl Tally {
    /// Over no bytes.
    pub(crate) const ZERO: Self = Self { hash: 0, word: 0, filled: 0 };

    #[inline]
    fn fold(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(STEP).rotate_left(29);
    }

    /// Takes the next bytes.
    #[inline]
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while self.filled != 0 {
            let Some((first, rest)) = bytes.split_first() else { return };
            self.byte(*first);
            bytes = rest;
        }
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.byte(*byte);
        }
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.word |= u64::from(byte) << (8 * self.filled);
        self.filled += 1;
        if self.filled == 8 {
            let word = std::mem::take(&mut self.word);
            self.filled = 0;
            self.fold(word);
        }
    }

    /// One word that stands for all bytes so far.
    #[inline]
    pub(crate) const fn value(&self) -> u64 {
        (self.hash ^ self.word).wrapping_mul(STEP) ^ self.filled as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_do_not_matter_bytes_do(bytes in prop::collection::vec(any::<u8>(), 1..200), cuts in prop::collection::vec(1usize..40, 0..20), flip in any::<prop::sample::Index>()) {
            let mut whole = Tally::default();
            whole.feed(&bytes);
            let mut pieces = Tally::default();
            let mut rest = &bytes[..];
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                pieces.feed(now);
                rest = later;
            }
            pieces.feed(rest);
            prop_assert_eq!(whole, pieces);
            let mut changed = bytes.clone();
            changed[flip.index(bytes.len())] ^= 1;
            let mut other = Tally::default();
            other.feed(&changed);
            prop_assert_ne!(whole.value(), other.value());
        }
    }
}
