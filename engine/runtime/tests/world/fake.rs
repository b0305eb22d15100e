//! The smallest world that can answer: polls everybody in turn, jumps to the next timer, knows one address.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use runtime::world::{Answer, BlockFile, Listener, Socket, Task, TaskKey, TimerKey, World};
use runtime::{Instant, KeepAlive, Wall};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;

/// What any blocking work takes here.
pub(crate) const BLOCKING: Duration = Duration::from_millis(3);

type Content = Arc<Mutex<Vec<u8>>>;
type Dialled = (Box<dyn Socket>, SocketAddr);

#[derive(Default)]
pub(crate) struct Fake {
    now: Cell<Instant>,
    keys: Cell<u64>,
    spawned: RefCell<Vec<&'static str>>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    timers: RefCell<BTreeMap<u64, Instant>>,
    listening: RefCell<BTreeMap<SocketAddr, mpsc::UnboundedSender<Dialled>>>,
    files: RefCell<BTreeMap<PathBuf, Content>>,
}

impl Fake {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self::default())
    }

    pub(crate) fn timers(&self) -> usize {
        self.timers.borrow().len()
    }

    pub(crate) fn deadlines(&self) -> Vec<Instant> {
        self.timers.borrow().values().copied().collect()
    }

    pub(crate) fn spawned(&self) -> Vec<&'static str> {
        self.spawned.borrow().clone()
    }

    /// Enters the thread and runs `future` to its end.
    pub(crate) fn run<T>(self: Rc<Self>, future: impl Future<Output = T>) -> T {
        let _entered = runtime::world::enter(self.clone());
        let mut future = std::pin::pin!(future);
        for _ in 0..1000 {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            self.round();
            let next = self.timers.borrow().values().min().copied();
            if let Some(next) = next {
                self.now.set(next.max(self.now.get()));
            }
        }
        panic!("no end in 1000 rounds");
    }

    /// Polls each task once.
    pub(crate) fn round(&self) {
        let keys: Vec<u64> = self.tasks.borrow().keys().copied().collect();
        for key in keys {
            let Some(mut task) = self.tasks.borrow_mut().remove(&key) else { continue };
            let context = &mut Context::from_waker(Waker::noop());
            let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context)));
            if matches!(polled, Ok(Poll::Pending)) {
                self.tasks.borrow_mut().insert(key, task);
            }
        }
    }

    fn key(&self) -> u64 {
        self.keys.set(self.keys.get() + 1);
        self.keys.get()
    }
}

impl World for Fake {
    fn now(&self) -> Instant {
        self.now.get()
    }
    fn wall(&self) -> Wall {
        Wall(self.now.get().as_nanos() / 1_000_000)
    }
    fn spawn(&self, name: &'static str, task: Task) -> TaskKey {
        self.spawned.borrow_mut().push(name);
        let key = self.key();
        self.tasks.borrow_mut().insert(key, task);
        TaskKey(key)
    }
    fn abort(&self, task: TaskKey) {
        let task = self.tasks.borrow_mut().remove(&task.0);
        drop(task.expect("only tasks that have not ended are aborted"));
    }
    fn poll_timer(&self, timer: &mut Option<TimerKey>, deadline: Instant, _: &mut Context<'_>) -> Poll<()> {
        let key = *timer.get_or_insert_with(|| TimerKey(self.key()));
        if deadline <= self.now.get() {
            self.timers.borrow_mut().remove(&key.0);
            return Poll::Ready(());
        }
        self.timers.borrow_mut().insert(key.0, deadline);
        Poll::Pending
    }
    fn reset_timer(&self, timer: TimerKey, deadline: Instant) {
        if let Some(waits) = self.timers.borrow_mut().get_mut(&timer.0) {
            *waits = deadline;
        }
    }
    fn cancel_timer(&self, timer: TimerKey) {
        self.timers.borrow_mut().remove(&timer.0);
    }
    fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let (dial, dialled) = mpsc::unbounded_channel();
        self.listening.borrow_mut().insert(address, dial);
        Ok(Box::new(FakeListener(address, Mutex::new(dialled))))
    }
    fn connect(&self, address: SocketAddr) -> Answer<io::Result<Box<dyn Socket>>> {
        let (ours, theirs) = tokio::io::duplex(1024);
        let (ours, theirs) = (FakeSocket(ours, address), FakeSocket(theirs, address));
        let dial = self.listening.borrow().get(&address).cloned();
        Box::pin(async move {
            let dial = dial.ok_or(io::ErrorKind::ConnectionRefused)?;
            dial.send((Box::new(theirs), address)).map_err(|_| io::ErrorKind::ConnectionRefused)?;
            Ok(Box::new(ours) as Box<dyn Socket>)
        })
    }
    fn resolve(&self, host: &str, port: u16) -> Answer<io::Result<Vec<SocketAddr>>> {
        let known = host == "engine";
        Box::pin(async move { Ok(known.then(|| ([10, 9, 9, 9], port).into()).into_iter().collect()) })
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn BlockFile>> {
        let content = Arc::clone(self.files.borrow_mut().entry(path.to_owned()).or_default());
        if Arc::strong_count(&content) > 2 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(FakeFile(content)))
    }
    fn exists(&self, path: &Path) -> bool {
        self.files.borrow().contains_key(path)
    }
    fn blocking(&self, work: &mut dyn FnMut()) -> Answer<()> {
        work();
        Box::pin(runtime::sleep(BLOCKING))
    }
    fn entropy(&self, stream: &str, out: &mut [u8]) {
        for (byte, name) in out.iter_mut().zip(stream.bytes().cycle()) {
            *byte = name;
        }
    }
    fn take_signals(&self) -> u64 {
        3 // before anybody wanted to know
    }
    fn terminated(&self, heard: u64) -> Answer<u64> {
        // Twice at once, and once more an hour later.
        match heard {
            3 => Box::pin(std::future::ready(5)),
            5 => Box::pin(async {
                runtime::sleep(Duration::from_hours(1)).await;
                6
            }),
            6 => Box::pin(std::future::pending()),
            _ => unreachable!("the world was told otherwise: {heard}"),
        }
    }
}

struct FakeListener(SocketAddr, Mutex<mpsc::UnboundedReceiver<Dialled>>);

impl Listener for FakeListener {
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Socket>, SocketAddr)>> {
        let mut dialled = self.1.lock().expect("one thread");
        dialled.poll_recv(context).map(|dialled| dialled.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0)
    }
}

struct FakeSocket(DuplexStream, SocketAddr);

impl Socket for FakeSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.1)
    }
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.1)
    }
    fn set_linger(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn set_user_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn set_keep_alive(&self, _: Option<KeepAlive>) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for FakeSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, out)
    }
}

impl AsyncWrite for FakeSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, data)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[derive(Debug)]
struct FakeFile(Content);

impl BlockFile for FakeFile {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.0.lock().expect("one thread").len()).expect("small"))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).expect("small");
        let content = self.0.lock().expect("one thread");
        out.copy_from_slice(content.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).expect("small");
        let mut content = self.0.lock().expect("one thread");
        let end = content.len().max(start + data.len());
        content.resize(end, 0);
        content[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().expect("one thread").resize(usize::try_from(len).expect("small"), 0);
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
