//! Reading and writing: a bounded send buffer, partial reads and writes, errors in the order Linux gives them.
//!
//! The order is that of `tcp_recvmsg` and `tcp_sendmsg`: unread bytes first, then end of file if the peer closed, then
//! the pending error (once), then end of file; a write takes the pending error (once), then `EPIPE`.

use std::io;
use std::task::{Poll, Waker};

use tokio::io::ReadBuf;

use crate::core::Core;
use crate::decide::StreamId;
use crate::digest::Kind;
use crate::net::conn::{Life, Side};
use crate::net::window::is_worth_telling;
use crate::net::{ConnKey, Fabric};
use crate::options::Ratio;

impl Fabric {
    pub(crate) fn read(
        &mut self,
        core: &Core,
        key: ConnKey,
        side: Side,
        out: &mut ReadBuf<'_>,
        waker: &Waker,
    ) -> Poll<io::Result<()>> {
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let Some(conn) = self.conns.get_mut(key) else { return Poll::Ready(Ok(())) };
        let end = conn.end(side);
        let is_dead = end.life == Life::Dead;
        let (eof, error) = (end.eof, end.error);
        let word = conn.word(side.other());
        let way = conn.way(side.other());
        let unread = way.unread();
        if unread == 0 {
            let end = conn.end(side);
            return match (eof, error, is_dead) {
                (true, ..) | (false, None, true) => Poll::Ready(Ok(())),
                (false, Some(error), _) => {
                    end.error = None;
                    Poll::Ready(Err(error.into()))
                }
                (false, None, false) => {
                    if let Some(old) = wait(&mut end.reader, waker) {
                        self.old.push(old);
                    }
                    Poll::Pending
                }
            };
        }
        let most = unread.min(out.remaining() as u64);
        let count = part(core, self.options.partial, most, &way.label, "read", &mut way.read_stream) as usize;
        way.take(count, out);
        core.event(Kind::Read, word, way.read);
        if is_worth_telling(way, self.options.window) {
            self.tell_window(core, key, side.other());
        }
        Poll::Ready(Ok(()))
    }

    pub(crate) fn write(
        &mut self,
        core: &Core,
        key: ConnKey,
        side: Side,
        bytes: &[u8],
        waker: &Waker,
    ) -> Poll<io::Result<usize>> {
        let Some(conn) = self.conns.get_mut(key) else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let severed = conn.severed;
        let end = conn.end(side);
        if let Some(error) = end.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        if end.life != Life::Live || end.shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if severed {
            self.answered_from_between(core, key, side);
            return Poll::Ready(Ok(bytes.len()));
        }
        let room = conn.room(side, self.options.send_buffer, bytes.len(), core.now.get());
        if room == 0 {
            if let Some(old) = wait(&mut conn.end(side).writer, waker) {
                self.old.push(old);
            }
            self.buffer_is_full(core, key, side);
            return Poll::Pending;
        }
        let way = conn.way(side);
        let most = room.min(bytes.len() as u64);
        let count =
            part(core, self.options.partial, most, &way.label, "write", &mut way.write_stream) as usize;
        let bytes = &bytes[..count];
        let at = way.written;
        let tally = way.put(bytes);
        core.event(Kind::Write, conn.word(side), tally);
        conn.remember(side, bytes);
        if conn.watch.is_some() {
            self.tapped(key, side, at, bytes);
        }
        self.push(core, key, side);
        Poll::Ready(Ok(count))
    }
}

/// Keeps the waker of the last poll. The one before it, if it was another one, is to be dropped outside of the borrow.
#[inline]
pub(crate) fn wait(place: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    match place {
        Some(held) if held.will_wake(waker) => None,
        Some(_) | None => place.replace(waker.clone()),
    }
}

/// How many bytes of those possible: usually all, by decision fewer.
#[inline]
fn part(core: &Core, odds: Ratio, most: u64, label: &str, what: &str, stream: &mut Option<StreamId>) -> u64 {
    if odds.num == 0 || most == 1 {
        return most;
    }
    drawn_part(core, odds, most, label, what, stream)
}

/// Decides it. Not inlined, so that a call that decides nothing carries nothing of it.
#[inline(never)]
fn drawn_part(
    core: &Core,
    odds: Ratio,
    most: u64,
    label: &str,
    what: &str,
    stream: &mut Option<StreamId>,
) -> u64 {
    let stream = *stream.get_or_insert_with(|| core.stream(&format!("partial/{what}/{label}")));
    if !core.chance_quietly(stream, odds) {
        return most;
    }
    1 + core.draw_or(stream, most, most - 1)
}
