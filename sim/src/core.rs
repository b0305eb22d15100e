//! One world's whole state, and the way to it from the thread it has entered.
//!
//! Every part sits in its own cell, borrowed for a moment and never across user code: a poll, a wake or a destructor
//! (also that of a waker) may call back in. There are two exceptions: cloning a waker, which is taken to call nobody, and
//! a tap's grammars, which are made, called and dropped while the network is borrowed: they may write down, not ask it or
//! cut. Handles that inhabitants hold (sockets, timers, files) are numbers; they find the world through the thread, and
//! refuse another one. Next: `run` drives it, `ground` answers the inhabitants, `world` the script.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use crate::agenda::{Agenda, DueKey};
use crate::decide::{Decisions, Keep, StreamId};
use crate::digest::{Digest, Kind};
use crate::effects::{Effect, Effects};
use crate::host::Clock;
use crate::names::Names;
use crate::net::{Fabric, NetDue};
use crate::node::{NodeId, NodeState};
use crate::options::Options;
use crate::points::Points;
use crate::points::relief::Relief;
use crate::registry::{self, WorldId};
use crate::report::{Failure, Note};
use crate::tasks::Tasks;
use crate::trace::{Trace, nanos};

/// What the agenda holds.
pub(crate) enum Due {
    /// A timer of a task of that node.
    Timer {
        node: NodeId,
        waker: Waker,
        /// It fires later than its deadline, by injection.
        late: bool,
    },
    /// Something of the network.
    Net(NetDue),
    /// A strike ends.
    Relief(Relief),
}

/// One world.
pub(crate) struct Core {
    pub(crate) id: WorldId,
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) now: Cell<u64>,
    /// [`Options::time_max`], in nanoseconds.
    pub(crate) time_max: u64,
    pub(crate) tasks: Tasks,
    /// When another seed begins to decide.
    branch_at: Cell<u64>,
    pub(crate) agenda: RefCell<Agenda<Due>>,
    pub(crate) decisions: RefCell<Decisions>,
    pub(crate) digest: RefCell<Digest>,
    pub(crate) nodes: RefCell<Vec<NodeState>>,
    pub(crate) net: RefCell<Fabric>,
    pub(crate) trace: Trace,
    pub(crate) effects: RefCell<Effects>,
    pub(crate) points: Points,
    pub(crate) notes: RefCell<Vec<Note>>,
    pub(crate) names: RefCell<Names>,
    /// Which ready task runs next.
    pub(crate) pick: StreamId,
    /// Overrides let tasks run first in, first out.
    pub(crate) in_order: bool,
    /// How many nodes are paused: zero saves the lookup on every poll.
    pub(crate) paused: Cell<u32>,
    /// A node fell during the poll that is running.
    pub(crate) falling: Cell<bool>,
    /// Polls since virtual time last moved.
    pub(crate) polls_here: Cell<u64>,
    current: Cell<NodeId>,
    failure: RefCell<Option<Failure>>,
    clock: Clock,
}

thread_local! {
    static CORE: RefCell<Option<Rc<Core>>> = const { RefCell::new(None) };
}

/// Calls `f` with the world that has entered this thread, if one has.
#[inline]
pub(crate) fn try_with<R>(f: impl FnOnce(&Core) -> R) -> Option<R> {
    CORE.try_with(|core| core.borrow().as_ref().map(|core| f(core))).ok().flatten()
}

/// Calls `f` with the world `id`, which has entered this thread.
///
/// # Panics
/// With the world's name, if it has not.
#[inline]
pub(crate) fn with<R>(id: WorldId, f: impl FnOnce(&Core) -> R) -> R {
    let answer = CORE.try_with(|core| match core.borrow().as_ref() {
        Some(core) if core.id == id => f(core),
        Some(_) | None => misplaced(id),
    });
    answer.unwrap_or_else(|_| misplaced(id))
}

#[cold]
fn misplaced(id: WorldId) -> ! {
    let name = registry::name(id).unwrap_or_else(|| "(it is over)".to_owned());
    panic!("the world \"{name}\" was touched from outside its thread")
}

/// Whether the world `id` has entered this thread; for destructors, which may run after it left.
pub(crate) fn is_here(id: WorldId) -> bool {
    try_with(|core| core.id == id).unwrap_or(false)
}

/// Puts a world into this thread, or takes it out.
pub(crate) fn enter(core: Option<Rc<Core>>) {
    let before = CORE.with(|place| std::mem::replace(&mut *place.borrow_mut(), core));
    drop(before);
}

/// When the first branch is due that lies at this moment or later.
fn next_branch(options: &Options, from: u64) -> u64 {
    let later = options.recipe.iter().map(|branch| nanos(branch.at)).filter(|at| *at >= from);
    later.min().unwrap_or(u64::MAX)
}

impl Core {
    pub(crate) fn new(options: Options, clock: Clock) -> Rc<Self> {
        let name = options.name();
        let id = registry::enter(name.clone());
        let keep = Keep { first: options.record_decisions, streams: options.record_streams.clone() };
        let mut decisions = Decisions::new(options.seed, options.overrides.clone(), keep);
        let pick = decisions.stream("pick");
        let core = Self {
            id,
            name,
            now: Cell::new(0),
            time_max: nanos(options.time_max),
            tasks: Tasks::new(options.schedule),
            branch_at: Cell::new(next_branch(&options, 0)),
            agenda: RefCell::new(Agenda::new()),
            decisions: RefCell::new(decisions),
            digest: RefCell::new(Digest::new(options.keep_events.clone())),
            nodes: RefCell::new(Vec::new()),
            net: RefCell::new(Fabric::new(options.net)),
            trace: Trace::new(options.trace),
            effects: RefCell::new(Effects::new()),
            points: Points::new(options.record_points, &options.strikes),
            notes: RefCell::new(Vec::new()),
            names: RefCell::new(Names::new()),
            pick,
            in_order: options.overrides.calms("pick"),
            paused: Cell::new(0),
            falling: Cell::new(false),
            polls_here: Cell::new(0),
            current: Cell::new(NodeId::SCRIPT),
            failure: RefCell::new(None),
            clock,
            options,
        };
        let core = Rc::new(core);
        // Before anything is decided: a branch at the beginning takes all of the run.
        core.branch();
        core.add_node("script");
        core
    }

    /// Virtual time since the run began.
    pub(crate) const fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now.get())
    }

    /// Folds an event into the digest.
    #[inline]
    pub(crate) fn event(&self, kind: Kind, subject: u64, detail: u64) {
        self.digest.borrow_mut().fold(kind, subject, detail);
    }

    /// Decides among `bound`; the first is the mildest.
    #[inline]
    pub(crate) fn draw(&self, stream: StreamId, bound: u64) -> u64 {
        self.draw_or(stream, bound, 0)
    }

    /// Decides among `bound`; `mildest` is what a calm stream decides.
    #[inline]
    pub(crate) fn draw_or(&self, stream: StreamId, bound: u64, mildest: u64) -> u64 {
        let value = self.decisions.borrow_mut().draw(stream, bound, mildest);
        self.event(Kind::Decision, u64::from(stream.0), value);
        value
    }

    /// The same without an event of its own: the event that follows tells what was decided.
    #[inline]
    pub(crate) fn draw_quietly(&self, stream: StreamId, bound: u64, mildest: u64) -> u64 {
        self.decisions.borrow_mut().draw(stream, bound, mildest)
    }

    /// Any 64-bit value.
    pub(crate) fn draw_word(&self, stream: StreamId) -> u64 {
        let value = self.decisions.borrow_mut().draw_word(stream);
        self.event(Kind::Decision, u64::from(stream.0), value);
        value
    }

    /// The stream of that name.
    pub(crate) fn stream(&self, name: &str) -> StreamId {
        self.decisions.borrow_mut().stream(name)
    }

    /// Puts something on the agenda, `after` nanoseconds from this moment.
    pub(crate) fn schedule(&self, after: u64, what: Due) -> DueKey {
        self.schedule_at(self.now.get().saturating_add(after), what)
    }

    /// Puts something on the agenda.
    pub(crate) fn schedule_at(&self, at: u64, what: Due) -> DueKey {
        self.agenda.borrow_mut().insert(at.max(self.now.get()), what)
    }

    /// Moves something on the agenda that has not happened yet.
    pub(crate) fn reschedule(&self, key: DueKey, at: u64) {
        self.agenda.borrow_mut().reschedule(key, at.max(self.now.get()));
    }

    /// Takes something off the agenda.
    pub(crate) fn unschedule(&self, key: DueKey) {
        let removed = self.agenda.borrow_mut().remove(key);
        drop(removed); // a waker's destructor may be anybody's: outside the borrow
    }

    /// Moves virtual time, and the clock of the context that hosts the run.
    pub(crate) fn advance(&self, at: u64) {
        let before = self.now.replace(at);
        assert!(at >= before, "virtual time never goes back");
        if at > before {
            self.polls_here.set(0);
            self.event(Kind::Time, 0, at);
            self.clock.advance(Duration::from_nanos(at - before));
            if at >= self.branch_at.get() {
                self.branch();
            }
        }
    }

    /// Other seeds decide from here on, where a recipe says so.
    #[cold]
    fn branch(&self) {
        while self.branch_at.get() <= self.now.get() {
            let at = self.branch_at.get();
            let mut due = self.options.recipe.iter().filter(|branch| nanos(branch.at) == at);
            let seed = due.next_back().expect("a branch is due").seed;
            self.decisions.borrow_mut().branch(seed);
            self.fault(|| format!("from here on seed {seed} decides"));
            self.branch_at.set(next_branch(&self.options, at + 1));
        }
    }

    /// Lets everything happen that is due at this moment.
    pub(crate) fn fire_due(&self) {
        loop {
            let due = self.agenda.borrow_mut().pop_due(self.now.get());
            let Some((key, due)) = due else { return };
            if self.points.are_on() {
                self.meet_due(&due);
            }
            match due {
                Due::Timer { waker, late, .. } => {
                    self.event(Kind::Timer, key.to_word(), 0);
                    if late {
                        self.felt(Effect::LateTimer);
                    }
                    waker.wake();
                }
                Due::Net(due) => self.net(|net| net.fire(self, due)),
                Due::Relief(relief) => self.relieve(relief),
            }
        }
    }

    /// Works on the network, then wakes whom that concerns, outside of the borrow.
    #[inline]
    pub(crate) fn net<R>(&self, f: impl FnOnce(&mut Fabric) -> R) -> R {
        let mut net = self.net.borrow_mut();
        let answer = f(&mut net);
        if !net.old.is_empty() {
            let mut old = std::mem::take(&mut net.old);
            drop(net);
            old.clear();
            net = self.net.borrow_mut();
            if net.old.is_empty() {
                net.old = old; // keeps the buffer
            }
        }
        match net.wakes.len() {
            0 => return answer,
            1 => {
                let waker = net.wakes.pop().expect("there is one");
                drop(net);
                waker.wake();
                return answer;
            }
            _ => {}
        }
        let mut wakes = std::mem::take(&mut net.wakes);
        drop(net);
        for waker in wakes.drain(..) {
            waker.wake();
        }
        let mut net = self.net.borrow_mut();
        if net.wakes.is_empty() {
            net.wakes = wakes; // keeps the buffer
        }
        answer
    }

    /// The node whose task is being polled, or whose tasks are being dropped.
    #[inline]
    pub(crate) const fn current_node(&self) -> NodeId {
        self.current.get()
    }

    /// From here on, calls are answered for this node.
    #[inline]
    pub(crate) fn serve(&self, node: NodeId) {
        self.current.set(node);
    }

    /// Calls `f` on behalf of a node.
    pub(crate) fn on_behalf<R>(&self, node: NodeId, f: impl FnOnce() -> R) -> R {
        let before = self.current.replace(node);
        let answer = f();
        self.current.set(before);
        answer
    }

    /// Ends the run with a failure; the first one counts.
    pub(crate) fn fail(&self, failure: Failure) {
        let mut place = self.failure.borrow_mut();
        if place.is_none() {
            *place = Some(failure);
        }
    }

    /// Whether the run has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// The failure, if there was one.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        self.failure.borrow_mut().take()
    }
}
