//! What is due, and when.

use protocol::mark;
use protocol::time::{Mono, Now};

use super::end::Life;
use super::link::Link;
use super::{Effect, Runner};

impl Runner {
    /// When to send [`super::Input::Tick`] at the latest, and what is due then.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let link = match self.link {
            Link::Idle => None,
            Link::Waiting { until } => Some((until, "redial")),
            Link::Dialling { by, .. } => Some((by, "dial")),
            Link::Greeting { by, .. } => Some((by, "init")),
            Link::Open { ping_by, .. } => Some((ping_by, "ping")),
            Link::Closing { by, .. } => Some((by, "close")),
        };
        let life = match self.life {
            Life::Draining { stop_by, stopping: false, .. } => Some((stop_by, "drain grace")),
            Life::Draining { cut_by, stopping: true, .. } => Some((cut_by, "drain end")),
            Life::Fresh | Life::Live | Life::Ending { .. } | Life::Ended => None,
        };
        let lost = self.lost_by.map(|at| (at, "lost threshold"));
        let kv = self.kv_due.first().map(|(at, _)| (*at, "kv"));
        let alarm = self.alarms_due.first().map(|(at, ..)| (*at, "alarm"));
        [link, life, lost, kv, alarm].into_iter().flatten().min()
    }

    /// Does what is due. First what ends something, so that nothing is begun in vain.
    pub(super) fn expire(&mut self, now: Now, out: &mut Vec<Effect>) {
        while let Some(id) = self.kv_due.first().filter(|(at, _)| *at <= now.mono).map(|(_, id)| *id) {
            mark!("runner_kv_timeout");
            self.fail_kv(id, out);
        }
        self.expire_alarms(now, out);
        if self.lost_by.is_some_and(|at| at <= now.mono) {
            self.lose(out);
        }
        if let Life::Draining { stop_by, cut_by, stopping } = self.life {
            if !stopping && stop_by <= now.mono {
                self.drain_alone(out);
            } else if stopping && cut_by <= now.mono {
                self.drain_over(out);
            }
        }
        match self.link {
            Link::Waiting { until } if until <= now.mono => self.dial(now, out),
            Link::Dialling { by, .. } if by <= now.mono => {
                mark!("runner_dial_timeout");
                self.give_up(now, out);
            }
            Link::Greeting { by, .. } if by <= now.mono => {
                mark!("runner_init_timeout");
                self.give_up(now, out);
            }
            Link::Open { ping_by, .. } if ping_by <= now.mono => {
                mark!("runner_ping_timeout");
                self.give_up(now, out);
            }
            Link::Closing { by, .. } if by <= now.mono => {
                // A peer that is not there does not close: goes on without it, after the longest wait for want of a
                // random number.
                mark!("runner_close_timeout");
                self.wait(now, u64::MAX);
            }
            Link::Idle
            | Link::Waiting { .. }
            | Link::Dialling { .. }
            | Link::Greeting { .. }
            | Link::Open { .. }
            | Link::Closing { .. } => {}
        }
    }
}
