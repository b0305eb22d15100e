//! A node, as a script holds it: its life. Its `disk` and its `clocks` are broken in files of their own.

mod clocks;
mod disk;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::core::Core;
use crate::node::{Fall, NodeId, Status};
use crate::task::{self, Task};
use crate::tasks::Local;

/// A host with a process on it, its own clocks, address and disk. Clones are the same node.
///
/// The node `script`, on which the script runs, always runs: to boot, fell, pause or stop it panics.
#[derive(Clone)]
pub struct Node {
    pub(crate) core: Rc<Core>,
    pub(crate) id: NodeId,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Node({}, {:?})", self.name(), self.status())
    }
}

/// Until a node's process ends.
struct Ended<'a> {
    node: &'a Node,
    waits: Option<u64>,
}

impl Future for Ended<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { node, waits } = &mut *self;
        let old = node.core.with_node(node.id, |state| {
            let runs = state.status == Status::Running;
            runs.then(|| state.on_fall.wait(waits, context.waker()))
        });
        if old.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.waits {
            drop(self.node.core.with_node(self.node.id, |state| state.on_fall.leave(number)));
        }
    }
}

impl Node {
    /// Its number, for what may not be done to the script's node.
    fn guest(&self) -> NodeId {
        assert!(self.id != NodeId::SCRIPT, "the script's node is not booted, felled, paused or stopped");
        self.id
    }

    /// Something is done to it.
    fn fault(&self, what: impl FnOnce() -> String) {
        self.core.fault(|| format!("{}: {}", self.name(), what()));
    }

    /// Its name, which also resolves to its address.
    #[must_use]
    pub fn name(&self) -> Rc<str> {
        self.core.node_name(self.id)
    }

    /// Its address: 10.0.0.1 for the first node, and so on, 250 to a network.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        IpAddr::V4(self.core.net.borrow().paths.ip(self.id))
    }

    /// What became of its process.
    #[must_use]
    pub fn status(&self) -> Status {
        self.core.with_node(self.id, |state| state.status)
    }

    /// Whether its process runs (or is paused).
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status() == Status::Running
    }

    /// Starts its process. `main` makes the main future of this boot and of each [`restart`](Self::restart); when that
    /// future ends, so does the process.
    ///
    /// # Panics
    /// If the process runs.
    pub fn boot<F, Fut>(&self, main: F)
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        self.core.boot(self.guest(), Some(Rc::new(move || Box::pin(main()) as Local)));
    }

    /// Starts its process again, with the main of the last boot; power comes back with it.
    ///
    /// # Panics
    /// If the process runs, or never did.
    pub fn restart(&self) {
        self.core.boot(self.guest(), None);
    }

    /// Kills its process: peers get FIN or RST from the kernel, the disk keeps what was written. One that does not run
    /// is left alone.
    pub fn kill(&self) {
        self.core.fall(self.guest(), Fall::Kill);
    }

    /// Takes its power: peers are told nothing, the disk keeps what was synced.
    pub fn power_off(&self) {
        self.core.fall(self.guest(), Fall::PowerOff);
    }

    /// Fells it either way.
    pub fn fall(&self, how: Fall) {
        self.core.fall(self.guest(), how);
    }

    /// Stops its process from running (SIGSTOP). Its kernel goes on: segments arrive, timers run out.
    pub fn pause(&self) {
        self.core.set_paused(self.guest(), true);
    }

    /// Lets its process go on, unless a strike at a point holds it, too; what has become ready meanwhile runs at once.
    pub fn resume(&self) {
        self.core.set_paused(self.guest(), false);
    }

    /// Asks its process to stop (SIGTERM). What it does then is its own decision, if it has taken over its signals
    /// ([`runtime::signals`]); else it dies.
    pub fn ask_to_stop(&self) {
        self.core.ask_to_stop(self.guest());
    }

    /// Asks its process to stop, and kills it after `grace`. `true`: it ended before.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.ask_to_stop();
        let ended = task::within(&self.core, grace, self.ended()).await.is_some();
        if !ended {
            self.kill();
        }
        ended
    }

    /// Ends when its process does, in whichever way; at once if none runs.
    pub async fn ended(&self) {
        Ended { node: self, waits: None }.await;
    }

    /// Starts a task in its process.
    ///
    /// # Panics
    /// If no process runs.
    pub fn spawn<T: 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> Task<T> {
        Task::spawn(&self.core, self.id, name, future)
    }
}
