//! The world's answers to `runtime`: what inhabitants stand on.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use runtime::world::{Answer, BlockFile, Listener, Socket, Task, TaskKey, TimerKey, World};
use runtime::{Instant, Wall};

use crate::agenda::DueKey;
use crate::core::{self, Core};
use crate::net::socket::{Connecting, SimListener};
use crate::node::NodeId;
use crate::registry::WorldId;
use crate::task::Until;
use crate::tasks::TaskId;

/// What enters the thread.
pub(crate) struct Ground(pub(crate) Rc<Core>);

impl World for Ground {
    fn now(&self) -> Instant {
        self.0.mono(self.0.current_node())
    }

    fn wall(&self) -> Wall {
        self.0.wall(self.0.current_node())
    }

    fn spawn(&self, name: &'static str, task: Task) -> TaskKey {
        let id = self.0.spawn_on(self.0.current_node(), name, task);
        TaskKey(id.map_or(u64::MAX, TaskId::to_word))
    }

    fn abort(&self, task: TaskKey) {
        self.0.abort(TaskId::from_word(task.0));
    }

    fn poll_timer(
        &self,
        timer: &mut Option<TimerKey>,
        deadline: Instant,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let mut due = timer.map(|timer| DueKey::from_word(timer.0));
        let polled = self.0.poll_timer(&mut due, deadline, context);
        *timer = due.map(|due| TimerKey(due.to_word()));
        polled
    }

    fn reset_timer(&self, timer: TimerKey, deadline: Instant) {
        self.0.reset_timer(DueKey::from_word(timer.0), deadline);
    }

    fn cancel_timer(&self, timer: TimerKey) {
        self.0.unschedule(DueKey::from_word(timer.0));
    }

    fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let node = self.0.current_node();
        if self.0.with_node(node, |state| state.fenced) {
            return Err(io::ErrorKind::NetworkDown.into());
        }
        let (address, serial) = self.0.net(|net| net.listen(&self.0, node, address))?;
        self.0.has_booted(node);
        Ok(Box::new(SimListener { world: self.0.id, node, address, serial }))
    }

    fn connect(&self, address: SocketAddr) -> Answer<io::Result<Box<dyn Socket>>> {
        let node = self.0.current_node();
        Box::pin(Connecting { world: self.0.id, node, to: address, key: None })
    }

    fn resolve(&self, host: &str, port: u16) -> Answer<io::Result<Vec<SocketAddr>>> {
        let found = self.0.net.borrow().paths.resolve(self.0.current_node(), host);
        let found = found.map(|ips| ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect());
        let wait = Until::after(&self.0, self.0.options.net.resolve);
        Box::pin(async move {
            wait.await;
            found
        })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn BlockFile>> {
        let file = self.0.open_file(path)?;
        Ok(Box::new(file))
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.file_exists(path)
    }

    fn blocking(&self, work: &mut dyn FnMut()) -> Answer<()> {
        Box::pin(self.0.blocking(work))
    }

    fn entropy(&self, stream: &str, out: &mut [u8]) {
        let node = self.0.current_node();
        let known = self.0.with_node(node, |state| state.entropy.get(stream).copied());
        let id = known.unwrap_or_else(|| {
            let id = self.0.stream(&format!("entropy/{}/{stream}", self.0.node_name(node)));
            self.0.with_node(node, |state| state.entropy.insert(stream.to_owned(), id));
            id
        });
        self.0.fill(id, out);
    }

    fn take_signals(&self) -> u64 {
        self.0.with_node(self.0.current_node(), |state| {
            state.takes_signals = true;
            state.asked
        })
    }

    fn terminated(&self, heard: u64) -> Answer<u64> {
        Box::pin(Terminated { world: self.0.id, node: self.0.current_node(), heard, waits: None })
    }
}

/// Until the node has been asked to stop more often than was heard.
struct Terminated {
    world: WorldId,
    node: NodeId,
    heard: u64,
    waits: Option<u64>,
}

impl Future for Terminated {
    type Output = u64;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        let this = &mut *self;
        core::with(this.world, |core| {
            let (asked, old) = core.with_node(this.node, |state| {
                let waits = state.asked <= this.heard;
                (state.asked, waits.then(|| state.on_asked.wait(&mut this.waits, context.waker())))
            });
            if old.is_some() { Poll::Pending } else { Poll::Ready(asked) }
        })
    }
}

impl Drop for Terminated {
    fn drop(&mut self) {
        if let Some(number) = self.waits
            && core::is_here(self.world)
        {
            core::with(self.world, |core| {
                drop(core.with_node(self.node, |state| state.on_asked.leave(number)));
            });
        }
    }
}
