//! One party of a script: what it shares with the other one, its stream, and what it observes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Barrier, mpsc, oneshot};

/// Long enough for whatever is on its way to arrive, in every world.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);

/// What one party observed, in its order.
pub(crate) type Observed = Vec<String>;

/// What a script may ask to be done to the network between its parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pull {
    /// Whatever is sent is lost, both ways, and nobody is told.
    Cut,
    /// The network is whole again.
    Heal,
}

/// An order, and whom to tell that it was followed.
pub(crate) type Order = (Pull, oneshot::Sender<()>);

/// What a party has beside its socket: a place to meet the other one without a byte, a journal, and the cable.
#[derive(Clone)]
pub(crate) struct Stage {
    meeting: Arc<Barrier>,
    cable: mpsc::UnboundedSender<Order>,
    journal: Arc<Mutex<Observed>>,
}

impl Stage {
    /// One for each of two parties, and the orders they give.
    pub(crate) fn pair() -> ([Self; 2], mpsc::UnboundedReceiver<Order>) {
        let (cable, orders) = mpsc::unbounded_channel();
        let meeting = Arc::new(Barrier::new(2));
        let stage = || Self { meeting: Arc::clone(&meeting), cable: cable.clone(), journal: Arc::default() };
        ([stage(), stage()], orders)
    }

    /// Waits until both parties are here.
    pub(crate) async fn meet(&self) {
        self.meeting.wait().await;
    }

    /// Cuts or heals the network, and waits until that is so.
    pub(crate) async fn pull(&self, pull: Pull) {
        let (done, followed) = oneshot::channel();
        self.cable.send((pull, done)).expect("the world follows orders as long as parties run");
        followed.await.expect("the world follows orders");
    }

    /// Writes down what was observed.
    pub(crate) fn observe(&self, what: impl Into<String>) {
        self.journal.lock().expect("no party panics here").push(what.into());
    }

    /// What was observed so far.
    pub(crate) fn observed(&self) -> Observed {
        self.journal.lock().expect("no party panics here").clone()
    }

    /// Accepts one connection.
    pub(crate) async fn accept(&self, listener: &TcpListener) -> Party {
        let (stream, _) = listener.accept().await.expect("the client connects");
        self.party(stream)
    }

    /// Connects.
    pub(crate) async fn connect(&self, address: SocketAddr) -> Party {
        self.party(TcpStream::connect(address).await.expect("the server listens"))
    }

    /// Accepts another connection, and passes a byte each way over it: what was before has left the host well.
    pub(crate) async fn serve_another(&self, listener: &TcpListener) {
        let mut party = self.accept(listener).await;
        party.read(1).await;
        party.write(b"b").await;
        party.close();
    }

    /// The other party of [`serve_another`](Self::serve_another).
    pub(crate) async fn try_another(&self, address: SocketAddr) {
        if let Some(mut party) = self.attempt(address).await {
            party.write(b"a").await;
            party.read_to_end().await;
            party.close();
        }
    }

    /// Tries to connect, and observes how that went.
    pub(crate) async fn attempt(&self, address: SocketAddr) -> Option<Party> {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                self.observe("connected");
                Some(self.party(stream))
            }
            Err(error) => {
                self.observe(format!("connect: {:?}", error.kind()));
                None
            }
        }
    }

    fn party(&self, stream: TcpStream) -> Party {
        Party { stream, stage: self.clone() }
    }
}

/// Lets everything that is on its way arrive.
pub(crate) async fn settle() {
    runtime::sleep(SETTLE).await;
}

/// A party with its stream.
pub(crate) struct Party {
    pub(crate) stream: TcpStream,
    stage: Stage,
}

/// The byte at a place of the pattern that all scripts send; its period is prime, so shifted bytes are noticed.
pub(crate) fn pattern(at: usize) -> u8 {
    u8::try_from(at % 251).expect("below 256")
}

/// The first `len` bytes of the pattern.
pub(crate) fn patterned(len: usize) -> Vec<u8> {
    (0..len).map(pattern).collect()
}

impl Party {
    pub(crate) fn observe(&self, what: impl Into<String>) {
        self.stage.observe(what);
    }

    /// Writes all of `data`.
    pub(crate) async fn write(&mut self, data: &[u8]) {
        let written = self.stream.write_all(data).await;
        self.observe(match written {
            Ok(()) => format!("wrote {} bytes", data.len()),
            Err(error) => format!("write: {:?}", error.kind()),
        });
    }

    /// Reads exactly `len` bytes.
    pub(crate) async fn read(&mut self, len: usize) {
        let mut data = vec![0; len];
        let read = self.stream.read_exact(&mut data).await;
        self.observe(match read {
            Ok(_) => format!("read {}", shown(&data)),
            Err(error) => format!("read: {:?}", error.kind()),
        });
    }

    /// Reads to the end or to an error: the bytes in a row, and which of the two.
    pub(crate) async fn read_to_end(&mut self) {
        let mut data = Vec::new();
        let end = end_of(self.stream.read_to_end(&mut data).await);
        self.observe(format!("read {}, then {end}", shown(&data)));
    }

    /// The same, where how much arrives before the end is left open.
    pub(crate) async fn read_some_to_the_end(&mut self) {
        let mut data = Vec::new();
        let end = end_of(self.stream.read_to_end(&mut data).await);
        let what = if data.is_empty() { "nothing" } else { "something" };
        self.observe(format!("read {what}, then {end}"));
    }

    /// Closes the sending half.
    pub(crate) async fn shutdown(&mut self) {
        let closed = self.stream.shutdown().await;
        self.observe(match closed {
            Ok(()) => "closed its sending half".to_owned(),
            Err(error) => format!("shutdown: {:?}", error.kind()),
        });
    }

    /// Makes the drop of its stream send RST.
    pub(crate) fn linger_not(&self) {
        self.linger(Duration::ZERO);
    }

    /// Asks for that much time to deliver what is unsent when its stream is dropped.
    pub(crate) fn linger(&self, span: Duration) {
        self.stream.set_linger(Some(span)).expect("set");
    }

    /// Asks whose peer it is.
    pub(crate) fn ask_for_its_peer(&self) {
        let peer = self.stream.peer_addr();
        self.observe(match peer {
            Ok(_) => "has a peer".to_owned(),
            Err(error) => format!("peer: {:?}", error.kind()),
        });
    }

    /// Drops the stream.
    pub(crate) fn close(self) {
        let Self { stream, stage } = self;
        drop(stream);
        stage.observe("dropped its stream");
    }
}

/// How a stream ended.
pub(crate) fn end_of<T>(end: std::io::Result<T>) -> String {
    match end {
        Ok(_) => "end".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// Bytes as an observation: short ones whole, long ones as their number, if they follow the pattern.
pub(crate) fn shown(data: &[u8]) -> String {
    if data.len() <= 64 {
        return format!("\"{}\"", data.escape_ascii());
    }
    match data.iter().enumerate().find(|(at, byte)| **byte != pattern(*at)) {
        None => format!("{} bytes of the pattern", data.len()),
        Some((at, _)) => format!("{} bytes that leave the pattern at {at}", data.len()),
    }
}
