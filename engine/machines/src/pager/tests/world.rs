//! A storage, what a driver would do with it, and what may be found there.

use std::collections::{BTreeMap, BTreeSet};

use crate::pager::{Effect, End, Head, Input, Options, Pager, Sides, Slot};
use crate::runner::effect::StoreFailure;

pub(super) const OPTIONS: Options = Options { keys_max: 3, list_max: 2, pages_max: 16 };

/// What a page says: which commit wrote it.
pub(super) type Page = u64;

/// An actor's storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Disk {
    pub(super) slots: BTreeMap<Slot, Page>,
    pub(super) head: Option<Head>,
    pub(super) sides: Sides,
}

impl Disk {
    /// Carries a write out; `new` is what is being committed.
    pub(super) fn apply(&mut self, effect: &Effect, new: &[Page]) {
        match effect {
            Effect::Put { slots, head, sides } => {
                assert!(slots.len() + usize::from(head.is_some()) + usize::from(sides.is_some()) <= 3);
                self.slots.extend(slots.iter().map(|slot| (*slot, new[usize::try_from(slot.page).unwrap()])));
                self.head = head.or(self.head);
                if let Some(sides) = sides {
                    self.sides = sides.clone();
                }
            }
            Effect::Delete { slots } => {
                assert!(slots.len() <= OPTIONS.keys_max);
                self.slots.retain(|slot, _| !slots.contains(slot));
            }
            Effect::Read | Effect::List { .. } | Effect::Take { .. } | Effect::Ended(_) => {
                panic!("no write: {effect:?}")
            }
        }
    }

    /// What an engine would answer.
    pub(super) fn answer(&mut self, effect: &Effect, new: &[Page]) -> Input {
        match effect {
            Effect::Read => Input::Stored(self.head.map(|head| (head, self.sides.clone()))),
            Effect::List { from } => Input::Listed(
                self.slots.range(from..).take(OPTIONS.list_max).map(|(slot, _)| *slot).collect(),
            ),
            Effect::Put { .. } | Effect::Delete { .. } => {
                self.apply(effect, new);
                Input::Done
            }
            Effect::Take { .. } | Effect::Ended(_) => panic!("no request: {effect:?}"),
        }
    }

    /// What a driver finds that comes now and meets no failure. It leaves nothing behind that means nothing.
    pub(super) fn recovered(&self) -> Result<Vec<Page>, End> {
        let mut disk = self.clone();
        let mut driver = Driver::default();
        driver.step(Input::Load);
        while let Some(request) = driver.request.clone() {
            let answer = disk.answer(&request, &[]);
            driver.taken(&disk);
            driver.step(answer);
            driver.taken(&disk);
        }
        match driver.ended.take() {
            Some(End::Loaded { pages }) => {
                let places: Vec<_> = disk.slots.keys().map(|slot| slot.page).collect();
                assert_eq!(places.len(), usize::try_from(pages).unwrap(), "garbage is left: {disk:?}");
                Ok(driver.copy)
            }
            Some(end) => Err(end),
            None => panic!("a load ends"),
        }
    }
}

/// Whoever obeys a pager.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Driver {
    pub(super) pager: Pager,
    /// Under way.
    pub(super) request: Option<Effect>,
    /// How the last load or commit went, until it is looked at.
    pub(super) ended: Option<End>,
    /// The pages that it holds.
    pub(super) copy: Vec<Page>,
    take: Vec<Slot>,
}

impl Default for Driver {
    fn default() -> Self {
        let pager = Pager::new(OPTIONS);
        Self { pager, request: None, ended: None, copy: Vec::new(), take: Vec::new() }
    }
}

impl Driver {
    pub(super) fn step(&mut self, input: Input) {
        let mut out = Vec::new();
        self.pager.handle(input, &mut out);
        self.pager.check();
        self.request = None;
        for effect in out {
            match effect {
                Effect::Take { slots } => self.take.extend(slots),
                Effect::Ended(end) => assert_eq!(self.ended.replace(end), None, "one end at a time"),
                request @ (Effect::Read
                | Effect::List { .. }
                | Effect::Put { .. }
                | Effect::Delete { .. }) => {
                    assert_eq!(self.request.replace(request), None, "one request at a time");
                }
            }
        }
    }

    /// Takes what was to be taken out of the storage, which has not changed since it was listed.
    pub(super) fn taken(&mut self, disk: &Disk) {
        for slot in std::mem::take(&mut self.take) {
            let page = usize::try_from(slot.page).unwrap();
            if self.copy.len() <= page {
                self.copy.resize(page + 1, 0);
            }
            self.copy[page] = disk.slots[&slot];
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    Answered,
    NotDone,
    /// Its answer is lost; whether it was carried out.
    Lost(bool),
    /// The driver's process ends; whether the request was carried out.
    Crash(bool),
}

/// A driver, its storage, and which contents of the database whoever uses it would take for right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) disk: Disk,
    pub(super) driver: Driver,
    pub(super) old: Vec<Page>,
    /// While nobody was told what became of a commit.
    pub(super) new: Option<Vec<Page>>,
    pub(super) commits: Page,
}

impl World {
    /// Changes pages: `pages` from now on, all new ones and those of `touched` among them written.
    pub(super) fn commit(&mut self, pages: u32, touched: &BTreeSet<u32>) {
        self.commits += 1;
        let before = u32::try_from(self.old.len()).unwrap();
        let dirty: BTreeSet<u32> =
            (before..pages).chain(touched.iter().copied().filter(|page| *page < pages)).collect();
        let mut new = self.old.clone();
        new.resize(usize::try_from(pages).unwrap(), 0);
        dirty.iter().for_each(|page| new[usize::try_from(*page).unwrap()] = self.commits);
        self.new = Some(new);
        self.driver.step(Input::Commit { pages, dirty });
        self.settle();
    }

    pub(super) fn load(&mut self) {
        self.driver.copy.clear();
        self.driver.step(Input::Load);
    }

    /// What is under way comes to this.
    pub(super) fn fate(&mut self, fate: Fate) {
        let request = self.driver.request.clone().expect("something is under way");
        let new = self.new.clone().unwrap_or_else(|| self.old.clone());
        match fate {
            Fate::Answered => {
                let answer = self.disk.answer(&request, &new);
                self.driver.step(answer);
                self.driver.taken(&self.disk);
            }
            Fate::NotDone => self.driver.step(Input::Failed(StoreFailure::NotDone)),
            Fate::Lost(done) | Fate::Crash(done) => {
                if done {
                    self.disk.answer(&request, &new);
                }
                if matches!(fate, Fate::Crash(_)) {
                    self.driver = Driver::default();
                } else {
                    self.driver.step(Input::Failed(StoreFailure::Indeterminate));
                }
            }
        }
        self.settle();
    }

    /// What whoever uses it was told.
    fn settle(&mut self) {
        match self.driver.ended.take() {
            Some(End::Committed) => self.old = self.new.take().expect("a commit was under way"),
            Some(End::NotCommitted) => self.new = None,
            // It looks at what it has got, and takes that for right.
            Some(End::Loaded { .. }) => {
                assert!(self.allows(&self.driver.copy), "loaded {:?} of {self:?}", self.driver.copy);
                (self.old, self.new) = (self.driver.copy.clone(), None);
            }
            Some(End::Indeterminate | End::Unread) | None => {}
            Some(end @ (End::Damaged | End::TooLarge { .. })) => panic!("{end:?} of {self:?}"),
        }
        if self.driver.pager.is_ready() && self.driver.pager.dead.is_empty() {
            assert_eq!(self.disk.slots.len(), self.old.len(), "garbage that nobody knows of: {self:?}");
        }
    }

    pub(super) fn allows(&self, found: &[Page]) -> bool {
        found == self.old || self.new.as_deref() == Some(found)
    }

    /// Whether a crash at this moment leaves the database before the commit under way, or after it.
    pub(super) fn survives(&self) -> bool {
        self.disk.recovered().is_ok_and(|found| self.allows(&found))
    }
}
