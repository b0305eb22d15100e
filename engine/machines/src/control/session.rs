//! Runner sockets: from their opening over the start barrier to their close.
//!
//! A session's first frame is its Init ([`super::init`]). The engine answers, pings, and sends no command before the
//! Pong to that ping: whatever the runner had to report from before comes first on its stream, so that a start whose
//! Running was under way is not sent again.

use protocol::error::CloseReason;
use protocol::id::{ConnId, NamespaceId, RunnerId, RunnerKey};
use protocol::mark;
use protocol::time::Wall;

use super::Control;
use super::effect::{Effect, Message};
use super::step::Step;
use super::timers::Due;

/// A runner socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Session {
    /// Of the runner that its Init will name.
    pub(super) key: RunnerKey,
    /// How far it is.
    pub(super) stage: Stage,
}

/// How far a runner socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Its Init must come.
    Fresh {
        /// Where its runner belongs.
        namespace: NamespaceId,
    },
    /// It is its runner's session.
    Open {
        /// The runner.
        runner: RunnerId,
        /// The ping that must be answered before commands are sent.
        barrier: Option<i64>,
        /// Whether its last Pong is too old for new actors.
        stale: bool,
    },
    /// The engine has closed it: what still comes is ignored.
    Closing,
}

impl Session {
    /// Whether commands may be sent.
    pub(super) const fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Open { barrier: None, .. })
    }

    /// Whether its runner may be given actors.
    pub(super) const fn is_eligible(&self) -> bool {
        matches!(self.stage, Stage::Open { barrier: None, stale: false, .. })
    }
}

impl Control {
    /// A socket was opened.
    pub(super) fn open(&mut self, step: &mut Step, conn: ConnId, namespace: &str, key: RunnerKey) {
        let refusal = if self.sessions.len() >= self.options.sockets_max {
            mark!("control.sockets_max");
            // The one reason that asks a runner to come back later.
            Some(CloseReason::GoingAway)
        } else {
            None
        };
        let stage = match (refusal, self.namespace_names.get(namespace)) {
            (None, Some(namespace)) => Ok(Stage::Fresh { namespace: *namespace }),
            (Some(reason), _) => Err(reason),
            (None, None) => Err(CloseReason::NamespaceNotFound),
        };
        let session = Session { key, stage: stage.unwrap_or(Stage::Closing) };
        let former = self.sessions.insert(conn, session);
        assert!(former.is_none(), "a socket's handle is not reused while it lives");
        match stage {
            Ok(_) => self.thresholds.set(Due::Init(conn), self.now.mono + self.options.init_timeout),
            Err(reason) => step.perform(Effect::Close { conn, reason }),
        }
    }

    /// The socket is gone.
    pub(super) fn closed(&mut self, step: &mut Step, conn: ConnId) {
        let Some(session) = self.sessions.get(&conn) else { return };
        if let Stage::Open { runner, .. } = session.stage {
            self.end_session(conn);
            self.disconnect(step, runner);
        }
        self.end_session(conn);
        self.sessions.remove(&conn);
    }

    /// Closes a socket for breaking the protocol; its runner has the grace to come back.
    pub(super) fn reject(&mut self, step: &mut Step, conn: ConnId, reason: CloseReason) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let stage = session.stage;
        match stage {
            Stage::Fresh { .. } => self.close(step, conn, reason),
            Stage::Open { runner, .. } => {
                self.close(step, conn, reason);
                self.disconnect(step, runner);
            }
            Stage::Closing => {}
        }
    }

    /// Closes a socket and takes its rights; its runner is not told anything else.
    pub(super) fn close(&mut self, step: &mut Step, conn: ConnId, reason: CloseReason) {
        self.end_session(conn);
        step.perform(Effect::Close { conn, reason });
    }

    fn end_session(&mut self, conn: ConnId) {
        for due in [Due::Init(conn), Due::Ping(conn), Due::Stale(conn), Due::Silent(conn)] {
            self.thresholds.clear(due);
        }
        self.sessions.get_mut(&conn).expect("an open socket has a session").stage = Stage::Closing;
    }

    /// Asks for a Pong; the next ping follows after the interval.
    pub(super) fn ping(&mut self, step: &mut Step, conn: ConnId) -> i64 {
        let ts = self.now.wall.to_wire();
        step.send(conn, Message::Ping { ts });
        self.thresholds.set(Due::Ping(conn), self.now.mono + self.options.ping_interval);
        ts
    }

    /// Counts silence from here.
    pub(super) fn heard(&mut self, conn: ConnId) {
        self.thresholds.set(Due::Stale(conn), self.now.mono + self.options.eligible_threshold);
        self.thresholds.set(Due::Silent(conn), self.now.mono + self.options.lost_threshold);
    }

    /// The answer to a ping.
    pub(super) fn pong(&mut self, step: &mut Step, conn: ConnId, id: RunnerId, ts: i64) {
        self.heard(conn);
        let now = self.now.wall;
        let runner = self.runner_mut(id);
        runner.ponged = Some(now);
        let asked = Wall::from_wire(ts);
        runner.rtt = u32::try_from(now.since(asked).as_millis()).unwrap_or(u32::MAX);
        let session = self.sessions.get_mut(&conn).expect("an open socket has a session");
        let Stage::Open { barrier, stale, .. } = &mut session.stage else {
            unreachable!("only an open session's frames are read");
        };
        let passes = *barrier == Some(ts);
        let changes = passes || *stale;
        *stale = false;
        if passes {
            *barrier = None;
            if !self.reading {
                self.resend(step, conn, id);
            }
        }
        if changes {
            self.rank_again(step, id);
        }
    }

    /// No Pong for too long to give it new actors.
    pub(super) fn go_stale(&mut self, step: &mut Step, conn: ConnId) {
        let session = self.sessions.get_mut(&conn).expect("a deadline's socket is open");
        if let Stage::Open { runner, stale, .. } = &mut session.stage {
            mark!("control.runner_stale");
            *stale = true;
            let runner = *runner;
            self.rank_again(step, runner);
        }
    }

    fn rank_again(&mut self, step: &mut Step, id: RunnerId) {
        self.rank(id);
        step.pools.insert(super::pool::PoolKey::of_runner(&self.runners[&id].record));
    }
}
