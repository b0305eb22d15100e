//! The executor: a slab of futures and the queue of those that are ready.
//!
//! One thread. A future is taken out of its slot while it is polled, so the poll may spawn, abort and wake. Which
//! ready task runs next is the decision `pick` (or first-in-first-out, or by priorities: `pct`); with one task ready
//! nothing is drawn. Wakes are a lookup and a push. A paused node's tasks are put aside, and polls are told to `points`;
//! of time, the network and how nodes fall it knows nothing. `run` drives it.

mod pct;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::core::Core;
use crate::digest::Kind;
use crate::node::NodeId;
use crate::options::Schedule;
use crate::panics::{self, Panic};
use crate::tasks::pct::Pct;
use crate::waker::{self, GENERATION_MASK, TASKS_MAX};

/// A task's future; it never leaves the world's thread.
pub(crate) type Local = Pin<Box<dyn Future<Output = ()>>>;

/// A task's name in its world: generation above, slot below. Never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId {
    index: u32,
    generation: u32,
}

impl TaskId {
    pub(crate) fn to_word(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
    pub(crate) fn from_word(word: u64) -> Self {
        Self { index: word as u32, generation: (word >> 32) as u32 }
    }
}

struct Slot {
    future: Option<Local>,
    generation: u32,
    node: NodeId,
    name: &'static str,
    live: bool,
    queued: bool,
    aborted: bool,
}

/// All tasks of a world.
pub(crate) struct Tasks {
    slots: RefCell<Vec<Slot>>,
    free: RefCell<Vec<u32>>,
    ready: RefCell<VecDeque<u32>>,
    pct: RefCell<Option<Pct>>,
    polls: Cell<u64>,
}

/// What became of the task that was polled.
pub(crate) enum Polled {
    /// No task was ready.
    Idle,
    /// It waits, or was put aside because its node is paused.
    Pending,
    /// It ended.
    Ended(TaskId, NodeId),
    /// It panicked, in a poll or in a destructor.
    Panicked(NodeId, &'static str, Panic),
}

impl Tasks {
    pub(crate) const fn new(schedule: Schedule) -> Self {
        Self {
            slots: RefCell::new(Vec::new()),
            free: RefCell::new(Vec::new()),
            ready: RefCell::new(VecDeque::new()),
            pct: RefCell::new(Pct::of(schedule)),
            polls: Cell::new(0),
        }
    }

    /// How many polls there were.
    pub(crate) const fn polls(&self) -> u64 {
        self.polls.get()
    }

    /// Starts a task, ready at once.
    pub(crate) fn spawn(&self, core: &Core, node: NodeId, name: &'static str, future: Local) -> TaskId {
        let mut slots = self.slots.borrow_mut();
        let index = self.free.borrow_mut().pop().unwrap_or_else(|| {
            assert!(slots.len() < TASKS_MAX, "more than {TASKS_MAX} tasks live at once");
            slots.push(Slot {
                future: None,
                generation: 0,
                node,
                name,
                live: false,
                queued: false,
                aborted: false,
            });
            slots.len() as u32 - 1
        });
        let slot = &mut slots[index as usize];
        assert!(!slot.live, "a free slot holds no task");
        *slot = Slot {
            future: Some(future),
            generation: slot.generation,
            node,
            name,
            live: true,
            queued: true,
            aborted: false,
        };
        let id = TaskId { index, generation: slot.generation };
        drop(slots);
        if let Some(pct) = self.pct.borrow_mut().as_mut() {
            pct.start(core, index, node, name);
        }
        self.ready.borrow_mut().push_back(index);
        core.event(Kind::Spawn, id.to_word(), u64::from(node.0));
        id
    }

    /// Makes a task ready; one that ended or already is ready is left alone.
    #[inline]
    pub(crate) fn wake(&self, index: u32, generation: u32) {
        let mut slots = self.slots.borrow_mut();
        let Some(slot) = slots.get_mut(index as usize) else { return };
        if slot.live && slot.generation == generation && !slot.queued {
            slot.queued = true;
            self.ready.borrow_mut().push_back(index);
        }
    }

    /// Puts tasks back into the ready queue that were put aside while their node was paused.
    pub(crate) fn resume(&self, parked: Vec<TaskId>) {
        let slots = self.slots.borrow();
        let mut ready = self.ready.borrow_mut();
        for id in parked {
            let slot = &slots[id.index as usize];
            if slot.live && slot.generation == id.generation {
                ready.push_back(id.index);
            }
        }
    }

    #[inline]
    fn pick(&self, core: &Core) -> Option<u32> {
        let mut ready = self.ready.borrow_mut();
        match (ready.len(), core.options.schedule) {
            (0, _) => None,
            (_, Schedule::Pct { .. }) => {
                let mut pct = self.pct.borrow_mut();
                pct.as_mut().expect("the schedule says so").pick(core, &mut ready, self.polls.get())
            }
            (1, _) | (_, Schedule::Fifo) => ready.pop_front(),
            (count, Schedule::Random) => {
                let place = core.draw_quietly(core.pick, count as u64, 0) as usize;
                if core.in_order { ready.remove(place) } else { ready.swap_remove_back(place) }
            }
        }
    }

    /// Polls the next ready task.
    pub(crate) fn poll_next(&self, core: &Core) -> Polled {
        let Some(index) = self.pick(core) else { return Polled::Idle };
        let (mut future, id, node) = {
            let mut slots = self.slots.borrow_mut();
            let slot = &mut slots[index as usize];
            let id = TaskId { index, generation: slot.generation };
            if !slot.live || !slot.queued {
                return Polled::Pending; // it was aborted while it was ready
            }
            if core.is_paused(slot.node) {
                core.park(slot.node, id);
                return Polled::Pending;
            }
            slot.queued = false;
            let Some(future) = slot.future.take() else {
                unreachable!("a live task is polled by nobody else")
            };
            (future, id, slot.node)
        };
        self.polls.set(self.polls.get() + 1);
        core.event(Kind::Poll, id.to_word(), 0);
        core.serve(node);
        let waker = waker::task_waker(core.id, id.index, id.generation);
        let mut context = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        let mut slots = self.slots.borrow_mut();
        let slot = &mut slots[index as usize];
        let aborted = slot.aborted || slot.generation != id.generation;
        match polled {
            Ok(Poll::Pending) if !aborted => {
                slot.future = Some(future);
                drop(slots);
                if core.points.are_on() {
                    core.meet_poll(node);
                }
                return Polled::Pending;
            }
            Ok(_) => {}
            Err(_) => {
                let panic = panics::take();
                let name = slot.name;
                drop(slots);
                self.end(core, id);
                let _second_panic_is_dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
                return Polled::Panicked(node, name, panic);
            }
        }
        let name = slot.name;
        drop(slots);
        self.end(core, id);
        match catch_unwind(AssertUnwindSafe(|| drop(future))) {
            Ok(()) => Polled::Ended(id, node),
            Err(_) => Polled::Panicked(node, name, panics::take()),
        }
    }

    /// Frees the slot, if the task still has it.
    fn end(&self, core: &Core, id: TaskId) {
        let mut slots = self.slots.borrow_mut();
        let slot = &mut slots[id.index as usize];
        if !slot.live || slot.generation != id.generation {
            return;
        }
        slot.live = false;
        slot.queued = false;
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        self.free.borrow_mut().push(id.index);
        core.event(Kind::TaskEnd, id.to_word(), 0);
    }

    /// Takes a task out; its future is handed back to be dropped by the caller, outside of every borrow. The task
    /// that is being polled keeps its future until the poll returns.
    pub(crate) fn abort(&self, core: &Core, id: TaskId) -> Option<Local> {
        let future = {
            let mut slots = self.slots.borrow_mut();
            let slot = slots.get_mut(id.index as usize)?;
            if !slot.live || slot.generation != id.generation {
                return None;
            }
            if slot.future.is_none() {
                slot.aborted = true;
                return None;
            }
            slot.future.take()
        };
        self.end(core, id);
        future
    }

    /// The tasks of a node, or all, in slot order.
    pub(crate) fn of(&self, node: Option<NodeId>) -> Vec<(TaskId, NodeId, &'static str)> {
        let slots = self.slots.borrow();
        // Told apart here, and not slot by slot: memcheck takes a comparison with what is not there for a mistake.
        let (all, node) = (node.is_none(), node.unwrap_or(NodeId::NOWHERE));
        slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.live && (all || node == slot.node))
            .map(|(index, slot)| {
                (TaskId { index: index as u32, generation: slot.generation }, slot.node, slot.name)
            })
            .collect()
    }

    /// The name and node of a task that lives.
    pub(crate) fn describe(&self, id: TaskId) -> Option<(NodeId, &'static str)> {
        let slots = self.slots.borrow();
        let slot = slots.get(id.index as usize)?;
        (slot.live && slot.generation == id.generation).then_some((slot.node, slot.name))
    }

    /// The tasks that are ready.
    pub(crate) fn ready(&self) -> Vec<TaskId> {
        let slots = self.slots.borrow();
        let ready = self.ready.borrow();
        ready
            .iter()
            .map(|index| TaskId { index: *index, generation: slots[*index as usize].generation })
            .collect()
    }
}
