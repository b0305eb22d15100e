//! The answers to `runtime`, out of madsim's context.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, UNIX_EPOCH};

use madsim::net::{TcpListener, TcpStream};
use madsim::rand::RngCore;
use madsim::task::NodeId;
use runtime::world::{Answer, BlockFile, Listener, Socket, Task, TaskKey, TimerKey, World};
use runtime::{Instant, Wall};

use super::file::File;
use super::shared::{self, Shared};
use super::socket::{Listening, Stream};
use super::watched::watch;

/// What any piece of work on files takes: madsim's shortest sleep.
const WORK: Duration = Duration::from_millis(1);

/// madsim lets a process that binds a socket sleep for its shortest time, once per address.
const BIND: Duration = Duration::from_millis(1);

/// What enters the thread.
pub(super) struct Ground(pub(super) Rc<Shared>);

/// Forgets a task when it is over, however it ended.
struct Over(u64);

impl Drop for Over {
    fn drop(&mut self) {
        let _unless_the_run_is_over = shared::try_with(|shared| shared.take_task(self.0));
    }
}

/// Watches a task of a node, which the run keeps by that key until it is over.
pub(super) fn kept<F: Future>(
    key: u64,
    node: NodeId,
    name: &'static str,
    future: F,
) -> impl Future<Output = F::Output> {
    let (over, watched) = (Over(key), watch(node, name, future));
    async move {
        let value = watched.await;
        drop(over); // last: a task is over once its destructors are
        value
    }
}

impl Ground {
    /// How far a deadline is from here.
    fn ahead(&self, deadline: Instant) -> Duration {
        deadline.saturating_since(self.now())
    }
}

impl World for Ground {
    fn now(&self) -> Instant {
        let nanos = self.0.time.elapsed().as_nanos();
        Instant::from_nanos(u64::try_from(nanos).expect("a run is shorter than 584 years"))
    }

    fn wall(&self) -> Wall {
        let since = self.0.time.now_time().duration_since(UNIX_EPOCH);
        let millis = since.expect("madsim's clock begins after 1970").as_millis();
        Wall(u64::try_from(millis).expect("a run is shorter than 584 million years"))
    }

    fn spawn(&self, name: &'static str, task: Task) -> TaskKey {
        let key = self.0.key();
        if self.0.is_closed() {
            return TaskKey(key); // the run is over, and the task with it
        }
        let task = kept(key, madsim::plugin::node(), name, task);
        let task = madsim::task::Builder::new().name(name).spawn(task);
        self.0.keep_task(key, task.abort_handle());
        TaskKey(key)
    }

    fn abort(&self, task: TaskKey) {
        if let Some(task) = self.0.take_task(task.0) {
            task.abort();
        }
    }

    fn poll_timer(
        &self,
        timer: &mut Option<TimerKey>,
        deadline: Instant,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if self.now() >= deadline {
            if let Some(timer) = timer.take() {
                self.cancel_timer(timer);
            }
            return Poll::Ready(());
        }
        let key = timer.get_or_insert_with(|| TimerKey(self.0.key()));
        self.0.alarms.keep(key.0, deadline.as_nanos(), self.ahead(deadline), context.waker());
        Poll::Pending
    }

    fn reset_timer(&self, timer: TimerKey, deadline: Instant) {
        self.0.alarms.reset(timer.0, deadline.as_nanos(), self.ahead(deadline));
    }

    fn cancel_timer(&self, timer: TimerKey) {
        self.0.alarms.cancel(timer.0);
    }

    /// madsim's bind waits; a call that does not lets that time pass for everybody instead.
    fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let mut binding = pin!(TcpListener::bind(address));
        let context = &mut Context::from_waker(Waker::noop());
        let bound = loop {
            match binding.as_mut().poll(context) {
                Poll::Ready(bound) => break bound?,
                Poll::Pending => self.0.time.advance(BIND),
            }
        };
        Ok(Box::new(Listening::new(bound)?))
    }

    fn connect(&self, address: SocketAddr) -> Answer<io::Result<Box<dyn Socket>>> {
        Box::pin(async move {
            let stream = Stream::connected(TcpStream::connect(address).await?)?;
            Ok(Box::new(stream) as Box<dyn Socket>)
        })
    }

    fn resolve(&self, host: &str, port: u16) -> Answer<io::Result<Vec<SocketAddr>>> {
        let host = host.trim_matches(['[', ']']).to_owned();
        if let Some(addresses) = self.0.aliased(&host) {
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
            return Box::pin(std::future::ready(Ok(addresses)));
        }
        Box::pin(async move { Ok(madsim::net::lookup_host((host.as_str(), port)).await?.collect()) })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn BlockFile>> {
        let node = madsim::plugin::node();
        let process = self.0.with_node(node, |state| {
            state.files.open(path)?;
            io::Result::Ok(state.process)
        })?;
        Ok(Box::new(File { node, process, path: path.to_owned() }))
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.with_node(madsim::plugin::node(), |state| state.files.exists(path))
    }

    fn blocking(&self, work: &mut dyn FnMut()) -> Answer<()> {
        work();
        Box::pin(runtime::sleep(WORK))
    }

    /// The stream's name means nothing: madsim has one generator.
    fn entropy(&self, _stream: &str, out: &mut [u8]) {
        madsim::rand::thread_rng().fill_bytes(out);
    }

    fn take_signals(&self) -> u64 {
        let node = madsim::plugin::node();
        self.0.with_node(node, |state| {
            state.listens = true;
            state.requests.asked.load(Ordering::Relaxed)
        })
    }

    fn terminated(&self, heard: u64) -> Answer<u64> {
        let requests = self.0.with_node(madsim::plugin::node(), |state| Arc::clone(&state.requests));
        Box::pin(async move {
            loop {
                let bell = requests.bell.notified(); // before the look, so that none falls in between
                let asked = requests.asked.load(Ordering::Relaxed);
                if asked > heard {
                    return asked;
                }
                bell.await;
            }
        })
    }
}
