//! What always holds of an actor's queue.

use std::collections::BTreeMap;

use super::message::Stage;
use super::{MessageId, Queue};

impl Queue {
    /// Walks the whole state.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        assert!(self.count() <= self.options.messages_max, "messages are bounded");
        assert!(self.takers.len() <= self.options.takers_max, "takers are bounded");
        let flying = self.write.change();
        let mut stages: BTreeMap<MessageId, Stage> = BTreeMap::new();
        for claim in flying.iter().flat_map(|flight| &flight.claims).chain(&self.claims) {
            stages.extend(claim.messages.iter().map(|id| (*id, Stage::Claimed)));
        }
        for completing in flying.iter().flat_map(|flight| &flight.completing).chain(&self.completing) {
            stages.insert(completing.message, Stage::Completing);
        }
        for (id, stored) in &self.messages {
            assert_eq!(*id, stored.message.id, "a message is found by its id");
            assert!(*id <= self.last, "ids count up");
            let meant = stages.remove(id);
            let is = stored.stage;
            assert!(meant.unwrap_or(is) == is && (meant.is_some() || !is.is_leaving()), "{id:?} is {is:?}");
        }
        assert!(stages.is_empty(), "only what is stored is deleted: {stages:?}");
        assert!(self.waiters.keys().all(|id| *id <= self.last), "who waits has sent");
        if self.stopped {
            assert!(self.takers.is_empty() && self.waiters.is_empty(), "nobody waits after the stop");
        }
        if let Some(flight) = flying {
            let (puts, deletes) = flight.size();
            assert!(puts.max(deletes) <= self.options.write_rows_max, "a write is bounded");
        } else {
            assert!(self.is_settled(), "nothing waits for a write that does not run");
        }
    }
}

impl Stage {
    /// Whether it is being deleted.
    const fn is_leaving(self) -> bool {
        match self {
            Self::Claimed | Self::Completing => true,
            Self::Ready | Self::Open => false,
        }
    }
}
