//! The event stream that holds a serverless instance open: what is written into it, when it ends and why.
//!
//! A request for `/start` is one stream and one runner ([`super::Runner`]). The stream's first bytes go out at once, so
//! that proxies pass the head on; then the runner's id as soon as it has one, and a ping each interval, so that nothing
//! on the way takes the stream for idle. It ends for exactly one recorded reason. Whenever it ends before its runner,
//! the runner is drained, which is bounded by itself; the stream never waits for it without bound.

use protocol::id::RunnerId;
use protocol::mark;
use protocol::time::{Mono, Now};
use protocol::view::Fact;

use super::{EndReason, Options};

/// One event stream's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    options: Options,
    phase: Phase,
    /// The runner it holds open.
    runner: Option<RunnerId>,
    /// Whether that was written, or is being written.
    told: bool,
    /// A write is under way; it has failed if it takes until then.
    writing: Option<Mono>,
    next_ping: Mono,
    pings: u64,
    /// It is open no longer than until then; none before its first step.
    until: Option<Mono>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Open,
    /// The process ends: open until the runner has drained, at most until then.
    Finishing {
        by: Mono,
    },
    Ended,
}

/// One input of a stream's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamInput {
    /// Time has passed, nothing else. The first one, at once, writes the first bytes.
    Tick,
    /// The runner has this id ([`super::Effect::Ready`]).
    Ready(RunnerId),
    /// The runner has ended ([`super::Effect::Ended`]).
    RunnerEnded(EndReason),
    /// The runner has had no session for too long ([`super::Effect::Lost`]).
    Disconnected,
    /// What was to be written is in the hands of the kernel.
    Written,
    /// It could not be written.
    WriteFailed,
    /// The engine closed the stream.
    PeerClosed,
    /// The process was asked to end.
    Shutdown,
}

/// One effect of a stream's step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StreamEffect {
    /// Write the event that names the runner; `Written` or `WriteFailed` follows. One write at a time.
    WriteInit(RunnerId),
    /// Write a ping; `Written` or `WriteFailed` follows. One write at a time.
    WritePing,
    /// End the response body; the last write may be cut off. Nothing but `DrainRunner` and a fact follows.
    End {
        /// Why.
        reason: StreamEnd,
        /// Write first that the runner has stopped: no write is under way.
        farewell: bool,
    },
    /// Send [`super::Input::Drain`] to the runner.
    DrainRunner,
    /// Something a law wants to know.
    Fact(Fact),
}

/// Why an event stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamEnd {
    /// Its runner has ended.
    Stopped,
    /// The engine closed it.
    ClientClosed,
    /// A write failed, or took too long.
    WriteError,
    /// The process ends.
    Shutdown,
    /// It was open for as long as any may be: an engine ends its streams earlier.
    Lifetime,
    /// Its runner had no session for the lost threshold, or a new id: the engine has given up the runner that this
    /// stream holds open.
    Disconnected,
}

impl StreamEnd {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::ClientClosed => "client_closed",
            Self::WriteError => "write_error",
            Self::Shutdown => "shutdown",
            Self::Lifetime => "lifetime",
            Self::Disconnected => "disconnected",
        }
    }
}

impl Stream {
    /// A stream of which nothing is written: send a [`StreamInput::Tick`] at once.
    pub const fn new(options: Options) -> Self {
        Self {
            options,
            phase: Phase::Open,
            runner: None,
            told: false,
            writing: None,
            next_ping: Mono::ZERO,
            pings: 0,
            until: None,
        }
    }

    /// One step. Effects are appended to `out` in the order they must be performed. After its end a stream takes
    /// everything and does nothing.
    pub fn handle(&mut self, now: Now, input: StreamInput, out: &mut Vec<StreamEffect>) {
        if self.phase == Phase::Ended {
            return;
        }
        self.until.get_or_insert(now.mono + self.options.stream_lifetime);
        match input {
            StreamInput::Tick => {}
            StreamInput::Ready(runner) => self.ready(runner, out),
            StreamInput::RunnerEnded(_) => self.end(StreamEnd::Stopped, false, out),
            StreamInput::Disconnected => self.end(StreamEnd::Disconnected, true, out),
            StreamInput::Written => self.writing = None,
            StreamInput::WriteFailed => self.end(StreamEnd::WriteError, true, out),
            StreamInput::PeerClosed => self.end(StreamEnd::ClientClosed, true, out),
            StreamInput::Shutdown => self.shutdown(now, out),
        }
        self.expire(now, out);
        self.write(now, out);
    }

    fn ready(&mut self, runner: RunnerId, out: &mut Vec<StreamEffect>) {
        match self.runner {
            None => self.runner = Some(runner),
            Some(known) if known == runner => {}
            Some(_) => {
                mark!("stream_runner_replaced");
                self.end(StreamEnd::Disconnected, true, out);
            }
        }
    }

    fn shutdown(&mut self, now: Now, out: &mut Vec<StreamEffect>) {
        if self.phase == Phase::Open {
            self.phase = Phase::Finishing { by: now.mono + self.options.stream_final_wait };
            out.push(StreamEffect::DrainRunner);
        }
    }

    /// Ends the stream. While the process ends, that is the reason, whatever comes of it.
    fn end(&mut self, reason: StreamEnd, drain: bool, out: &mut Vec<StreamEffect>) {
        let (reason, drain) = match self.phase {
            Phase::Open => (reason, drain),
            Phase::Finishing { .. } => (StreamEnd::Shutdown, false),
            Phase::Ended => return,
        };
        self.phase = Phase::Ended;
        let farewell = reason == StreamEnd::Stopped && self.writing.is_none();
        self.writing = None;
        out.push(StreamEffect::End { reason, farewell });
        if drain {
            out.push(StreamEffect::DrainRunner);
        }
        out.push(StreamEffect::Fact(Fact::EventStreamEnded { runner: self.runner, reason: reason.name() }));
    }

    fn expire(&mut self, now: Now, out: &mut Vec<StreamEffect>) {
        if self.writing.is_some_and(|by| by <= now.mono) {
            mark!("stream_write_timeout");
            self.end(StreamEnd::WriteError, true, out);
        }
        if self.until.is_some_and(|until| until <= now.mono) {
            mark!("stream_lifetime_over");
            self.end(StreamEnd::Lifetime, true, out);
        }
        if matches!(self.phase, Phase::Finishing { by } if by <= now.mono) {
            mark!("stream_final_wait_over");
            self.end(StreamEnd::Shutdown, false, out);
        }
    }

    /// Writes what is due, one thing at a time. While a write is under way no ping piles up: the next is counted from
    /// the one that was late.
    fn write(&mut self, now: Now, out: &mut Vec<StreamEffect>) {
        if self.phase == Phase::Ended || self.writing.is_some() {
            return;
        }
        let by = now.mono + self.options.stream_write_timeout;
        match self.runner {
            Some(runner) if !self.told && self.pings > 0 => {
                self.told = true;
                self.writing = Some(by);
                out.push(StreamEffect::WriteInit(runner));
            }
            Some(_) | None => {
                if self.next_ping <= now.mono {
                    self.next_ping = now.mono + self.options.stream_ping;
                    self.pings += 1;
                    self.writing = Some(by);
                    out.push(StreamEffect::WritePing);
                }
            }
        }
    }

    /// When to send [`StreamInput::Tick`] at the latest, and what is due then.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let phase = match self.phase {
            Phase::Ended => return None,
            Phase::Open => None,
            Phase::Finishing { by } => Some((by, "final wait")),
        };
        let write = self.writing.map_or((self.next_ping, "ping"), |by| (by, "write"));
        let until = self.until.map(|until| (until, "lifetime"));
        phase.into_iter().chain(until).chain([write]).min()
    }

    /// Walks the whole state.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        assert!(self.runner.is_some() || !self.told, "only a known runner is named");
        assert!(!self.told || self.pings > 0, "the first bytes are a ping");
        if self.phase == Phase::Ended {
            assert!(self.writing.is_none() && self.next_deadline().is_none(), "nothing is due after the end");
        }
    }

    /// Pings begun.
    pub const fn pings(&self) -> u64 {
        self.pings
    }

    /// Whether it has ended.
    pub fn ended(&self) -> bool {
        self.phase == Phase::Ended
    }
}
