//! One direction of a proxied connection: a bounded buffer between a reader and a writer.

use std::pin::Pin;
use std::task::{Context, Poll};

use runtime::{Sleep, TcpStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::effects::Effect;
use crate::middlebox::Hold;
use crate::middlebox::felt::felt;

/// So many bytes are kept between reader and writer, or as many as are to be held back, and at most so many are read at
/// once: HAProxy's `tune.bufsize`.
const BUFFER_BYTES: usize = 16_384;

/// Why both ways end at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A socket failed: whoever is on the other side of the box learns it as a reset.
    Socket,
    /// More bytes were to pass than may.
    Carried,
}

/// One direction.
pub(super) struct Flow {
    buffer: Vec<u8>,
    most: usize,
    hold: Option<Hold>,
    /// Bytes of the buffer that are not held back, or no more.
    released: usize,
    /// The others are, until a timer if there is one.
    holds: bool,
    timer: Option<Pin<Box<Sleep>>>,
    /// Bytes that may still pass.
    carry: Option<u64>,
    /// The reader's end has come.
    ended: bool,
    /// The reader's socket has failed, behind what is in the buffer.
    failed: bool,
    /// The writer was told so.
    shut: bool,
}

impl Flow {
    pub(super) fn new(hold: Option<Hold>, carry: Option<u64>) -> Self {
        let most = hold.map_or(BUFFER_BYTES, |hold| hold.bytes.max(BUFFER_BYTES));
        Self {
            buffer: Vec::new(),
            most,
            hold,
            released: 0,
            holds: false,
            timer: None,
            carry,
            ended: false,
            failed: false,
            shut: false,
        }
    }

    /// Whether all that came has passed, and its end too.
    pub(super) const fn is_over(&self) -> bool {
        self.shut
    }

    /// Carries what it can; answers with whether anything moved.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        from: &mut TcpStream,
        to: &mut TcpStream,
    ) -> Result<bool, Broken> {
        let mut moved = false;
        loop {
            let more = self.take(context, from) | self.pass(context, to)?;
            if !more {
                return Ok(moved);
            }
            moved = true;
        }
    }

    /// Reads until the buffer is full or nothing comes. An error waits until what came before it has passed.
    fn take(&mut self, context: &mut Context<'_>, from: &mut TcpStream) -> bool {
        let mut moved = false;
        while !self.ended && !self.failed && self.buffer.len() < self.most {
            let had = self.buffer.len();
            self.buffer.resize(self.most.min(had + BUFFER_BYTES), 0);
            let mut room = ReadBuf::new(&mut self.buffer[had..]);
            let read = Pin::new(&mut *from).poll_read(context, &mut room);
            let got = room.filled().len();
            self.buffer.truncate(had + got);
            match read {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => (self.failed, moved) = (true, true),
                Poll::Ready(Ok(())) => {
                    self.ended = got == 0;
                    moved = true;
                }
            }
        }
        moved
    }

    /// Writes what is not held back, then the end.
    fn pass(&mut self, context: &mut Context<'_>, to: &mut TcpStream) -> Result<bool, Broken> {
        let mut moved = false;
        while !self.buffer.is_empty() {
            let most = match (self.release(context), self.carry) {
                (0, _) => break,
                (_, Some(0)) => return Err(Broken::Carried),
                (most, carry) => carry.map_or(most, |left| most.min(usize::try_from(left).unwrap_or(most))),
            };
            match Pin::new(&mut *to).poll_write(context, &self.buffer[..most]) {
                Poll::Pending => return Ok(moved),
                Poll::Ready(Err(_)) => return Err(Broken::Socket),
                Poll::Ready(Ok(count)) => {
                    self.buffer.drain(..count);
                    self.released -= count;
                    self.carry = self.carry.map(|left| left - count as u64);
                    moved = true;
                }
            }
        }
        if self.failed && self.buffer.is_empty() {
            return Err(Broken::Socket);
        }
        if self.ended && self.buffer.is_empty() && !self.shut {
            match Pin::new(to).poll_shutdown(context) {
                Poll::Pending => {}
                Poll::Ready(Err(_)) => return Err(Broken::Socket),
                Poll::Ready(Ok(())) => (self.shut, moved) = (true, true),
            }
        }
        Ok(moved)
    }

    /// How many bytes of the buffer, which is not empty, may pass.
    fn release(&mut self, context: &mut Context<'_>) -> usize {
        let all = self.buffer.len();
        let is_enough = self.hold.is_none_or(|hold| self.ended || self.failed || all >= hold.bytes);
        if !is_enough && self.released > 0 {
            return self.released;
        }
        if !is_enough && !self.holds {
            felt(Effect::HeldBack);
            self.holds = true;
            let time = self.hold.and_then(|hold| hold.time);
            self.timer = time.map(|time| Box::pin(runtime::sleep(time)));
        }
        let mut is_late = || self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(context).is_ready());
        if is_enough || is_late() {
            (self.released, self.holds, self.timer) = (all, false, None);
        }
        self.released
    }
}
