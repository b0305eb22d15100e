//! The one file that a connection has: pages as they are stored, and over them those that were written since.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::layout::{COMMIT_PAGES_MAX, PAGE_BYTES, PAGES_MAX};

/// A page of zeros.
static EMPTY: [u8; PAGE_BYTES] = [0; PAGE_BYTES];

/// Why a write was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no page, or beyond the pages that have a number.
    NotAPage,
    /// It goes beyond a bound.
    Full,
}

/// The pages. Each is [`PAGE_BYTES`] long.
#[derive(Debug, Default)]
pub(super) struct Pages {
    stored: Vec<Bytes>,
    written: BTreeMap<u32, Bytes>,
    len: u32,
    /// The bound that a write was refused for since the last [`Pages::keep`] or [`Pages::discard`].
    beyond: Option<&'static str>,
}

impl Pages {
    /// What is stored.
    pub(super) fn new(stored: Vec<Bytes>) -> Self {
        let len = u32::try_from(stored.len()).expect("what is loaded keeps to its bound");
        Self { stored, written: BTreeMap::new(), len, beyond: None }
    }

    /// How many.
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// A page, if the file reaches that far.
    pub(super) fn read(&self, page: u32) -> Option<&[u8]> {
        if page >= self.len {
            return None;
        }
        self.written.get(&page).or_else(|| self.stored_page(page)).map(|page| &page[..])
    }

    /// Writes a page. What lies between it and the end of the file becomes zeros, and as much written as itself: what
    /// storage may still have under those numbers never comes back.
    pub(super) fn write(&mut self, page: u32, data: &[u8]) -> Result<(), Refusal> {
        if data.len() != PAGE_BYTES {
            return Err(Refusal::NotAPage);
        }
        if page >= PAGES_MAX {
            return self.refuse("100 MiB a database");
        }
        if page < self.len && !self.written.contains_key(&page) {
            // A rollback writes back also what never changed.
            if self.read(page) == Some(data) {
                return Ok(());
            }
        }
        self.extend(page)?;
        self.note(page, Bytes::copy_from_slice(data))?;
        self.len = self.len.max(page + 1);
        Ok(())
    }

    /// Cuts or extends.
    pub(super) fn truncate(&mut self, len: u32) -> Result<(), Refusal> {
        if len > PAGES_MAX {
            return self.refuse("100 MiB a database");
        }
        self.extend(len)?;
        self.len = len;
        drop(self.written.split_off(&len));
        Ok(())
    }

    /// The pages that differ from what is stored.
    pub(super) fn changed(&self) -> BTreeSet<u32> {
        let differs = |(page, data): &(&u32, &Bytes)| self.stored_page(**page) != Some(*data);
        self.written.iter().filter(differs).map(|(page, _)| *page).collect()
    }

    /// Whether nothing differs from what is stored.
    pub(super) fn is_as_stored(&self) -> bool {
        usize::try_from(self.len) == Ok(self.stored.len()) && self.changed().is_empty()
    }

    /// A page that was written.
    pub(super) fn written(&self, page: u32) -> Option<Bytes> {
        self.written.get(&page).cloned()
    }

    /// What was written is stored now.
    pub(super) fn keep(&mut self) {
        let len = usize::try_from(self.len).expect("a page's number fits an address");
        self.stored.resize(len, Bytes::from_static(&EMPTY));
        for (page, data) in std::mem::take(&mut self.written) {
            self.stored[usize::try_from(page).expect("a page's number fits an address")] = data;
        }
        self.beyond = None;
    }

    /// What was written is void.
    pub(super) fn discard(&mut self) {
        self.written.clear();
        self.len = u32::try_from(self.stored.len()).expect("what is stored keeps to its bound");
        self.beyond = None;
    }

    /// The bound that something was refused for since the last time everything was kept or discarded.
    pub(super) const fn beyond(&self) -> Option<&'static str> {
        self.beyond
    }

    fn stored_page(&self, page: u32) -> Option<&Bytes> {
        self.stored.get(usize::try_from(page).ok()?)
    }

    fn extend(&mut self, len: u32) -> Result<(), Refusal> {
        while self.len < len {
            self.note(self.len, Bytes::from_static(&EMPTY))?;
            self.len += 1;
        }
        Ok(())
    }

    fn note(&mut self, page: u32, data: Bytes) -> Result<(), Refusal> {
        if self.written.len() >= COMMIT_PAGES_MAX && !self.written.contains_key(&page) {
            return self.refuse("32 MiB of changed pages a transaction");
        }
        self.written.insert(page, data);
        Ok(())
    }

    fn refuse<T>(&mut self, bound: &'static str) -> Result<T, Refusal> {
        protocol::mark!("sdk_sql_full");
        self.beyond = Some(bound);
        Err(Refusal::Full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(byte: u8) -> Vec<u8> {
        vec![byte; PAGE_BYTES]
    }

    fn three() -> Pages {
        Pages::new((1..4).map(|byte| Bytes::from(page(byte))).collect())
    }

    #[test]
    fn what_is_written_hides_what_is_stored_until_it_is_discarded() {
        let mut pages = three();
        pages.write(1, &page(9)).unwrap();
        assert_eq!(pages.read(1), Some(&page(9)[..]));
        pages.truncate(1).unwrap();
        assert_eq!((pages.len(), pages.read(1)), (1, None));
        assert!(!pages.is_as_stored());
        pages.discard();
        assert_eq!((pages.len(), pages.read(1)), (3, Some(&page(2)[..])));
        pages.truncate(1).unwrap();
        pages.keep();
        pages.discard();
        assert_eq!((pages.len(), pages.read(1)), (1, None), "what is kept is what is stored");
        assert!(pages.is_as_stored());
    }

    #[test]
    fn only_what_differs_is_changed() {
        let mut pages = three();
        pages.write(0, &page(9)).unwrap();
        pages.write(1, &page(2)).unwrap();
        pages.write(2, &page(9)).unwrap();
        pages.write(2, &page(3)).unwrap();
        assert_eq!(pages.changed(), BTreeSet::from([0]));
        pages.keep();
        assert!(pages.is_as_stored());
        assert_eq!(pages.read(0), Some(&page(9)[..]));
    }

    #[test]
    fn a_hole_is_written_so_that_what_was_cut_off_does_not_come_back() {
        let mut pages = three();
        pages.truncate(1).unwrap();
        pages.write(3, &page(9)).unwrap();
        assert_eq!(pages.read(2), Some(&page(0)[..]));
        assert_eq!(pages.changed(), BTreeSet::from([1, 2, 3]));
        pages.keep();
        assert_eq!((pages.read(1), pages.read(3)), (Some(&page(0)[..]), Some(&page(9)[..])));
    }

    #[test]
    fn bounds_refuse_what_is_new_and_never_a_rollback() {
        let mut pages = three();
        assert_eq!(pages.write(PAGES_MAX, &page(9)), Err(Refusal::Full));
        assert_eq!(pages.beyond(), Some("100 MiB a database"));
        assert_eq!(pages.write(0, b"short"), Err(Refusal::NotAPage));
        pages.discard();
        pages.truncate(u32::try_from(COMMIT_PAGES_MAX).unwrap() + 3).unwrap();
        assert_eq!(pages.beyond(), None);
        assert_eq!(pages.write(0, &page(9)), Err(Refusal::Full));
        assert_eq!(pages.write(0, &page(1)), Ok(()), "as it is stored");
        assert_eq!(pages.write(3, &page(9)), Ok(()), "as it was written");
        assert_eq!(pages.beyond(), Some("32 MiB of changed pages a transaction"));
    }
}
