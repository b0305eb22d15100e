//! Timers of nodes: set by a clock that may change its rate, and fired late where that was injected.

use std::task::{Context, Poll};
use std::time::Duration;

use runtime::Instant;

use crate::agenda::DueKey;
use crate::core::{Core, Due};
use crate::decide::StreamId;
use crate::digest::Kind;
use crate::effects::Effect;
use crate::node::NodeId;
use crate::options::Ratio;

/// Timers fire later than their deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    odds: Ratio,
    /// By at most so many microseconds; above zero.
    most: u64,
    stream: StreamId,
}

impl Core {
    /// Lets timers that a node starts from here on be late.
    pub(crate) fn delay_timers(&self, node: NodeId, odds: Ratio, most: Duration) {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX - 1);
        let late = (odds.num > 0 && most > 0).then(|| Late {
            odds,
            most,
            stream: self.stream(&format!("timer/{}", self.node_name(node))),
        });
        self.with_node(node, |state| state.clock.late = late);
    }

    /// The virtual time at which a node's clock shows `instant`, and whether its timers can be late.
    #[inline]
    fn due_of(&self, node: NodeId, instant: Instant) -> (u64, bool) {
        let clock = &self.nodes.borrow()[node.index()].clock;
        (clock.reaches(instant.as_nanos().saturating_sub(clock.uptime)), clock.late.is_some())
    }

    /// By how much a timer that is set is late, in nanoseconds (`timer/NODE`: whether, and how many microseconds).
    #[cold]
    fn lateness(&self, node: NodeId) -> u64 {
        let Some(late) = self.with_node(node, |state| state.clock.late) else { return 0 };
        if !self.chance(late.stream, late.odds) {
            return 0;
        }
        (self.draw(late.stream, late.most) + 1).saturating_mul(1000)
    }

    /// Polls a timer of a node's process.
    pub(crate) fn poll_timer(
        &self,
        timer: &mut Option<DueKey>,
        deadline: Instant,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let (node, now) = (self.current_node(), self.now.get());
        let (at, late) = self.due_of(node, deadline);
        if late
            && let Some(due) = *timer
            && let Some(at) = self.fires_at(due)
            && at > now
        {
            // It fires when it fires, whoever looks before.
            self.keep_timer(Some(due), at, context.waker());
            return Poll::Pending;
        }
        if now >= at {
            if let Some(due) = timer.take() {
                let removed = self.agenda.borrow_mut().remove(due);
                if matches!(removed, Some(Due::Timer { late: true, .. })) && now > at {
                    self.felt(Effect::LateTimer);
                }
            }
            return Poll::Ready(());
        }
        let by = if late { self.lateness(node) } else { 0 };
        let due = self.keep_timer(*timer, at.saturating_add(by), context.waker());
        if late {
            self.mark_late(due, by > 0);
        }
        *timer = Some(due);
        Poll::Pending
    }

    /// Moves a timer of a node's process to another deadline.
    pub(crate) fn reset_timer(&self, timer: DueKey, deadline: Instant) {
        let node = self.current_node();
        let (at, late) = self.due_of(node, deadline);
        let by = if late { self.lateness(node) } else { 0 };
        self.reschedule(timer, at.saturating_add(by));
        self.mark_late(timer, by > 0);
    }

    /// Says of a timer that runs whether it fires later than its deadline by injection: that is felt when it does.
    fn mark_late(&self, timer: DueKey, is_late: bool) {
        if let Some((_, Due::Timer { late, .. })) = self.agenda.borrow_mut().get_mut(timer) {
            *late = is_late;
        }
    }

    fn fires_at(&self, due: DueKey) -> Option<u64> {
        self.agenda.borrow_mut().get_mut(due).map(|(at, _)| at)
    }

    /// A node's clock runs otherwise from here on: whoever waits for it asks again.
    pub(super) fn wake_timers(&self, node: NodeId) {
        let keys: Vec<DueKey> = {
            let agenda = self.agenda.borrow();
            let of_node =
                agenda.iter().filter(|(_, due)| matches!(due, Due::Timer { node: of, .. } if *of == node));
            of_node.map(|(key, _)| key).collect()
        };
        for key in keys {
            let due = self.agenda.borrow_mut().remove(key);
            if let Some(Due::Timer { waker, .. }) = due {
                self.event(Kind::Timer, key.to_word(), 1);
                waker.wake();
            }
        }
    }
}
