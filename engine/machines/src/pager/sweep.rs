//! Deleting what does not count.

use super::{Effect, Pager, Phase, Slot};

impl Pager {
    /// Deletes as much as one request takes, if there is anything.
    pub(super) fn sweep(&mut self, out: &mut Vec<Effect>) {
        let slots: Vec<Slot> = self.dead.iter().take(self.options.keys_max).copied().collect();
        if slots.is_empty() {
            return;
        }
        out.push(Effect::Delete { slots: slots.clone() });
        self.phase = Phase::Sweeping(slots);
    }

    pub(super) fn swept(&mut self, slots: &[Slot], out: &mut Vec<Effect>) {
        for slot in slots {
            assert!(self.dead.remove(slot), "what is swept was dead: {slot:?}");
        }
        self.sweep(out);
    }
}
