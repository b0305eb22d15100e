//! Nodes of a world on madsim: booted, killed, paused and restarted by it.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use madsim::runtime::Handle;
use madsim::task::{Builder, JoinHandle, NodeId};
use tokio::sync::Notify;

use super::file::Files;
use super::ground::kept;
use super::shared::{self, Shared};
use super::watched::watch;
use crate::census::Census;

/// Makes the main future of each boot.
type Main = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>>;

/// Requests to stop, of one process.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) asked: AtomicU64,
    pub(super) bell: Notify,
}

/// What this crate keeps of a node.
pub(super) struct NodeState {
    name: Rc<str>,
    ip: IpAddr,
    /// Its process runs.
    runs: bool,
    /// Which process: what is left of a former one is refused.
    pub(super) process: u64,
    main: Option<Main>,
    pub(super) files: Files,
    pub(super) requests: Arc<Requests>,
    /// Its process wants to hear of requests to stop; others die of them.
    pub(super) listens: bool,
    paused: bool,
    /// Its tasks, by name.
    pub(super) tasks: BTreeMap<&'static str, usize>,
    /// Streams and listeners that are held.
    pub(super) streams: usize,
    pub(super) listeners: usize,
    ended: Rc<Notify>,
}

impl NodeState {
    pub(super) fn new(name: &str, ip: IpAddr, runs: bool) -> Self {
        Self {
            name: name.into(),
            ip,
            runs,
            process: 0,
            main: None,
            files: Files::default(),
            requests: Arc::default(),
            listens: false,
            paused: false,
            tasks: BTreeMap::new(),
            streams: 0,
            listeners: 0,
            ended: Rc::default(),
        }
    }

    pub(super) const fn ip(&self) -> IpAddr {
        self.ip
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it has, but for timers.
    pub(super) fn census(&self) -> Census {
        let tasks = self.tasks.iter().filter(|(_, count)| **count > 0);
        Census {
            tasks: tasks.map(|(name, count)| (*name, *count)).collect(),
            listeners: self.listeners,
            sockets: self.streams,
            files: self.files.held(),
            ..Census::default()
        }
    }

    /// What its process holds refuses from here on.
    pub(super) fn fence(&mut self) {
        self.process += 1;
        self.files.unlock();
    }
}

/// What madsim starts a node with: the main of its latest boot. It is made by the thread's run, so it need not be `Send`.
/// madsim calls this as soon as the node is made, too; until the first boot there is nothing to run.
pub(super) fn begin(name: &str) -> impl Fn() -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync + 'static {
    let name = name.to_owned();
    move || Box::pin(live(name.clone()))
}

async fn live(name: String) {
    let booted = shared::try_with(|shared| {
        let id = shared.find(&name)?;
        let (process, main) = shared.with_node(id, |state| (state.process, state.main.clone()));
        Some((id, process, main?))
    });
    let Some((id, process, main)) = booted.flatten() else { return pending().await };
    watch(id, "main", main()).await;
    // A main may have ended its own process, and begun the next one.
    shared::try_with(|shared| shared.fall_if(id, process)).expect("the run lasts as long as its nodes");
}

impl Shared {
    /// A node's process ends: its files and streams refuse from here on, madsim drops its tasks and sockets.
    fn fall(&self, id: NodeId) {
        self.fall_if(id, self.with_node(id, |state| state.process));
    }

    /// The same, if it is that process which runs.
    fn fall_if(&self, id: NodeId, process: u64) {
        let ended = self.with_node(id, |state| {
            let falls = state.process == process && std::mem::replace(&mut state.runs, false);
            falls.then(|| {
                state.fence();
                state.paused = false;
                Rc::clone(&state.ended)
            })
        });
        if let Some(ended) = ended {
            let handle = Handle::current();
            handle.resume(id); // or what waits would be dropped here and at once, on behalf of whoever fells
            handle.kill(id);
            ended.notify_waiters();
        }
    }

    fn boot(&self, id: NodeId, main: Option<Main>) {
        let old = self.with_node(id, |state| {
            assert!(!state.runs, "{} is booted while its process runs", state.name);
            state.runs = true;
            state.listens = false;
            state.requests = Arc::default();
            main.and_then(|main| state.main.replace(main))
        });
        drop(old);
        let handle = Handle::current();
        handle.kill(id); // a restart alone leaves the sockets that a process had when it ended
        handle.restart(id);
    }
}

/// A host with a process on it. Clones are the same node.
#[derive(Clone)]
pub struct Node {
    pub(super) shared: Rc<Shared>,
    pub(super) id: NodeId,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Node({}, running: {})", self.name(), self.is_running())
    }
}

impl Node {
    /// Its name, which also resolves to its address.
    #[must_use]
    pub fn name(&self) -> Rc<str> {
        self.shared.with_node(self.id, |state| Rc::clone(&state.name))
    }

    /// Its address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.shared.with_node(self.id, |state| state.ip)
    }

    /// Whether its process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.with_node(self.id, |state| state.runs)
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
        self.shared.boot(self.id, Some(Rc::new(move || Box::pin(main()))));
    }

    /// Starts its process again, with the main of the last boot.
    ///
    /// # Panics
    /// If the process runs, or never did.
    pub fn restart(&self) {
        let booted = self.shared.with_node(self.id, |state| state.main.is_some());
        assert!(booted, "{} is restarted after it was booted once", self.name());
        self.shared.boot(self.id, None);
    }

    /// Kills its process: peers see the end of their streams at once, the disk keeps what was written. One that does
    /// not run is left alone.
    pub fn kill(&self) {
        self.shared.fall(self.id);
    }

    /// Stops its process from running (madsim's pause): what reaches it waits.
    pub fn pause(&self) {
        if self.shared.with_node(self.id, |state| state.runs && !std::mem::replace(&mut state.paused, true)) {
            Handle::current().pause(self.id);
        }
    }

    /// Lets its process go on; what has become ready meanwhile runs at once.
    pub fn resume(&self) {
        if self.shared.with_node(self.id, |state| std::mem::replace(&mut state.paused, false)) {
            Handle::current().resume(self.id);
        }
    }

    /// Asks its process to stop (SIGTERM). What it does then is its own decision, if it has taken over its signals
    /// ([`runtime::signals`]); else it dies.
    pub fn ask_to_stop(&self) {
        let listens = |state: &mut NodeState| state.listens.then(|| Arc::clone(&state.requests));
        match self.shared.with_node(self.id, listens) {
            Some(requests) => {
                requests.asked.fetch_add(1, Ordering::Relaxed);
                requests.bell.notify_waiters();
            }
            None => self.kill(),
        }
    }

    /// Asks its process to stop, and kills it after `grace`. `true`: it ended before.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.ask_to_stop();
        let ended = runtime::timeout(grace, self.ended()).await.is_ok();
        if !ended {
            self.kill();
        }
        ended
    }

    /// Ends when its process does, in whichever way; at once if none runs.
    pub async fn ended(&self) {
        let bell = self.shared.with_node(self.id, |state| state.runs.then(|| Rc::clone(&state.ended)));
        if let Some(bell) = bell {
            bell.notified().await;
        }
    }

    /// Starts a task in its process.
    ///
    /// # Panics
    /// If no process runs.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        assert!(self.is_running(), "{name} is started on {}, where no process runs", self.name());
        let node = Handle::current().get_node(self.id).expect("madsim made it");
        // Without its type: madsim's executor is compiled once, and not once for each.
        let future: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(future);
        Task(node.spawn(watch(self.id, name, future)))
    }
}

/// A task started by a script. Awaiting it gives its value, or `None` if its node fell; dropping it lets the task run
/// on.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<T>);

impl<T: 'static> Task<T> {
    /// On the node of the script, which is the caller's.
    pub(super) fn here(
        shared: &Shared,
        name: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> Self {
        let here = madsim::plugin::node();
        assert!(shared.script() == here, "{name} is started by the script, not by another node");
        let key = shared.key();
        // Without its type: madsim's executor is compiled once, and not once for each.
        let future: Pin<Box<dyn Future<Output = T>>> = Box::pin(future);
        let task = Builder::new().name(name).spawn_local(kept(key, here, name, future));
        shared.keep_task(key, task.abort_handle());
        Self(task)
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll(context).map(Result::ok)
    }
}
