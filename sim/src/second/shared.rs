//! What a run on madsim keeps beside madsim: names, alarms, files, and how to end a task.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use madsim::net::NetSim;
use madsim::runtime::Handle;
use madsim::task::{AbortHandle, NodeId};
use madsim::time::TimeHandle;

use super::alarm::Alarms;
use super::node::NodeState;

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
    keys: Cell<u64>,
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
            keys: Cell::new(0),
        })
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
        let ip = IpAddr::from([10, 0, (number / 250) as u8, (number % 250) as u8]);
        let id =
            Handle::current().create_node().name(name).ip(ip).init(super::node::begin(name)).build().id();
        NetSim::current().add_dns_record(name, ip);
        self.nodes.borrow_mut().insert(id, NodeState::new(name, ip, false));
        self.names.borrow_mut().insert(name.to_owned(), id);
        id
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

    /// What nodes boot from may hold the world that holds them.
    pub(super) fn forget_mains(&self) {
        let nodes = self.nodes.take();
        drop(nodes);
    }
}
