//! The face a world shows: everything `runtime` asks of whoever answers instead of tokio.
//!
//! A world enters a thread ([`enter`]); from then on every call of this crate made on that thread goes to it. It is
//! not a runtime of its own: it has no API that an inhabitant could call, only these answers. Every answer is given
//! for the node whose task is being polled.
//!
//! What is not here: how a world decides anything (`sim`), and the tokio answers (the modules beside this one).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Instant, KeepAlive, Wall};

/// A spawned task, as a world holds it.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A boxed answer that takes time.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A task's name inside its world; never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey(pub u64);

/// A timer's name inside its world; never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey(pub u64);

/// What a world answers. All calls come from the thread it entered.
pub trait World {
    /// The calling node's monotonic clock.
    fn now(&self) -> Instant;
    /// The calling node's wall clock.
    fn wall(&self) -> Wall;
    /// Starts `task` on the calling node. It ends with the node. `name` is for traces and reports.
    fn spawn(&self, name: &'static str, task: Task) -> TaskKey;
    /// Drops a task that has not ended. Ended or unknown tasks are left alone.
    fn abort(&self, task: TaskKey);
    /// Polls a timer: `None` in `timer` starts one for `deadline` and stores its key; `Ready` when the node's clock
    /// has reached `deadline`. The waker of the last poll is the one woken.
    fn poll_timer(
        &self,
        timer: &mut Option<TimerKey>,
        deadline: Instant,
        context: &mut Context<'_>,
    ) -> Poll<()>;
    /// Moves a timer that runs to another deadline, where the waker of its last poll is woken. Ended or unknown timers
    /// are left alone.
    fn reset_timer(&self, timer: TimerKey, deadline: Instant);
    /// Forgets a timer: it costs no time and wakes nobody. Ended or unknown timers are left alone.
    fn cancel_timer(&self, timer: TimerKey);
    /// Listens on `address` of the calling node. Port 0 takes a free one.
    fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>>;
    /// Connects from the calling node.
    fn connect(&self, address: SocketAddr) -> Answer<io::Result<Box<dyn Socket>>>;
    /// Resolves a host name, as `getaddrinfo` would.
    fn resolve(&self, host: &str, port: u16) -> Answer<io::Result<Vec<SocketAddr>>>;
    /// Opens (creates if missing) a file of the calling node's disk and locks it for this process:
    /// [`io::ErrorKind::WouldBlock`] if somebody holds it.
    fn open(&self, path: &Path) -> io::Result<Box<dyn BlockFile>>;
    /// Whether the calling node's disk has a file of that name.
    fn exists(&self, path: &Path) -> bool;
    /// Runs `work`, which may use files, at once, and answers with the wait for the modelled time of what it did.
    /// What it synced is durable when that wait ends, not before. If the node falls inside `work`, its files refuse
    /// every further operation and the wait never ends.
    fn blocking(&self, work: &mut dyn FnMut()) -> Answer<()>;
    /// Fills `out` from the calling node's stream of that name.
    fn entropy(&self, stream: &str, out: &mut [u8]);
    /// Takes over the calling node's signals: from here on, requests to stop gracefully (SIGTERM, Ctrl-C) do not end
    /// its process by themselves. Answers with how many there were since its boot.
    fn take_signals(&self) -> u64;
    /// Ends when there were more than `heard` requests since the boot, at once if there were, and answers with how many.
    fn terminated(&self, heard: u64) -> Answer<u64>;
}

/// A listening socket of a world. Dropping it closes it.
pub trait Listener: Send + Sync {
    /// Takes the next established connection. One waiter at a time.
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Socket>, SocketAddr)>>;
    /// The bound address, with the port that port 0 became.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

/// A connected byte stream of a world. `poll_shutdown` closes the sending half only; dropping it closes both, with
/// FIN, or with RST if data is unread or linger is zero.
pub trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {
    /// This end's address.
    fn local_addr(&self) -> io::Result<SocketAddr>;
    /// The other end's address.
    fn peer_addr(&self) -> io::Result<SocketAddr>;
    /// `SO_LINGER`: zero makes the drop send RST; `None` is the kernel's default.
    fn set_linger(&self, linger: Option<Duration>) -> io::Result<()>;
    /// `TCP_USER_TIMEOUT`; `None` is the kernel's default.
    fn set_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
    /// `SO_KEEPALIVE`, with terms that were checked; `None` turns it off.
    fn set_keep_alive(&self, terms: Option<KeepAlive>) -> io::Result<()>;
}

/// A file of a world's disk, used only inside [`World::blocking`]. Dropping it releases its lock.
pub trait BlockFile: Send + Sync + std::fmt::Debug {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file holds nothing.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Fills `out` from `offset`, or fails: no short reads.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Writes all of `data` at `offset`. Not durable before a sync.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;
    /// Cuts or zero-extends.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes everything written so far durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
}

thread_local! {
    static WORLD: RefCell<Option<Rc<dyn World>>> = const { RefCell::new(None) };
    /// Whether there is one: what production reads. Without a destructor it costs one load.
    static ENTERED: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, its world answers on this thread.
#[must_use = "the world leaves the thread when this is dropped"]
pub struct Entered {
    before: Option<Rc<dyn World>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        // The world that leaves is dropped after the borrow ends: what it owns may ask for the current world as it goes.
        ENTERED.set(self.before.is_some());
        let leaving = WORLD.with(|world| world.replace(self.before.take()));
        drop(leaving);
    }
}

/// Lets `world` answer every call of this crate made on this thread, until the guard is dropped.
pub fn enter(world: Rc<dyn World>) -> Entered {
    let before = WORLD.with(|current| current.borrow_mut().replace(world));
    ENTERED.set(true);
    Entered { before }
}

/// The world that has entered this thread, if any.
#[must_use]
#[inline]
pub fn current() -> Option<Rc<dyn World>> {
    if ENTERED.get() { entered() } else { None }
}

#[cold]
fn entered() -> Option<Rc<dyn World>> {
    // A thread that is being torn down has no world any more.
    WORLD.try_with(|world| world.borrow().clone()).unwrap_or(None)
}

/// The world of this thread, for something that was made by one.
///
/// # Panics
/// If no world has entered this thread: `thing` left its world, which no answer could repair.
pub(crate) fn home_of(thing: &str) -> Rc<dyn World> {
    match current() {
        Some(world) => world,
        None => panic!(
            "a {thing} of a simulated world was touched on thread {:?}, which no world has entered",
            std::thread::current().name().unwrap_or("unnamed")
        ),
    }
}
