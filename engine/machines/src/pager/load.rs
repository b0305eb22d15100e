//! Finding what stands in storage.

use protocol::mark;

use super::{Effect, End, Head, Pager, Phase, Sides, Slot};

impl Pager {
    pub(super) fn load(&mut self, out: &mut Vec<Effect>) {
        assert!(matches!(self.phase, Phase::Spoiled), "only what is not loaded is loaded: {:?}", self.phase);
        self.phase = Phase::Reading;
        out.push(Effect::Read);
    }

    pub(super) fn stored(&mut self, stored: Option<(Head, Sides)>, out: &mut Vec<Effect>) {
        assert!(matches!(self.phase, Phase::Reading), "head and sides were asked for: {:?}", self.phase);
        let (head, sides) = stored.unwrap_or((Head { commit: 0, pages: 0 }, Sides::new()));
        if head.pages > self.options.pages_max {
            mark!("pager_too_large");
            return self.spoil(End::TooLarge { pages: head.pages }, out);
        }
        (self.head, self.sides) = (head, sides);
        self.dead.clear();
        self.phase = Phase::Listing { found: 0 };
        out.push(Effect::List { from: Slot::FIRST });
    }

    pub(super) fn listed(&mut self, slots: Vec<Slot>, out: &mut Vec<Effect>) {
        let Phase::Listing { found } = self.phase else { panic!("places were asked for: {:?}", self.phase) };
        let next = slots.last().and_then(|last| last.next()).filter(|_| slots.len() >= self.options.list_max);
        let (live, dead): (Vec<_>, Vec<_>) = slots.into_iter().partition(|slot| self.counts(*slot));
        let found = found + u32::try_from(live.len()).expect("a list is far below four billion places");
        self.dead.extend(dead);
        if !live.is_empty() {
            out.push(Effect::Take { slots: live });
        }
        if let Some(from) = next {
            self.phase = Phase::Listing { found };
            return out.push(Effect::List { from });
        }
        if found != self.head.pages {
            mark!("pager_page_missing");
            return self.spoil(End::Damaged, out);
        }
        self.phase = Phase::Ready;
        out.push(Effect::Ended(End::Loaded { pages: found }));
        self.sweep(out);
    }

    pub(super) fn malformed(&mut self, out: &mut Vec<Effect>) {
        assert!(
            matches!(self.phase, Phase::Reading | Phase::Listing { .. }),
            "something was to be read: {:?}",
            self.phase
        );
        mark!("pager_malformed");
        self.spoil(End::Damaged, out);
    }

    /// Ends so that everything must be loaded again.
    pub(super) fn spoil(&mut self, end: End, out: &mut Vec<Effect>) {
        self.phase = Phase::Spoiled;
        out.push(Effect::Ended(end));
    }

    /// Whether what is in this place is a page of the database.
    pub(super) fn counts(&self, slot: Slot) -> bool {
        slot.page < self.head.pages && self.sides.live(slot.page) == slot
    }
}
