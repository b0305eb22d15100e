//! A run: a fresh thread, a world, a script, and what they hand back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;

use crate::core::{self, Core};
use crate::ground::Ground;
use crate::host;
use crate::net::Fabric;
use crate::node::{NodeId, Status};
use crate::options::Options;
use crate::panics;
use crate::registry::Leave;
use crate::report::{Failure, Report};
use crate::tasks::{Polled, TaskId};
use crate::trace;
use crate::world::World;

/// How many polls are watched to name the tasks that spin.
const SPINNERS_WATCHED: u64 = 256;

/// A simulation, told its options and not begun.
#[derive(Clone, Debug)]
pub struct Sim {
    options: Options,
}

impl Sim {
    /// With these options.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options }
    }

    /// With a seed and the defaults.
    #[must_use]
    pub fn seed(seed: u64) -> Self {
        Self::new(Options::seed(seed))
    }

    /// Runs `script` in a fresh world on a fresh thread, until it ends or the run fails. Equal options and an equal
    /// script give an equal report. Runs are independent: any number may go on at once, each on its own core.
    ///
    /// # Panics
    /// Inside a run: one cannot be started there. With options that make no sense: bounds the wrong way round, odds
    /// out of nothing, a window of no bytes.
    pub fn run<T, F, Fut>(&self, script: F) -> Report<T>
    where
        T: Send + 'static,
        F: FnOnce(World) -> Fut + Send,
        Fut: Future<Output = T> + 'static,
    {
        let (mut script, mut told) = (Some(script), None);
        self.hosted(&mut |core| {
            let value = Rc::new(RefCell::new(None));
            let report = live(core, &mut |world| {
                let script = script.take().expect("a run begins once")(world);
                let place = Rc::clone(&value);
                Box::pin(async move {
                    let outcome = script.await;
                    *place.borrow_mut() = Some(outcome);
                })
            });
            let value = value.borrow_mut().take();
            told = Some(report.with_value(|()| value.expect("a script that did not fail has ended")));
        });
        told.expect("a run that was waited for is over")
    }

    fn hosted(&self, work: &mut (dyn FnMut(Rc<Core>) + Send)) {
        let inside = core::try_with(|core| core.name.clone());
        assert!(inside.is_none(), "a run cannot be started inside a run (that of {inside:?})");
        self.options.check();
        panics::install();
        let _origin = runtime::now(); // taken from this thread's clock, not from a simulated one
        host::on_fresh_thread(self.options.seed, &self.options.name(), &mut |clock| {
            let options = self.options.clone();
            let _routing = trace::route(options.trace);
            work(Core::new(options, clock));
        });
    }
}

/// A script that has begun.
type Script = Pin<Box<dyn Future<Output = ()>>>;

/// A whole run, of a script without a type, so that this is compiled once.
fn live(core: Rc<Core>, begin: &mut dyn FnMut(World) -> Script) -> Report<()> {
    let _leave = Leave(core.id);
    core::enter(Some(Rc::clone(&core)));
    let entered = runtime::world::enter(Rc::new(Ground(Rc::clone(&core))));
    let world = World { core: Rc::clone(&core) };
    core.serve(NodeId::SCRIPT);
    match catch_unwind(AssertUnwindSafe(|| begin(world))) {
        Err(_) => core.panicked(NodeId::SCRIPT, "script", panics::take()),
        Ok(script) => {
            let task = core.spawn_on(NodeId::SCRIPT, "script", script);
            let task = task.expect("the script's node is not fenced");
            guard(&core, || drive(&core, task));
        }
    }
    let mut report = report(&core);
    tear_down(&core);
    drop(entered);
    core::enter(None);
    if report.outcome.is_ok()
        && let Some(failure) = core.take_failure()
    {
        report.outcome = Err(failure);
    }
    report
}

/// What panics in the world itself fails the run, as what panics in a task does: a check of the fabric, a waker.
fn guard(core: &Core, work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        core.panicked(NodeId::SCRIPT, "world", panics::take());
    }
}

/// Polls and lets time pass, until the script ends or the run fails.
fn drive(core: &Core, script: TaskId) {
    while !core.has_failed() {
        let polled = core.tasks.poll_next(core);
        if core.falling.get() {
            core.finish_falls(); // before all else: a process that has fallen neither exits nor panics
        }
        match polled {
            Polled::Pending => {}
            Polled::Ended(task, _) if task == script => return,
            Polled::Ended(task, node) => {
                core.task_ended(task, node);
                if core.points.are_on() {
                    core.meet_poll(node);
                }
            }
            Polled::Panicked(node, name, panic) => {
                core.panicked(node, name, panic);
                if node != NodeId::SCRIPT && core.with_node(node, |state| state.status == Status::Running) {
                    core.fell(node, Status::Killed);
                }
            }
            Polled::Idle => {
                pass_time(core);
                continue;
            }
        }
        let polls = core.polls_here.get() + 1;
        core.polls_here.set(polls);
        if polls >= core.options.polls_max {
            spinning(core);
        }
    }
}

/// Nobody is ready: the next thing happens.
fn pass_time(core: &Core) {
    // What is never due is a timer of a clock that stands still.
    let next = core.agenda.borrow().next_at();
    let Some(at) = next.filter(|at| *at < u64::MAX) else {
        let tasks = core.tasks.of(None);
        let tasks = tasks.iter().map(|(_, node, name)| format!("{}/{name}", core.node_name(*node))).collect();
        return core.fail(Failure::Stuck { tasks, at: core.elapsed() });
    };
    if at > core.time_max {
        return core.fail(Failure::TimeLimit { limit: core.options.time_max });
    }
    if core.digest.borrow().events() > core.options.events_max {
        return core.fail(Failure::EventLimit { limit: core.options.events_max, at: core.elapsed() });
    }
    core.serve(NodeId::SCRIPT); // whoever was polled last does none of this
    core.advance(at);
    core.fire_due();
}

/// Watches who is polled for a while, then fails the run.
#[cold]
fn spinning(core: &Core) {
    let mut tasks = BTreeSet::new();
    for _ in 0..SPINNERS_WATCHED {
        for id in core.tasks.ready() {
            if let Some((node, name)) = core.tasks.describe(id) {
                tasks.insert(format!("{}/{name}", core.node_name(node)));
            }
        }
        match core.tasks.poll_next(core) {
            Polled::Pending => {}
            Polled::Idle | Polled::Ended(..) | Polled::Panicked(..) => break,
        }
    }
    let polls = core.polls_here.get();
    core.fail(Failure::Spinning { tasks: tasks.into_iter().collect(), polls, at: core.elapsed() });
}

fn report(core: &Core) -> Report<()> {
    let digest = core.digest.borrow();
    let decisions = core.decisions.borrow();
    let effects: BTreeMap<_, _> = core.effects.borrow().counts().clone();
    Report {
        outcome: core.take_failure().map_or(Ok(()), Err),
        seed: core.options.seed,
        digest: digest.value(),
        checkpoints: digest.checkpoints(),
        elapsed: core.elapsed(),
        polls: core.tasks.polls(),
        events: digest.events(),
        decisions: decisions.total(),
        effects,
        unmatched: decisions.unmatched(),
        unmet: core.net.borrow().unmet(),
        notes: core.notes.borrow().clone(),
        trace: core.trace.take(),
        recorded: decisions.recorded(),
        points: core.points.recorded(),
        struck: core.points.struck(),
        missed: core.points.missed(),
        streams: if core.options.name_streams { decisions.asked() } else { Vec::new() },
        kept: core.describe_kept(&digest, &decisions),
    }
}

/// Fences every node, then drops whatever is left. Whichever part panics, the others are done: nothing of the world may
/// outlive its place in the thread.
fn tear_down(core: &Core) {
    guard(core, || {
        let count = core.nodes.borrow().len();
        for node in (0..count).map(|place| NodeId(place as u16)) {
            core.with_node(node, |state| state.fenced = true);
            core.net(|net| net.power_gone(core, node));
        }
    });
    guard(core, || core.net(|net| net.check_streams()));
    guard(core, || core.drop_tasks(None));
    guard(core, || {
        let due = std::mem::replace(&mut *core.agenda.borrow_mut(), crate::agenda::Agenda::new());
        drop(due);
    });
    guard(core, || core.forget_mains());
    // Its taps may hold the world itself.
    guard(core, || drop(core.net.replace(Fabric::new(core.options.net))));
}
