//! The wait for the modelled time of work on files.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::agenda::DueKey;
use crate::core;
use crate::effects::Effect;
use crate::node::NodeId;
use crate::registry::WorldId;

/// The wait for the modelled time of work on files.
pub(crate) struct Working {
    pub(super) world: WorldId,
    pub(super) node: NodeId,
    /// Until when, in the disk's time. `None`: the process has fallen.
    pub(super) until: Option<u64>,
    pub(super) due: Option<DueKey>,
    /// Among those who wait for the end of a stall.
    pub(super) waits: Option<u64>,
}

impl Future for Working {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { world, node, until, due, waits } = &mut *self;
        let Some(until) = *until else { return Poll::Pending };
        core::with(*world, |core| {
            let now = core.now.get();
            let (done, at) = core.with_node(*node, |state| {
                let drive = &mut state.drive;
                let time = drive.time(now);
                if time >= until {
                    drive.disk.settle(time);
                }
                (time >= until, drive.when(until))
            });
            if done {
                return Poll::Ready(());
            }
            match at {
                Some(at) => *due = Some(core.keep_timer(*due, at, context.waker())),
                None => {
                    if waits.is_none() {
                        core.felt(Effect::DiskStall);
                    }
                    let waker = context.waker();
                    drop(core.with_node(*node, |state| state.drive.on_release.wait(waits, waker)));
                }
            }
            Poll::Pending
        })
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if (self.due.is_none() && self.waits.is_none()) || !core::is_here(self.world) {
            return;
        }
        core::with(self.world, |core| {
            if let Some(due) = self.due {
                core.unschedule(due);
            }
            if let Some(number) = self.waits {
                drop(core.with_node(self.node, |state| state.drive.on_release.leave(number)));
            }
        });
    }
}
