//! Carries out what the pager wants: bytes between the pages in memory and storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use machines::pager::{Effect, End, Head, Input, Pager, Sides, Slot};
use machines::runner::effect::StoreFailure;
use parking_lot::Mutex;

use super::connection::Opened;
use super::layout::{self, Name, OPTIONS, PAGE_BYTES};
use super::pages::Pages;
use super::shelf::{Entries, Shelf};
use super::{SqlError, generator};
use crate::actor::KvError;

/// Loads the database and opens it.
pub(super) async fn load(shelf: &dyn Shelf) -> Result<Opened, SqlError> {
    let mut pager = Pager::new(OPTIONS);
    let nothing = Mutex::new(Pages::default());
    let mut drive = Drive {
        shelf,
        pager: &mut pager,
        pages: &nothing,
        listed: Entries::new(),
        taken: BTreeMap::new(),
        cause: None,
    };
    let mut loaded = None;
    drive.run(Input::Load, |ended| loaded = Some(ended)).await;
    let taken = std::mem::take(&mut drive.taken);
    loaded.expect("a load ends")?;
    // The pager counted them: they are all there.
    let pages = Arc::new(Mutex::new(Pages::new(taken.into_values().collect())));
    runtime::blocking(move || {
        let _generator = generator::hold();
        Opened::new(pages, pager)
    })
    .await
}

/// Between a pager and storage.
pub(super) struct Drive<'a> {
    shelf: &'a dyn Shelf,
    pager: &'a mut Pager,
    /// What is committed.
    pages: &'a Mutex<Pages>,
    /// What the last list answered.
    listed: Entries,
    /// What was loaded, by number.
    taken: BTreeMap<u32, Bytes>,
    /// Why the last request failed.
    cause: Option<KvError>,
}

impl<'a> Drive<'a> {
    /// For commits of an open database.
    pub(super) fn new(shelf: &'a dyn Shelf, opened: &'a mut Opened) -> Self {
        let Opened { pager, pages, .. } = opened;
        Self { shelf, pager, pages, listed: Entries::new(), taken: BTreeMap::new(), cause: None }
    }

    /// Commits what was written. `tell` is told how that went, once; what is deleted after it is of no concern to it.
    pub(super) async fn commit(&mut self, tell: impl FnMut(Result<(), SqlError>)) {
        let input = {
            let pages = self.pages.lock();
            Input::Commit { pages: pages.len(), dirty: pages.changed() }
        };
        self.run(input, tell).await;
    }

    async fn run(&mut self, input: Input, mut tell: impl FnMut(Result<(), SqlError>)) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let mut effects = Vec::new();
            self.pager.handle(input, &mut effects);
            for effect in effects {
                match effect {
                    Effect::Ended(end) => tell(self.end(end)),
                    Effect::Take { slots } => self.take(&slots),
                    Effect::Read => next = Some(self.read().await),
                    Effect::List { from } => next = Some(self.list(from).await),
                    Effect::Put { slots, head, sides } => next = Some(self.put(&slots, head, sides).await),
                    Effect::Delete { slots } => {
                        let keys = slots.into_iter().map(|slot| Name::Page(slot).key()).collect();
                        let done = self.shelf.delete(keys).await;
                        next = Some(self.answered(done, |()| Input::Done));
                    }
                }
            }
        }
    }

    async fn read(&mut self) -> Input {
        let read = self.shelf.get(vec![Name::Head.key(), Name::Sides.key()]).await;
        self.answered(read, |entries| {
            let value = |name: Name| {
                entries.iter().find_map(|(key, value)| (Name::of(key) == Some(name)).then_some(value))
            };
            let Some(head) = value(Name::Head) else { return Input::Stored(None) };
            let sides = value(Name::Sides).map_or(Some(Sides::new()), |sides| layout::decode_sides(sides));
            match (layout::decode_head(head), sides) {
                (Some(head), Some(sides)) => Input::Stored(Some((head, sides))),
                (None, _) | (_, None) => Input::Malformed,
            }
        })
    }

    async fn list(&mut self, from: Slot) -> Input {
        let listed = self.shelf.list(Name::Page(from).key(), layout::end(), OPTIONS.list_max).await;
        let listed = listed.map(|entries| self.listed = entries);
        let slots: Option<Vec<Slot>> = self.listed.iter().map(page).collect();
        self.answered(listed, |()| match slots {
            Some(slots) if slots.is_sorted() && slots.first().is_none_or(|first| *first >= from) => {
                Input::Listed(slots)
            }
            Some(_) | None => Input::Malformed,
        })
    }

    /// Copies pages out of the answer, which they share one allocation in.
    fn take(&mut self, slots: &[Slot]) {
        let listed = std::mem::take(&mut self.listed);
        for (slot, (_, value)) in listed.iter().filter_map(|entry| Some((page(entry)?, entry))) {
            if slots.binary_search(&slot).is_ok() {
                self.taken.insert(slot.page, Bytes::copy_from_slice(value));
            }
        }
    }

    async fn put(&mut self, slots: &[Slot], head: Option<Head>, sides: Option<Sides>) -> Input {
        let mut entries: Entries = {
            let pages = self.pages.lock();
            let page = |slot: &Slot| pages.written(slot.page).expect("what changed was written");
            slots.iter().map(|slot| (Name::Page(*slot).key(), page(slot))).collect()
        };
        entries.extend(head.map(|head| (Name::Head.key(), layout::encode_head(head))));
        entries.extend(sides.map(|sides| (Name::Sides.key(), Bytes::copy_from_slice(sides.as_bytes()))));
        let done = self.shelf.put(entries).await;
        self.answered(done, |()| Input::Done)
    }

    fn answered<T>(&mut self, answer: Result<T, KvError>, input: impl FnOnce(T) -> Input) -> Input {
        match answer {
            Ok(answer) => input(answer),
            Err(cause) => {
                let failure = match &cause {
                    KvError::NotDone | KvError::Refused { .. } | KvError::TooLarge { .. } => {
                        StoreFailure::NotDone
                    }
                    KvError::Indeterminate | KvError::Malformed => StoreFailure::Indeterminate,
                };
                self.cause = Some(cause);
                Input::Failed(failure)
            }
        }
    }

    fn end(&mut self, end: End) -> Result<(), SqlError> {
        let mut cause = || self.cause.take().expect("a request failed");
        match end {
            End::Loaded { .. } => Ok(()),
            End::Committed => {
                self.pages.lock().keep();
                Ok(())
            }
            End::Unread => Err(SqlError::Unread { cause: cause() }),
            End::NotCommitted => Err(SqlError::NotCommitted { cause: cause() }),
            End::Indeterminate => Err(SqlError::Indeterminate),
            End::Damaged => Err(SqlError::Damaged),
            End::TooLarge { .. } => Err(SqlError::TooLarge { bound: "100 MiB a database" }),
        }
    }
}

/// Which page an entry is, if it is one.
fn page((key, value): &(Bytes, Bytes)) -> Option<Slot> {
    match Name::of(key)? {
        Name::Page(slot) => (value.len() == PAGE_BYTES).then_some(slot),
        Name::Head | Name::Sides => None,
    }
}
