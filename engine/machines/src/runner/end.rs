//! How a runner ends: drained, lost for a while, stopped.

use protocol::mark;
use protocol::time::{Mono, Now};

use super::link::Link;
use super::{Effect, EndReason, Message, Runner};

/// How far a runner's life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Life {
    /// Has not begun.
    Fresh,
    /// Hosts actors.
    Live,
    /// Wants to end: the engine moves its actors away.
    Draining {
        /// Then it stops them itself.
        stop_by: Mono,
        /// Then it cuts them off.
        cut_by: Mono,
        /// Whether it has begun to stop them itself.
        stopping: bool,
    },
    /// Has hung up and cut everything off; some ends have not been seen.
    Ending { reason: EndReason },
    /// Is over.
    Ended,
}

impl Runner {
    pub(super) fn drain(&mut self, now: Now, out: &mut Vec<Effect>) {
        match self.life {
            Life::Fresh => self.end(EndReason::Drained, out),
            Life::Live => {
                let stop_by = now.mono + self.drain_grace;
                let max = self.options.drain_max.map(|max| (now.mono + max).max(stop_by));
                let cut_by = max.unwrap_or(stop_by + self.drain_grace);
                self.life = Life::Draining { stop_by, cut_by, stopping: false };
                if let Some(conn) = self.link.open() {
                    self.send(conn, Message::Stopping, out);
                }
            }
            Life::Draining { .. } | Life::Ending { .. } | Life::Ended => {}
        }
    }

    /// The engine's stops did not come in time: does without them. Without instances the wait was for
    /// acknowledgements only, and is over.
    pub(super) fn drain_alone(&mut self, out: &mut Vec<Effect>) {
        let Life::Draining { stop_by, cut_by, .. } = self.life else {
            unreachable!("only a drain has a grace")
        };
        if self.instances.is_empty() {
            mark!("runner_drain_unacknowledged");
            self.end(EndReason::Drained, out);
            return;
        }
        mark!("runner_drain_alone");
        self.life = Life::Draining { stop_by, cut_by, stopping: true };
        let actors: Vec<_> = self.instances.keys().copied().collect();
        for actor in actors {
            self.retire(actor, out);
        }
    }

    /// The drain's time is over.
    pub(super) fn drain_over(&mut self, out: &mut Vec<Effect>) {
        if self.instances.is_empty() {
            mark!("runner_drain_unacknowledged_late");
            self.end(EndReason::Drained, out);
        } else {
            mark!("runner_drain_timeout");
            self.end(EndReason::DrainTimeout, out);
        }
    }

    /// Disconnected for too long: the engine counts its actors as lost, so they end. Their ends are kept, as failures,
    /// for an engine that comes back and does not.
    pub(super) fn lose(&mut self, out: &mut Vec<Effect>) {
        mark!("runner_lost");
        self.lost_by = None;
        self.cut_all(out);
        out.push(Effect::Lost);
    }

    /// Cuts everything off and hangs up. The engine hears nothing of those ends: to it the runner is gone, which is no
    /// crash of its actors.
    pub(super) fn end(&mut self, reason: EndReason, out: &mut Vec<Effect>) {
        if self.is_ending() {
            return;
        }
        self.life = Life::Ending { reason };
        self.disown_all(out);
        match self.link {
            Link::Dialling { conn, .. } | Link::Greeting { conn, .. } | Link::Open { conn, .. } => {
                out.push(Effect::Hangup { conn, shutdown: true });
            }
            Link::Idle | Link::Waiting { .. } | Link::Closing { .. } => {}
        }
        self.link = Link::Idle;
        self.lost_by = None;
    }

    /// The engine does not count on this runner any more: its instances have no rights, nobody wants to hear of them.
    pub(super) fn disown_all(&mut self, out: &mut Vec<Effect>) {
        let actors: Vec<_> = self.instances.keys().copied().collect();
        for actor in actors {
            self.disown(actor, out);
        }
        out.extend(self.responses.drain(..).map(|(_, _, body)| Effect::Drop { body }));
        self.histories.clear();
        self.events = 0;
    }

    /// Ends what has come to its end by this step.
    pub(super) fn settle(&mut self, out: &mut Vec<Effect>) {
        if self.events > self.options.events_max && !self.is_ending() {
            mark!("runner_events_overflow");
            self.end(EndReason::Overflow, out);
        }
        if matches!(self.life, Life::Draining { .. }) && self.instances.is_empty() && self.events == 0 {
            self.end(EndReason::Drained, out);
        }
        if let Life::Ending { reason } = self.life
            && self.instances.is_empty()
        {
            self.life = Life::Ended;
            out.push(Effect::Ended { reason });
        }
    }
}
