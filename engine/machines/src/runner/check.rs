//! What always holds of a runner.

use std::collections::BTreeSet;

use super::Runner;
use super::end::Life;
use super::instance::{Instance, Stage};
use super::link::Link;
use super::request::{Kind, Request};
use super::websocket::Carried;
use protocol::id::ActorId;

impl Runner {
    /// Walks the whole state.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        self.check_life();
        self.check_histories();
        for (actor, instance) in &self.instances {
            self.check_instance(*actor, instance);
        }
        assert!(self.instances.len() <= self.instances_max(), "instances are bounded");
        self.check_kv();
        self.check_alarms();
        self.check_requests();
    }

    fn check_life(&self) {
        let open = self.link.open().is_some();
        if open {
            assert!(self.runner.is_some(), "an open session has told who we are");
            assert!(self.lost_by.is_none(), "an open session is not lost");
            assert!(self.responses.is_empty(), "an open session takes responses at once");
        }
        match self.life {
            Life::Fresh | Life::Ended => {
                assert_eq!(self.link, Link::Idle, "no socket before and after");
                assert!(self.instances.is_empty() && self.events == 0, "nothing lives before and after");
                assert_eq!(self.next_deadline(), None, "nothing is due before and after");
            }
            Life::Ending { .. } => {
                assert_eq!(self.link, Link::Idle, "it has hung up");
                assert!(!self.instances.is_empty(), "it waits for instances");
                assert!(self.instances.values().all(|i| i.stage == Stage::Cut), "it has cut everything off");
            }
            Life::Live | Life::Draining { .. } => {
                assert_ne!(self.link, Link::Idle, "it has a socket, or will dial one");
            }
        }
    }

    fn check_histories(&self) {
        let events: usize = self.histories.values().map(|h| h.events.len()).sum();
        assert_eq!(events, self.events, "every event is counted");
        assert!(self.events <= self.options.events_max, "kept events are bounded");
        for ((actor, generation), history) in &self.histories {
            assert!(history.first() >= 0 && history.acknowledged <= history.command, "{actor:?} counts up");
            let hosted = self.instances.get(actor).is_some_and(|i| {
                (i.owned && i.generation == *generation)
                    || i.next.is_some_and(|n| n.generation == *generation)
            });
            assert_ne!(hosted, history.stopped, "{actor:?} {generation:?} lives here, or has told its end");
            assert!(!history.stopped || !history.events.is_empty(), "an acknowledged end is forgotten");
        }
    }

    fn check_instance(&self, actor: ActorId, instance: &Instance) {
        let history = self.histories.contains_key(&(actor, instance.generation));
        assert!(!instance.owned || history, "{actor:?} of ours has a history");
        assert!(instance.owned || instance.stage == Stage::Cut, "{actor:?} without rights is cut off");
        if instance.stage == Stage::Cut {
            assert!(
                instance.requests.is_empty() && instance.kv.is_empty(),
                "{actor:?} is cut off from everything"
            );
        }
        if let Some(next) = instance.next {
            assert!(!instance.owned, "{actor:?} of ours has no successor");
            assert!(
                self.histories.contains_key(&(actor, next.generation)),
                "{actor:?}'s successor has a history"
            );
        }
        for name in &instance.requests {
            let request = self.requests.get(name).expect("an instance's request is known");
            assert_eq!(
                (request.actor, request.generation),
                (actor, instance.generation),
                "{name:?} is its own"
            );
        }
    }

    fn check_kv(&self) {
        assert!(self.kv.len() <= self.options.kv_max, "KV requests are bounded");
        let due: BTreeSet<_> = self.kv.iter().map(|(id, kv)| (kv.by, *id)).collect();
        assert_eq!(self.kv_due, due, "every KV request has one deadline");
        let asked: usize = self.instances.values().map(|i| i.kv.len()).sum();
        assert_eq!(asked, self.kv.len(), "every KV request has an instance that lives");
        for (id, kv) in &self.kv {
            assert!(self.instances[&kv.actor].kv.contains(id), "KV request {id} is its instance's");
            assert!(kv.sent || self.link.open().is_none(), "an open session takes KV requests at once");
        }
    }

    fn check_alarms(&self) {
        let mut due = BTreeSet::new();
        for ((actor, generation), history) in &self.histories {
            due.extend(history.alarms.iter().map(|alarm| (alarm.by, *actor, *generation, alarm.index)));
            assert!(
                history.alarms.iter().all(|alarm| (history.first()..history.next).contains(&alarm.index)),
                "{actor:?} {generation:?} waits for what is not acknowledged"
            );
            let lives = self.instances.get(actor).filter(|instance| instance.generation == *generation);
            let entitled = lives.is_some_and(|instance| instance.stage != Stage::Cut);
            assert!(entitled || history.alarms.is_empty(), "who waits for an alarm lives and has rights");
        }
        assert_eq!(self.alarms_due, due, "every alarm has one deadline");
    }

    fn check_websocket(&self, request: &Request, carried: Carried) {
        let stage = self.instances[&request.actor].stage;
        assert_eq!(self.link.open(), Some(request.conn), "a WebSocket is over with its session");
        assert!(matches!(stage, Stage::Starting { .. } | Stage::Running), "who stops has no WebSocket");
        assert!(carried.messages <= self.options.websocket_messages_max, "what waits is bounded");
        assert!(carried.messages > 0 || carried.bytes == 0, "nothing that waits has no length");
        assert!(carried.accepted || carried.messages == 0, "nothing comes before it is accepted");
    }

    fn check_requests(&self) {
        assert!(self.requests.len() <= self.options.requests_max, "requests are bounded");
        assert!(self.responses.len() <= self.options.responses_max, "kept responses are bounded");
        let open: usize = self.instances.values().map(|i| i.requests.len()).sum();
        assert_eq!(open, self.requests.len(), "every request has an instance that lives");
        for (name, request) in &self.requests {
            let starting = self.instances[&request.actor].stage == Stage::Starting { stop: false };
            assert_eq!(request.held.is_some(), starting, "{name:?} is held while its instance starts");
            assert!(
                request.held.is_none() || self.link.open() == Some(request.conn),
                "{name:?} can be answered"
            );
            if let Kind::WebSocket(carried) = request.kind {
                self.check_websocket(request, carried);
            }
        }
    }
}
