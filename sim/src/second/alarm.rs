//! Timers on madsim's.
//!
//! madsim adds a timer for each poll of a sleep and takes none back. So an alarm is given to it once per deadline, with
//! a waker of ours that finds the task of the last poll, or nobody when it was cancelled.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use madsim::task::NodeId;

/// What madsim holds until a deadline.
#[derive(Default)]
struct Alarm(Mutex<Option<Waker>>);

impl Alarm {
    /// Changes who is woken; answers with who would have been.
    fn set(&self, waker: Option<Waker>) -> Option<Waker> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), waker)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if let Some(waker) = self.set(None) {
            waker.wake();
        }
    }
}

/// One timer of an inhabitant.
struct Armed {
    /// Whose it is.
    node: NodeId,
    /// Nanoseconds of virtual time.
    deadline: u64,
    alarm: Arc<Alarm>,
}

impl Armed {
    /// Lets madsim wake `waker` in `span`.
    fn new(deadline: u64, span: Duration, waker: Option<Waker>) -> Self {
        let alarm = Arc::new(Alarm(Mutex::new(waker)));
        let waker = Waker::from(Arc::clone(&alarm));
        let sleep = pin!(madsim::time::sleep(span));
        assert!(
            sleep.poll(&mut Context::from_waker(&waker)).is_pending(),
            "madsim sleeps a millisecond at least"
        );
        Self { node: madsim::plugin::node(), deadline, alarm }
    }
}

/// All timers that run.
#[derive(Default)]
pub(super) struct Alarms(RefCell<BTreeMap<u64, Armed>>);

impl Alarms {
    /// Lets `waker` be woken at `deadline`, `span` from here.
    pub(super) fn keep(&self, key: u64, deadline: u64, span: Duration, waker: &Waker) {
        let mut alarms = self.0.borrow_mut();
        let old = match alarms.get(&key) {
            Some(armed) if armed.deadline == deadline => armed.alarm.set(Some(waker.clone())),
            Some(_) | None => {
                let new = Armed::new(deadline, span, Some(waker.clone()));
                alarms.insert(key, new).and_then(|before| before.alarm.set(None))
            }
        };
        drop(alarms);
        drop(old);
    }

    /// Moves one that runs.
    pub(super) fn reset(&self, key: u64, deadline: u64, span: Duration) {
        let mut alarms = self.0.borrow_mut();
        if let Some(armed) = alarms.get_mut(&key) {
            let waker = armed.alarm.set(None);
            *armed = Armed { node: armed.node, ..Armed::new(deadline, span, waker) };
        }
    }

    /// Forgets one.
    pub(super) fn cancel(&self, key: u64) {
        let gone = self.0.borrow_mut().remove(&key).and_then(|armed| armed.alarm.set(None));
        drop(gone);
    }

    /// The nodes whose they are, one per alarm.
    pub(super) fn nodes(&self) -> Vec<NodeId> {
        self.0.borrow().values().map(|armed| armed.node).collect()
    }

    /// How many run.
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}
