//! One party of a script: its stream, and what it observes of it.

use std::time::Duration;

use runtime::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Long enough for whatever is on its way to arrive, in every world.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);

/// What one party observed, in its order.
pub(crate) type Observed = Vec<String>;

/// A party with its stream.
pub(crate) struct Party {
    pub(crate) stream: TcpStream,
    pub(crate) observed: Observed,
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
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, observed: Vec::new() }
    }

    pub(crate) fn observe(&mut self, what: impl Into<String>) {
        self.observed.push(what.into());
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
        let end = match self.stream.read_to_end(&mut data).await {
            Ok(_) => "end".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        self.observe(format!("read {}, then {end}", shown(&data)));
    }

    /// Closes the sending half.
    pub(crate) async fn shutdown(&mut self) {
        let closed = self.stream.shutdown().await;
        self.observe(match closed {
            Ok(()) => "closed its sending half".to_owned(),
            Err(error) => format!("shutdown: {:?}", error.kind()),
        });
    }

    /// Asks whose peer it is.
    pub(crate) fn ask_for_its_peer(&mut self) {
        let peer = self.stream.peer_addr();
        self.observe(match peer {
            Ok(_) => "has a peer".to_owned(),
            Err(error) => format!("peer: {:?}", error.kind()),
        });
    }

    /// Drops the stream.
    pub(crate) fn close(self) -> Observed {
        let mut observed = self.observed;
        observed.push("dropped its stream".to_owned());
        observed
    }
}

/// Bytes as an observation: short ones whole, long ones as their number, if they follow the pattern.
fn shown(data: &[u8]) -> String {
    if data.len() <= 64 {
        return format!("\"{}\"", data.escape_ascii());
    }
    match data.iter().enumerate().find(|(at, byte)| **byte != pattern(*at)) {
        None => format!("{} bytes of the pattern", data.len()),
        Some((at, _)) => format!("{} bytes that leave the pattern at {at}", data.len()),
    }
}
