//! Commands: what the engine wants of actors. They may come twice, and late; each is carried out once.

use protocol::id::BodyId;
use protocol::mark;
use protocol::wire::Checkpoint;

use super::history::{History, stopped};
use super::instance::Next;
use super::{Effect, Runner};

impl Runner {
    pub(super) fn start_actor(&mut self, checkpoint: Checkpoint, body: BodyId, out: &mut Vec<Effect>) {
        let Checkpoint { actor_id: actor, generation, index } = checkpoint;
        if let Some(history) = self.histories.get_mut(&(actor, generation)) {
            mark!("runner_start_twice");
            history.command = history.command.max(index);
            out.push(Effect::Drop { body });
            return;
        }
        if self.latest(actor).is_some_and(|latest| latest > generation) {
            mark!("runner_start_stale");
            out.push(Effect::Drop { body });
            return;
        }
        self.histories.insert((actor, generation), History::new(index));
        if self.instances.contains_key(&actor) {
            // The engine has ended what runs here.
            mark!("runner_start_waits");
            self.disown(actor, out);
            let instance = self.instances.get_mut(&actor).expect("it was found above");
            instance.next = Some(Next { generation, body });
        } else if self.instances.len() >= self.instances_max() {
            // Room for those that the engine has ended and that still end here: whatever exceeds that is a defect.
            mark!("runner_no_slot");
            out.push(Effect::Drop { body });
            self.tell(actor, generation, stopped(Some("the runner has no free slot".to_owned())), out);
        } else {
            self.launch(actor, generation, body, out);
        }
    }

    pub(super) fn stop_actor(&mut self, checkpoint: Checkpoint, out: &mut Vec<Effect>) {
        let Checkpoint { actor_id: actor, generation, index } = checkpoint;
        let Some(history) = self.histories.get_mut(&(actor, generation)) else {
            if self.latest(actor).is_some_and(|latest| latest > generation) {
                // The engine has placed a later generation: it waits for nothing of this one.
                mark!("runner_stop_stale");
                return;
            }
            // Its start never came, and will not be taken after this. What runs here is older, and ended.
            mark!("runner_stop_unknown");
            if self.instances.contains_key(&actor) {
                self.disown(actor, out);
            }
            self.histories.insert((actor, generation), History::new(index));
            self.tell(actor, generation, stopped(None), out);
            return;
        };
        if index <= history.command {
            mark!("runner_stop_twice");
            return;
        }
        history.command = index;
        let Some(instance) = self.instances.get_mut(&actor) else { return };
        if instance.owned && instance.generation == generation {
            self.stop_gracefully(actor, out);
        } else if let Some(next) = instance.next.take_if(|next| next.generation == generation) {
            mark!("runner_stop_before_start");
            out.push(Effect::Drop { body: next.body });
            self.tell(actor, generation, stopped(None), out);
        }
    }

    /// Instances at one time at most, those that end included.
    pub(super) fn instances_max(&self) -> usize {
        usize::try_from(self.options.total_slots).unwrap_or(usize::MAX).saturating_mul(2)
    }
}
