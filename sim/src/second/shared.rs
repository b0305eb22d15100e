//! What a run on madsim keeps beside madsim: names, alarms, files, and how to end a task.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use madsim::net::NetSim;
use madsim::runtime::Handle;
use madsim::task::{AbortHandle, NodeId};
use madsim::time::TimeHandle;

use super::alarm::Alarms;
use super::node::NodeState;
use super::watched::{POLLS_MAX, REST};
use crate::census::Census;
use crate::report::Note;

thread_local! {
    static HERE: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
}

/// The address of the node on which the script runs, as in [`crate::World`].
const SCRIPT: Ipv4Addr = Ipv4Addr::new(10, 255, 255, 254);

/// The state of one run; it stays on its thread.
pub(super) struct Shared {
    pub(super) seed: u64,
    pub(super) time: TimeHandle,
    pub(super) alarms: Alarms,
    tasks: RefCell<BTreeMap<u64, AbortHandle>>,
    nodes: RefCell<BTreeMap<NodeId, NodeState>>,
    names: RefCell<BTreeMap<String, NodeId>>,
    /// Further names, of several nodes.
    aliases: RefCell<BTreeMap<String, Vec<NodeId>>>,
    keys: Cell<u64>,
    /// How many decisions fell, by stream.
    ordinals: RefCell<BTreeMap<Rc<str>, u64>>,
    notes: RefCell<Vec<Note>>,
    /// When the last poll was, and how many there were without a rest.
    polls: Cell<(Duration, u64)>,
    /// The task that was polled once too often.
    spun: Cell<Option<&'static str>>,
    /// What a destructor said as it panicked.
    broken: RefCell<Option<String>>,
    /// The run is over: nothing is started any more.
    closed: Cell<bool>,
}

/// While this lives, the run is the one of this thread.
pub(super) struct Left(());

impl Drop for Left {
    fn drop(&mut self) {
        let gone = HERE.with(|here| here.borrow_mut().take());
        drop(gone);
    }
}

/// Makes a run the one of this thread.
pub(super) fn enter(shared: &Rc<Shared>) -> Left {
    HERE.with(|here| *here.borrow_mut() = Some(Rc::clone(shared)));
    Left(())
}

/// Calls `f` with the run of this thread, if there is one.
pub(super) fn try_with<R>(f: impl FnOnce(&Shared) -> R) -> Option<R> {
    let here = HERE.try_with(|here| here.borrow().clone()).ok()??;
    Some(f(&here))
}

impl Shared {
    /// Inside madsim's context.
    pub(super) fn new(seed: u64) -> Rc<Self> {
        let script = madsim::plugin::node();
        NetSim::current().set_ip(script, SCRIPT.into());
        let state = NodeState::new("script", SCRIPT.into(), true);
        Rc::new(Self {
            seed,
            time: TimeHandle::current(),
            alarms: Alarms::default(),
            tasks: RefCell::default(),
            nodes: RefCell::new([(script, state)].into()),
            names: RefCell::new([("script".to_owned(), script)].into()),
            aliases: RefCell::default(),
            keys: Cell::new(0),
            ordinals: RefCell::default(),
            notes: RefCell::default(),
            polls: Cell::default(),
            spun: Cell::default(),
            broken: RefCell::default(),
            closed: Cell::new(false),
        })
    }

    /// A task begins on a node, or is over.
    pub(super) fn count_task(&self, node: NodeId, name: &'static str, begins: bool) {
        self.try_with_node(node, |state| {
            let count = state.tasks.entry(name).or_default();
            if begins {
                *count += 1;
            } else {
                *count -= 1;
            }
        });
    }

    /// What there is, node by node. madsim's sockets do not tell whether their peer is there.
    pub(super) fn census(&self) -> BTreeMap<String, Census> {
        let mut census: BTreeMap<_, _> = self
            .nodes
            .borrow()
            .iter()
            .map(|(id, state)| (*id, (state.name().to_owned(), state.census())))
            .collect();
        for node in self.alarms.nodes() {
            if let Some((_, census)) = census.get_mut(&node) {
                census.timers += 1;
            }
        }
        census.into_values().collect()
    }

    /// A number that was never given before in this run.
    pub(super) fn key(&self) -> u64 {
        self.keys.set(self.keys.get() + 1);
        self.keys.get()
    }

    /// The node of that name, made if it is missing.
    pub(super) fn node(&self, name: &str) -> NodeId {
        if let Some(id) = self.names.borrow().get(name) {
            return *id;
        }
        let number = self.nodes.borrow().len();
        let high = u8::try_from(number / 250).expect("fewer than 64,000 nodes");
        let ip = IpAddr::from([10, 0, high, (number % 250) as u8]);
        let id =
            Handle::current().create_node().name(name).ip(ip).init(super::node::begin(name)).build().id();
        NetSim::current().add_dns_record(name, ip);
        self.nodes.borrow_mut().insert(id, NodeState::new(name, ip, false));
        self.names.borrow_mut().insert(name.to_owned(), id);
        id
    }

    /// The script's own node.
    pub(super) fn script(&self) -> NodeId {
        self.find("script").expect("it is there from the beginning")
    }

    /// The node of that name, if there is one.
    pub(super) fn find(&self, name: &str) -> Option<NodeId> {
        self.names.borrow().get(name).copied()
    }

    /// Calls `f` with a node's state; `f` must not call back.
    pub(super) fn with_node<R>(&self, id: NodeId, f: impl FnOnce(&mut NodeState) -> R) -> R {
        self.try_with_node(id, f).expect("nodes are there until the run is over")
    }

    /// The same for what is dropped when the run is over.
    pub(super) fn try_with_node<R>(&self, id: NodeId, f: impl FnOnce(&mut NodeState) -> R) -> Option<R> {
        self.nodes.borrow_mut().get_mut(&id).map(f)
    }

    /// Remembers how to end a task.
    pub(super) fn keep_task(&self, key: u64, task: AbortHandle) {
        self.tasks.borrow_mut().insert(key, task);
    }

    /// A task is over, or nobody may end it any more.
    pub(super) fn take_task(&self, key: u64) -> Option<AbortHandle> {
        self.tasks.borrow_mut().remove(&key)
    }

    /// Gives a further name to nodes.
    pub(super) fn alias(&self, name: &str, nodes: Vec<NodeId>) {
        self.aliases.borrow_mut().insert(name.to_owned(), nodes);
    }

    /// The addresses behind a further name, in the order in which it was given.
    pub(super) fn aliased(&self, name: &str) -> Option<Vec<IpAddr>> {
        let nodes = self.aliases.borrow().get(name).cloned()?;
        Some(nodes.into_iter().map(|id| self.with_node(id, |state| state.ip())).collect())
    }

    /// The how-manieth decision of a stream falls.
    pub(super) fn ordinal(&self, stream: &Rc<str>) -> u64 {
        let mut ordinals = self.ordinals.borrow_mut();
        let next = ordinals.entry(Rc::clone(stream)).or_default();
        *next += 1;
        *next - 1
    }

    pub(super) fn note(&self, note: Note) {
        self.notes.borrow_mut().push(note);
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        self.notes.borrow().clone()
    }

    /// A destructor panicked; the first one counts.
    pub(super) fn broke(&self, message: String) {
        self.broken.borrow_mut().get_or_insert(message);
    }

    /// What a destructor said.
    pub(super) fn broken(&self) -> Option<String> {
        self.broken.take()
    }

    /// A task is polled.
    ///
    /// # Panics
    /// If there was no rest for too long, or a destructor has panicked.
    pub(super) fn polled(&self, task: &'static str) {
        assert!(self.broken.borrow().is_none() || self.closed.get(), "a destructor panicked");
        let (last, polls) = self.polls.get();
        let now = self.time.elapsed();
        let polls = if now > last + REST { 1 } else { polls + 1 };
        self.polls.set((now, polls));
        if polls > POLLS_MAX && !self.closed.get() {
            self.spun.set(Some(task));
            panic!("{task} is polled again and again");
        }
    }

    /// Who was polled once too often.
    pub(super) fn spun(&self) -> Option<&'static str> {
        self.spun.take()
    }

    /// Whether the run is over.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// The run is over: files and streams of every node refuse, nothing is started any more, the script's own tasks are
    /// aborted. Returns the nodes that are to be killed.
    pub(super) fn close(&self) -> Vec<NodeId> {
        self.closed.set(true);
        for state in self.nodes.borrow_mut().values_mut() {
            state.fence();
        }
        let tasks = self.tasks.borrow().values().cloned().collect::<Vec<_>>();
        for task in tasks {
            task.abort();
        }
        self.nodes.borrow().keys().copied().filter(|id| *id != self.script()).collect()
    }

    /// What nodes boot from may hold the world that holds them.
    pub(super) fn forget_mains(&self) {
        let nodes = self.nodes.take();
        drop(nodes);
    }
}
