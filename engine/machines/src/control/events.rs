//! What runners say of their actors.
//!
//! An event takes effect once: it must come on the current session of the runner that hosts the current generation,
//! and be newer than the last one taken. What was taken is acknowledged after the commit, and again when it is told
//! again. Of a generation that is not current nothing is stored, so only its end is acknowledged: with it its runner
//! forgets the rest, and until then nobody takes an alarm that it set for stored.

use std::collections::BTreeMap;

use protocol::error::UserText;
use protocol::id::{ActorId, ConnId, Generation, RunnerId};
use protocol::mark;
use protocol::time::Wall;
use protocol::view::Fact;
use protocol::wire::{ActorIntent, ActorState, Checkpoint, Event};

use super::Control;
use super::effect::Message;
use super::generation::Ending;
use super::input::RunnerEvent;
use super::record::{Key, Phase, Stage, StopCause};
use super::step::Step;

impl Control {
    /// Events of one frame, in order.
    pub(super) fn events(
        &mut self,
        step: &mut Step,
        conn: ConnId,
        runner: RunnerId,
        events: Vec<RunnerEvent>,
    ) {
        let mut settled = BTreeMap::<(ActorId, Generation), i64>::new();
        for event in events {
            let (of, index) = ((event.actor, event.generation), event.index);
            if self.event(step, runner, event) {
                let last = settled.entry(of).or_insert(index);
                *last = index.max(*last);
            }
        }
        if !settled.is_empty() {
            let checkpoint = |((actor_id, generation), index)| Checkpoint { actor_id, generation, index };
            step.send(conn, Message::AckEvents(settled.into_iter().map(checkpoint).collect()));
        }
    }

    /// Whether its runner may forget it, and all before it, once this is committed.
    fn event(&mut self, step: &mut Step, runner: RunnerId, event: RunnerEvent) -> bool {
        let RunnerEvent { actor: id, generation, index, event } = event;
        if !self.take(step, id, runner, generation, index) {
            mark!("control.event_stale");
            let ended = matches!(event, Event::ActorStateUpdate { state: ActorState::Stopped { .. } });
            if ended {
                self.stopped_late(step, id, runner, generation);
            }
            return ended || self.assigned(id, runner) == Some(generation);
        }
        match event {
            Event::ActorIntent { intent: ActorIntent::Sleep } => {
                self.stop(step, id, StopCause::Sleep { wake: false });
            }
            Event::ActorIntent { intent: ActorIntent::Stop } => self.stop(step, id, StopCause::Destroy),
            Event::ActorStateUpdate { state: ActorState::Running } => self.running(step, id),
            Event::ActorStateUpdate { state: ActorState::Stopped { code, message } } => {
                let message = message.as_deref().map(UserText::new);
                self.end_generation(step, id, &Ending::Stopped { code, message });
            }
            Event::SetAlarm { alarm_ts } => self.set_alarm(step, id, alarm_ts.map(Wall::from_wire)),
        }
        true
    }

    /// Whether the event is the current generation's and new; then it is counted as taken.
    fn take(
        &mut self,
        step: &mut Step,
        id: ActorId,
        runner: RunnerId,
        generation: Generation,
        index: i64,
    ) -> bool {
        if self.assigned(id, runner) != Some(generation) {
            return false;
        }
        let Phase::Allocated { last_event, .. } = &mut self.actors.known_mut(id).phase else {
            unreachable!("an assigned actor is allocated");
        };
        if last_event.is_some_and(|last| index <= last) {
            return false;
        }
        *last_event = Some(index);
        step.changed(Key::Actor(id));
        true
    }

    /// The generation runs. Once it was asked to stop this changes nothing but what is resent: least of all the
    /// deadline of the stop.
    fn running(&mut self, step: &mut Step, id: ActorId) {
        let now = self.now.wall;
        let actor = self.actors.known_mut(id);
        let generation = actor.generation.expect("an allocated actor has a generation");
        let Phase::Allocated { runner, stage, last_event } = actor.phase.clone() else {
            unreachable!("an event is taken from an allocated actor only");
        };
        let stage = match stage {
            Stage::Starting { .. } => {
                actor.failure = None;
                Stage::Running
            }
            Stage::Stopping { cause, ran: false, deadline } => {
                mark!("control.running_while_stopping");
                Stage::Stopping { cause, ran: true, deadline }
            }
            Stage::Running | Stage::Stopping { ran: true, .. } => return,
        };
        actor.started = actor.started.or(Some(now));
        if actor.rings {
            self.set_alarm(step, id, None);
        }
        self.set_phase(step, id, Phase::Allocated { runner, stage, last_event });
        step.fact(Fact::Running { actor: id, generation });
    }
}
