//! Reading and writing: a bounded window, partial reads and writes, errors in the order Linux gives them.
//!
//! The order is that of `tcp_recvmsg` and `tcp_sendmsg`: unread bytes first, then end of file if the peer closed, then
//! the pending error (once), then end of file; a write takes the pending error (once), then `EPIPE`.

use std::io;
use std::task::{Poll, Waker};

use tokio::io::ReadBuf;

use crate::core::{Core, Due};
use crate::decide::StreamId;
use crate::digest::{Arrival, Kind};
use crate::net::conn::{Carries, Life, Side, Way};
use crate::net::path::travel;
use crate::net::{ConnKey, Fabric, NetDue};
use crate::options::Ratio;

/// The reader tells the writer about room when so much of the window became free (as kernels do, to avoid silly
/// windows), or when the writer waits.
const TELL_FRACTION: u64 = 4;

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
                    self.old.extend(wait(&mut end.reader, waker));
                    Poll::Pending
                }
            };
        }
        let most = unread.min(out.remaining() as u64);
        let count = part(core, self.options.partial, most, &way.label, "read", &mut way.read_stream) as usize;
        take(way, count, out);
        core.event(Kind::Read, word, way.read);
        way.check();
        let fresh = way.read - way.told;
        let much = fresh >= u64::from(self.options.window) / TELL_FRACTION;
        if much || conn.ends[side.other() as usize].writer.is_some() {
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
            // Whoever closed it in between knows it no more: the answer is RST, there and back.
            let way = conn.way(side);
            let after = travel(core, way) * 2;
            core.schedule(after, Due::Net(NetDue::Reset(key, side)));
            return Poll::Ready(Ok(bytes.len()));
        }
        let way = conn.way(side);
        let room = u64::from(self.options.window) - (way.sent - way.known);
        if room == 0 {
            let untold = way.read > way.told;
            self.old.extend(wait(&mut conn.end(side).writer, waker));
            if untold {
                self.tell_window(core, key, side);
            }
            self.begin_probing(core, key, side);
            return Poll::Pending;
        }
        let most = room.min(bytes.len() as u64);
        let count =
            part(core, self.options.partial, most, &way.label, "write", &mut way.write_stream) as usize;
        let bytes = &bytes[..count];
        way.buffer.extend(bytes);
        way.sent += count as u64;
        way.sent_tally.feed(bytes);
        let (sent, tally) = (way.sent, way.sent_tally.value());
        core.event(Kind::Write, conn.word(side), tally);
        conn.remember(side, bytes);
        if conn.watch.is_some() {
            self.tapped(key, side, sent - count as u64, bytes);
        }
        self.send(core, key, side, Carries::Data(sent));
        Poll::Ready(Ok(count))
    }

    /// The reader of that direction tells its writer how far it has read.
    pub(crate) fn tell_window(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let passes = self.paths.passes(conn, side.other());
        let way = conn.way(side);
        way.told = way.read;
        if !passes {
            way.untold = true;
            return;
        }
        let read = way.read;
        let after = travel(core, conn.way(side.other()));
        core.schedule(after, Due::Net(NetDue::Window(key, side, read)));
    }

    pub(crate) fn window_arrives(&mut self, core: &Core, key: ConnKey, side: Side, read: u64) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let reaches = self.paths.reaches(conn, side.other());
        let word = conn.word(side);
        let way = conn.way(side);
        if !reaches {
            way.untold = true;
            return;
        }
        core.event(Kind::Deliver, word, Arrival::Window.word(read));
        way.known = way.known.max(read);
        self.wakes.extend(conn.end(side).writer.take());
        self.end_probing(core, key, side);
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

#[inline]
fn take(way: &mut Way, count: usize, out: &mut ReadBuf<'_>) {
    let (first, second) = way.buffer.as_slices();
    let from_first = count.min(first.len());
    for piece in [&first[..from_first], &second[..count - from_first]] {
        out.put_slice(piece);
        way.read_tally.feed(piece);
    }
    way.buffer.drain(..count);
    way.read += count as u64;
}

/// How many bytes of those possible: usually all, by decision fewer.
#[inline]
fn part(core: &Core, odds: Ratio, most: u64, label: &str, what: &str, stream: &mut Option<StreamId>) -> u64 {
    if odds.num == 0 || most == 1 {
        return most;
    }
    let stream = *stream.get_or_insert_with(|| core.stream(&format!("partial/{what}/{label}")));
    if core.draw_quietly(stream, u64::from(odds.den)) >= u64::from(odds.num) {
        return most;
    }
    1 + core.draw(stream, most)
}
