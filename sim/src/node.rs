//! Nodes: a host with a process on it. Booting and falling.
//!
//! Whatever fells a node, its disk and network are fenced before its futures are dropped: destructors of storage
//! engines and HTTP libraries write. `pause` stops a process for a while, or asks it to stop for good; `handle` is what
//! a script holds.

pub(crate) mod handle;
mod pause;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::clock::NodeClock;
use crate::core::Core;
use crate::decide::StreamId;
use crate::digest::Kind;
use crate::effects::Effect;
use crate::panics::{self, Panic};
use crate::report::Failure;
use crate::storage::Drive;
use crate::tasks::{Local, TaskId};
use crate::waiters::Waiters;

/// A node's number in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u16);

impl NodeId {
    /// The node the script runs on; it never falls.
    pub(crate) const SCRIPT: Self = Self(0);
    /// Where addresses lead that nobody has.
    pub(crate) const NOWHERE: Self = Self(u16::MAX);

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What became of a node's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The host is up; no process was started yet.
    Idle,
    /// The process runs (or is paused).
    Running,
    /// Its main future ended.
    Exited,
    /// It was killed; the host's kernel has closed its sockets.
    Killed,
    /// The host has no power; nobody was told.
    Off,
}

/// How a node falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fall {
    /// The process dies. The kernel says goodbye for it, and the disk keeps what was written.
    Kill,
    /// The host loses power: silence, and the disk keeps what was synced, and of the rest what chance leaves.
    PowerOff,
}

/// At most so many nodes, the script's among them: what addresses of 250 hosts in each of 256 networks tell apart.
pub(crate) const NODES_MAX: u16 = 64_000;

/// A node's address.
fn address(node: NodeId) -> Ipv4Addr {
    match node.0 {
        0 => Ipv4Addr::new(10, 255, 255, 254),
        n => Ipv4Addr::new(10, 0, (n / 250) as u8, (n % 250) as u8),
    }
}

/// Makes the main future of each boot.
pub(crate) type Main = Rc<dyn Fn() -> Local>;

pub(crate) struct NodeState {
    pub(crate) name: Rc<str>,
    pub(crate) clock: NodeClock,
    pub(crate) status: Status,
    /// How often it was booted.
    pub(crate) boot: u32,
    /// Its disk and network refuse.
    pub(crate) fenced: bool,
    pub(crate) paused: bool,
    /// The script has paused it.
    stopped: bool,
    parked: Vec<TaskId>,
    main: Option<Main>,
    main_task: Option<TaskId>,
    /// Its process wants to hear of requests to stop; others die of them.
    pub(crate) takes_signals: bool,
    /// How often it was asked to stop.
    pub(crate) asked: u64,
    pub(crate) on_asked: Waiters,
    pub(crate) on_fall: Waiters,
    pub(crate) entropy: BTreeMap<String, StreamId>,
    pub(crate) drive: Drive,
    /// It falls as soon as the poll returns.
    pub(crate) falls: Option<Fall>,
    /// Its process neither listens nor has begun to connect.
    pub(crate) boots: bool,
}

impl Core {
    /// Adds a node, its host up, without a process.
    pub(crate) fn add_node(&self, name: &str) -> NodeId {
        assert!(
            !name.contains('*'),
            "an asterisk in the node's name {name:?}: no override could name its streams"
        );
        let count = self.nodes.borrow().len();
        assert!(count < NODES_MAX as usize, "more than {NODES_MAX} nodes, the script's among them");
        let id = NodeId(count as u16);
        let clock = self.set_clock(name, id);
        let mut nodes = self.nodes.borrow_mut();
        let status = if id == NodeId::SCRIPT { Status::Running } else { Status::Idle };
        nodes.push(NodeState {
            name: name.into(),
            clock,
            status,
            boot: 0,
            fenced: id != NodeId::SCRIPT,
            paused: false,
            stopped: false,
            parked: Vec::new(),
            main: None,
            main_task: None,
            takes_signals: false,
            asked: 0,
            on_asked: Waiters::default(),
            on_fall: Waiters::default(),
            entropy: BTreeMap::new(),
            drive: Drive::new(self.options.disk),
            falls: None,
            boots: false,
        });
        if id == NodeId::SCRIPT {
            nodes[id.index()].drive.disk.boot();
        }
        drop(nodes);
        self.net.borrow_mut().paths.add_host(name, address(id));
        id
    }

    /// The node of that name.
    pub(crate) fn find_node(&self, name: &str) -> Option<NodeId> {
        let nodes = self.nodes.borrow();
        nodes.iter().position(|node| &*node.name == name).map(|place| NodeId(place as u16))
    }

    pub(crate) fn node_name(&self, node: NodeId) -> Rc<str> {
        Rc::clone(&self.nodes.borrow()[node.index()].name)
    }

    /// Calls `f` with a node's state; `f` must not call back.
    pub(crate) fn with_node<R>(&self, node: NodeId, f: impl FnOnce(&mut NodeState) -> R) -> R {
        f(&mut self.nodes.borrow_mut()[node.index()])
    }

    /// Starts a task on a node. On one that has fallen the future is dropped at once.
    pub(crate) fn spawn_on(&self, node: NodeId, name: &'static str, future: Local) -> Option<TaskId> {
        if self.with_node(node, |state| state.fenced) {
            return None;
        }
        let id = self.tasks.spawn(self, node, name, future);
        if self.digest.borrow().keeps() {
            let text = format!("{}/{name}", self.node_name(node));
            self.names.borrow_mut().task(id.to_word(), text);
        }
        Some(id)
    }

    /// Boots a node, with a new main or the one it had.
    ///
    /// # Panics
    /// If its process runs, or it never had a main.
    pub(crate) fn boot(&self, node: NodeId, main: Option<Main>) {
        let runs = self.with_node(node, |state| state.status == Status::Running);
        assert!(!runs, "{} is booted while its process runs", self.node_name(node));
        let former = main.and_then(|main| self.with_node(node, |state| state.main.replace(main)));
        let main = self.with_node(node, |state| {
            state.status = Status::Running;
            state.boot += 1;
            state.fenced = false;
            state.takes_signals = false;
            state.asked = 0;
            state.falls = None;
            state.boots = true;
            state.main.clone().expect("a node is restarted after it was booted once")
        });
        self.event(Kind::Node, u64::from(node.0), 1);
        self.tell(tracing::Level::INFO, || format!("{} boots", self.node_name(node)));
        self.disk_boot(node);
        self.net(|net| net.power_back(self, node));
        let future = self.on_behalf(node, || main());
        let id = self.spawn_on(node, "main", future);
        self.with_node(node, |state| state.main_task = id);
        drop(former); // what it captured may ask the nodes, or fell this one
    }

    /// A task has ended: with the main one, the process.
    pub(crate) fn task_ended(&self, task: TaskId, node: NodeId) {
        if self.with_node(node, |state| state.main_task == Some(task)) {
            self.fell(node, Status::Exited);
        }
    }

    /// Fells a node by a fault.
    pub(crate) fn fall(&self, node: NodeId, how: Fall) {
        assert!(node != NodeId::SCRIPT, "the script's node never falls");
        let runs = self.with_node(node, |state| state.status == Status::Running);
        match how {
            Fall::Kill if runs => {
                self.felt(Effect::Kill);
                self.fell(node, Status::Killed);
            }
            Fall::Kill => {}
            Fall::PowerOff => {
                if runs {
                    self.felt(Effect::PowerOff);
                }
                self.fell(node, Status::Off);
            }
        }
    }

    /// The nodes that fell inside the poll that has just returned.
    pub(crate) fn finish_falls(&self) {
        self.falling.set(false);
        let count = self.nodes.borrow().len();
        for node in (0..count).map(|place| NodeId(place as u16)) {
            if let Some(how) = self.with_node(node, |state| state.falls.take()) {
                self.fall(node, how);
            }
        }
    }

    /// A process falls inside this poll: from here on nobody hears of it what its kernel would not say.
    pub(crate) fn fence_network(&self, node: NodeId) {
        match self.with_node(node, |state| state.falls) {
            None => {}
            Some(Fall::Kill) => self.net(|net| net.process_gone(self, node)),
            Some(Fall::PowerOff) => self.net(|net| net.power_gone(self, node)),
        }
    }

    /// Fences, lets the kernel do its part, then drops the futures.
    pub(crate) fn fell(&self, node: NodeId, status: Status) {
        let (wakes, deaf, was_paused) = self.with_node(node, |state| {
            state.status = status;
            state.fenced = true;
            state.main_task = None;
            state.stopped = false;
            state.parked.clear();
            (state.on_fall.take_all(), state.on_asked.take_all(), std::mem::take(&mut state.paused))
        });
        drop(deaf);
        self.forget_pauses(node);
        if was_paused {
            self.paused.set(self.paused.get() - 1);
        }
        self.event(Kind::Node, u64::from(node.0), 2 + status as u64);
        self.tell(tracing::Level::INFO, || format!("{}: {status:?}", self.node_name(node)));
        self.disk_gone(node, status == Status::Off);
        match status {
            Status::Off => self.net(|net| net.power_gone(self, node)),
            Status::Idle | Status::Running | Status::Exited | Status::Killed => {
                self.net(|net| net.process_gone(self, node));
            }
        }
        self.drop_tasks(Some(node));
        for waker in wakes {
            waker.wake();
        }
    }

    /// Drops the futures of a node, or all, on its behalf.
    pub(crate) fn drop_tasks(&self, node: Option<NodeId>) {
        for (id, node, name) in self.tasks.of(node) {
            let Some(future) = self.tasks.abort(self, id) else { continue };
            let dropped = self.on_behalf(node, || catch_unwind(AssertUnwindSafe(|| drop(future))));
            if dropped.is_err() {
                self.panicked(node, name, panics::take());
            }
        }
    }

    /// Lets go of what the mains captured, which may be the world itself.
    pub(crate) fn forget_mains(&self) {
        let mains: Vec<_> = self.nodes.borrow_mut().iter_mut().map(|state| state.main.take()).collect();
        drop(mains);
    }

    /// A task panicked: the run fails. Not so in a process that a fault has felled before: there is no destructor
    /// after a SIGKILL, nor anybody who could panic.
    pub(crate) fn panicked(&self, node: NodeId, task: &str, panic: Panic) {
        let Panic { message, backtrace } = panic;
        if self.with_node(node, |state| matches!(state.status, Status::Killed | Status::Off)) {
            return self.tell(tracing::Level::DEBUG, || format!("{task} panics after the fall: {message}"));
        }
        let node = self.node_name(node).to_string();
        self.fail(Failure::Panic { node, task: task.to_owned(), at: self.elapsed(), message, backtrace });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_node_has_an_address_of_its_own() {
        let addresses: BTreeSet<_> = (0..NODES_MAX).map(|node| address(NodeId(node))).collect();
        assert_eq!(addresses.len(), usize::from(NODES_MAX));
        assert!(addresses.contains(&address(NodeId(NODES_MAX + 1))), "no more of them have");
    }
}
