//! Waiting for a point in time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::{Instant, from_std, now, to_std};
use crate::world::{self, TimerKey};

pin_project! {
    /// Ends when its deadline has come. Made by [`sleep`] and [`sleep_until`]; dropping it forgets the timer.
    #[derive(Debug)]
    #[must_use = "a sleep does nothing unless awaited"]
    pub struct Sleep {
        #[pin]
        ground: Ground,
    }
}

pin_project! {
    #[project = GroundProjection]
    #[derive(Debug)]
    enum Ground {
        Tokio { #[pin] sleep: tokio::time::Sleep },
        World { timer: WorldTimer },
    }
}

/// A world's timer, forgotten when dropped.
#[derive(Debug)]
struct WorldTimer {
    deadline: Instant,
    key: Option<TimerKey>,
}

impl WorldTimer {
    fn forget(&mut self) {
        if let Some(key) = self.key.take()
            // Without a world on this thread the timer ended with its world.
            && let Some(world) = world::current()
        {
            world.cancel_timer(key);
        }
    }
}

impl Drop for WorldTimer {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Waits for `span`. Resolution: one millisecond on tokio, rounded up; exact in a world.
#[inline]
pub fn sleep(span: Duration) -> Sleep {
    let ground = match world::current() {
        Some(world) => Ground::World { timer: WorldTimer { deadline: world.now() + span, key: None } },
        None => Ground::Tokio { sleep: on_tokio::sleep(span) },
    };
    Sleep { ground }
}

/// Waits until `deadline`; a past one is ready at once.
#[inline]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let ground = match world::current() {
        Some(_) => Ground::World { timer: WorldTimer { deadline, key: None } },
        None => Ground::Tokio { sleep: on_tokio::sleep_until(to_std(deadline).into()) },
    };
    Sleep { ground }
}

#[expect(clippy::disallowed_methods, reason = "the tokio world: these are its timers")]
mod on_tokio {
    #[inline]
    pub(super) fn sleep(span: std::time::Duration) -> tokio::time::Sleep {
        tokio::time::sleep(span)
    }
    #[inline]
    pub(super) fn sleep_until(deadline: tokio::time::Instant) -> tokio::time::Sleep {
        tokio::time::sleep_until(deadline)
    }
}

impl Sleep {
    /// When it ends.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        match &self.ground {
            Ground::Tokio { sleep } => from_std(sleep.deadline().into_std()),
            Ground::World { timer } => timer.deadline,
        }
    }

    /// Whether its deadline has come.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.deadline() <= now()
    }

    /// Moves the deadline, whether or not it has passed. A task that waits for it is woken at the new one.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        match self.project().ground.project() {
            GroundProjection::Tokio { sleep } => sleep.reset(to_std(deadline).into()),
            GroundProjection::World { timer } => {
                timer.deadline = deadline;
                if let Some(key) = timer.key {
                    world::home_of("timer").reset_timer(key, deadline);
                }
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();
    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.project().ground.project() {
            GroundProjection::Tokio { sleep } => sleep.poll(context),
            GroundProjection::World { timer } => {
                world::home_of("timer").poll_timer(&mut timer.key, timer.deadline, context)
            }
        }
    }
}
