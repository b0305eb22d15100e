//! Instances: user code of one generation of an actor, from its start to its end.

use std::collections::BTreeSet;

use protocol::id::{ActorId, BodyId, GatewayId, Generation, RequestId};
use protocol::mark;
use protocol::view::Fact;
use protocol::wire::{ActorIntent, ActorState, Event};

use super::end::Life;
use super::history::stopped;
use super::{Effect, Runner};

/// What the engine is told when an instance was cut off and has no error of its own: never that it stopped in order.
const CUT_OFF: &str = "cut off by its runner, which had lost its session or its time";

/// User code of one generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Instance {
    pub(super) generation: Generation,
    pub(super) stage: Stage,
    /// Whether the engine still counts on it: then it has a history. Else its rights are gone, and it is cut off.
    pub(super) owned: bool,
    /// It wanted to sleep.
    pub(super) sleeps: bool,
    /// It wants to be destroyed.
    pub(super) destroys: bool,
    /// Client requests held for it or given to it, in the order they came.
    pub(super) requests: Vec<(GatewayId, RequestId)>,
    /// Its KV requests without answer.
    pub(super) kv: BTreeSet<u32>,
    /// What is started when this one has ended.
    pub(super) next: Option<Next>,
}

/// How far an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Its start has not returned.
    Starting {
        /// It shall stop as soon as it has.
        stop: bool,
    },
    /// Takes requests.
    Running,
    /// Finishes what it does.
    Stopping,
    /// Has no rights any more; its end has not been seen.
    Cut,
}

/// A generation that waits for the one before it to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Next {
    pub(super) generation: Generation,
    pub(super) body: BodyId,
}

impl Runner {
    /// The instance of this generation, if it has not ended.
    pub(super) fn live(&mut self, actor: ActorId, generation: Generation) -> Option<&mut Instance> {
        self.instances.get_mut(&actor).filter(|instance| instance.generation == generation)
    }

    pub(super) fn launch(
        &mut self,
        actor: ActorId,
        generation: Generation,
        body: BodyId,
        out: &mut Vec<Effect>,
    ) {
        let instance = Instance {
            generation,
            stage: Stage::Starting { stop: false },
            owned: true,
            sleeps: false,
            destroys: false,
            requests: Vec::new(),
            kv: BTreeSet::new(),
            next: None,
        };
        let before = self.instances.insert(actor, instance);
        assert!(before.is_none(), "{actor:?} has one instance at a time");
        out.push(Effect::StartInstance { actor, generation, body });
        out.push(Effect::Fact(Fact::InstanceStarted { actor, generation }));
        if matches!(self.life, Life::Draining { stopping: true, .. }) {
            mark!("runner_start_in_late_drain");
            self.retire(actor, out);
        }
    }

    /// The engine has ended this generation, and whatever waits behind it: cuts it off, forgets what it told.
    pub(super) fn disown(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        self.cut(actor, out);
        let instance = self.instances.get_mut(&actor).expect("a cut does not remove");
        let owned = std::mem::replace(&mut instance.owned, false).then_some(instance.generation);
        let next = instance.next.take();
        out.extend(next.map(|next| Effect::Drop { body: next.body }));
        for generation in owned.into_iter().chain(next.map(|next| next.generation)) {
            self.forget(actor, generation);
        }
    }

    pub(super) fn started(&mut self, actor: ActorId, generation: Generation, out: &mut Vec<Effect>) {
        let Some(instance) = self.live(actor, generation) else { return };
        let Stage::Starting { stop } = instance.stage else {
            mark!("runner_started_after_cut");
            return;
        };
        instance.stage = Stage::Running;
        self.tell(actor, generation, Event::ActorStateUpdate { state: ActorState::Running }, out);
        if stop {
            mark!("runner_stop_kept");
            self.stop_gracefully(actor, out);
        } else {
            self.deliver_held(actor, out);
        }
    }

    pub(super) fn stopped(
        &mut self,
        actor: ActorId,
        generation: Generation,
        error: Option<String>,
        out: &mut Vec<Effect>,
    ) {
        if self.live(actor, generation).is_none() {
            return;
        }
        self.end_requests(actor, out);
        self.end_kv(actor, out);
        self.fail_alarms((actor, generation), out);
        let instance = self.instances.remove(&actor).expect("it was found above");
        out.push(Effect::Fact(Fact::InstanceStopped { actor, generation }));
        if instance.owned {
            let error = match instance.stage {
                Stage::Cut => error.or_else(|| Some(CUT_OFF.to_owned())),
                Stage::Starting { .. } | Stage::Running | Stage::Stopping => error,
            };
            self.tell(actor, generation, stopped(error), out);
        }
        if let Some(next) = instance.next {
            self.launch(actor, next.generation, next.body, out);
        }
    }

    pub(super) fn sleep(&mut self, actor: ActorId, generation: Generation, out: &mut Vec<Effect>) {
        let Some(instance) = self.live(actor, generation) else { return };
        match instance.stage {
            Stage::Starting { stop: false } | Stage::Running if !instance.sleeps && !instance.destroys => {
                instance.sleeps = true;
                self.tell(actor, generation, Event::ActorIntent { intent: ActorIntent::Sleep }, out);
            }
            Stage::Starting { .. } | Stage::Running | Stage::Stopping | Stage::Cut => {}
        }
    }

    /// Also while it stops: whoever wanted to be destroyed shall not merely sleep because its runner drained.
    pub(super) fn destroy(&mut self, actor: ActorId, generation: Generation, out: &mut Vec<Effect>) {
        let Some(instance) = self.live(actor, generation) else { return };
        if instance.stage != Stage::Cut && !instance.destroys {
            instance.destroys = true;
            self.tell(actor, generation, Event::ActorIntent { intent: ActorIntent::Stop }, out);
        }
    }

    /// Lets an instance finish; one whose start has not returned stops when it has.
    pub(super) fn stop_gracefully(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        let instance = self.instances.get_mut(&actor).expect("only an instance is stopped");
        let generation = instance.generation;
        match instance.stage {
            Stage::Starting { .. } => {
                instance.stage = Stage::Starting { stop: true };
                self.return_held(actor, out);
            }
            Stage::Running => {
                instance.stage = Stage::Stopping;
                self.stop_websockets(actor, out);
                out.push(Effect::StopInstance { actor, generation, graceful: true });
            }
            Stage::Stopping | Stage::Cut => {}
        }
    }

    /// Stops an instance without being asked by the engine. A stop in order would mean to the engine that the actor is
    /// done for ever: so it goes to sleep, unless it wanted to be destroyed.
    pub(super) fn retire(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        let generation = self.instances.get(&actor).expect("only an instance is retired").generation;
        self.sleep(actor, generation, out);
        self.stop_gracefully(actor, out);
    }

    /// Ends an instance at once, and with it whatever it asked for or was asked.
    pub(super) fn cut(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        let instance = self.instances.get_mut(&actor).expect("only an instance is cut off");
        if instance.stage == Stage::Cut {
            return;
        }
        instance.stage = Stage::Cut;
        let generation = instance.generation;
        out.push(Effect::StopInstance { actor, generation, graceful: false });
        self.end_requests(actor, out);
        self.end_kv(actor, out);
        self.fail_alarms((actor, generation), out);
    }

    /// Cuts every instance off, and whatever waits behind one will not start.
    pub(super) fn cut_all(&mut self, out: &mut Vec<Effect>) {
        let actors: Vec<ActorId> = self.instances.keys().copied().collect();
        for actor in actors {
            self.cut(actor, out);
            let instance = self.instances.get_mut(&actor).expect("a cut does not remove");
            if let Some(next) = instance.next.take() {
                out.push(Effect::Drop { body: next.body });
                self.tell(actor, next.generation, stopped(Some(CUT_OFF.to_owned())), out);
            }
        }
    }
}
