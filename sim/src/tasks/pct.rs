//! The schedule of probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized
//! Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010): the ready task of the highest priority runs;
//! priorities are drawn when tasks start, and at a few polls of the run (or at none) the one about to run falls behind
//! all others.
//!
//! A race that needs `depth` orderings is met with a probability of at least
//! `1 / (tasks · (polls + 1)^(depth - 1))`, however unlikely it is when every step is drawn. The paper's threads do not wait for each other in a loop; tasks that poll
//! until something happens would starve whom they wait for, so a moment that goes on for long is finished at random.

use std::collections::VecDeque;

use crate::core::Core;
use crate::node::NodeId;
use crate::options::Schedule;

/// After so many polls at one moment of virtual time, ready tasks are picked at random. Ours: a hundred times what the
/// busiest moment of a stack of a dozen nodes takes, and a hundredth of what counts as spinning.
const PATIENCE: u64 = 10_000;

/// Priorities that were drawn lie above this, those that were taken back below.
const DRAWN: u64 = 1 << 63;

/// Who runs before whom.
pub(super) struct Pct {
    /// By slot.
    priorities: Vec<u64>,
    /// When whoever is about to run gets which priority: the next change last.
    changes: Vec<(u64, u64)>,
    depth: u32,
    polls: u64,
    begun: bool,
}

impl Pct {
    /// Of a run with this schedule, if it is one.
    pub(super) const fn of(schedule: Schedule) -> Option<Self> {
        match schedule {
            Schedule::Random | Schedule::Fifo => None,
            Schedule::Pct { depth, polls } => {
                Some(Self { priorities: Vec::new(), changes: Vec::new(), depth, polls, begun: false })
            }
        }
    }

    /// A task has started in this slot. Its priority hangs on its name and node, not on who else there is.
    pub(super) fn start(&mut self, core: &Core, slot: u32, node: NodeId, name: &str) {
        let stream = core.stream(&format!("pct/{}/{name}", core.node_name(node)));
        let slot = slot as usize;
        if self.priorities.len() <= slot {
            self.priorities.resize(slot + 1, 0);
        }
        // Where they are calm all are the same, and of equals the first comes first.
        self.priorities[slot] = core.draw(stream, DRAWN) | DRAWN;
    }

    /// Takes the task to be polled next out of the ready ones; there is one.
    pub(super) fn pick(&mut self, core: &Core, ready: &mut VecDeque<u32>, polls: u64) -> Option<u32> {
        if !self.begun {
            self.begun = true;
            self.draw_changes(core);
        }
        if core.polls_here.get() > PATIENCE {
            let place = core.draw_quietly(core.pick, ready.len() as u64, 0);
            return ready.swap_remove_back(place as usize);
        }
        let mut place = self.first(ready);
        while let Some((_, priority)) = self.changes.pop_if(|(at, _)| *at <= polls) {
            self.priorities[ready[place] as usize] = priority;
            place = self.first(ready);
        }
        ready.remove(place)
    }

    fn draw_changes(&mut self, core: &Core) {
        let stream = core.stream("pct/change");
        let changes = 1..u64::from(self.depth.max(1));
        // The last is no poll: the change falls on none.
        let never = self.polls.max(1);
        let drawn = changes.map(|priority| (core.draw_or(stream, never.saturating_add(1), never), priority));
        self.changes = drawn.filter(|(at, _)| *at < never).collect();
        self.changes.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// The place of the ready task with the highest priority; of equals, the one that has been ready for longest.
    fn first(&self, ready: &VecDeque<u32>) -> usize {
        let by_priority =
            |place: &usize| (self.priorities[ready[*place] as usize], std::cmp::Reverse(*place));
        (0..ready.len()).max_by_key(by_priority).expect("a task is ready")
    }
}
