//! `alarms`, small: an actor sets its alarm, falls asleep and is woken by it.

use std::time::Duration;

use super::Scene;
use crate::plays::alarms::planner;
use crate::stack::Stack;

/// The key of whoever sleeps.
const KEY: &str = "steady/s";

/// When the alarm is due.
const AFTER: Duration = Duration::from_millis(700);

/// How long it is waited for: the bound of 3 s.
const WOKEN: Duration = Duration::from_secs(4);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Alarm;

impl Scene for Alarm {
    const KEYS: &'static [&'static str] = &["steady/a"];
    const BESIDE: &'static [&'static str] = &[KEY];

    async fn open(&self, stack: &Stack) {
        super::work(stack, &stack.workers[..1]).await;
    }

    async fn happen(&self, stack: &Stack) {
        planner::once(stack, KEY, AFTER, WOKEN).await;
    }
}
