//! hyper's timer on our clock.

use std::pin::Pin;
use std::time::Duration;

use crate::time::{Sleep, StdInstant, from_std, now, sleep, sleep_until, to_std};

/// hyper's and hyper-util's timer. Its `now` is our clock too: with hyper's default, every connection would close as
/// soon as a world's time runs ahead of the host's by the header timeout.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

impl hyper::rt::Sleep for Sleep {}

impl hyper::rt::Timer for Timer {
    fn sleep(&self, span: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(sleep(span))
    }
    fn sleep_until(&self, deadline: StdInstant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(sleep_until(from_std(deadline)))
    }
    fn now(&self) -> StdInstant {
        to_std(now())
    }
    fn reset(&self, sleep: &mut Pin<Box<dyn hyper::rt::Sleep>>, deadline: StdInstant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(ours) => ours.reset(from_std(deadline)),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}
