//! Nodes of a world, and tasks of its script.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use sim::Fall;

#[cfg(madsim)]
use super::missing;

/// A host with a process on it. Clones are the same node.
#[derive(Clone, Debug)]
pub enum Node {
    /// Of the simulator's own world.
    Sim(sim::Node),
    /// Of madsim.
    #[cfg(madsim)]
    Madsim(sim::second::Node),
}

impl Node {
    /// In the simulator's own world.
    ///
    /// # Panics
    /// In another one.
    pub(super) fn sim(&self) -> &sim::Node {
        match self {
            Self::Sim(node) => node,
            #[cfg(madsim)]
            Self::Madsim(node) => panic!("{node:?} is of another world"),
        }
    }

    /// On madsim.
    ///
    /// # Panics
    /// In another world.
    #[cfg(madsim)]
    pub(super) fn madsim(&self) -> &sim::second::Node {
        match self {
            Self::Madsim(node) => node,
            Self::Sim(node) => panic!("{node:?} is of another world"),
        }
    }

    /// Its name, which also resolves to its address.
    #[must_use]
    pub fn name(&self) -> Rc<str> {
        match self {
            Self::Sim(node) => node.name(),
            #[cfg(madsim)]
            Self::Madsim(node) => node.name(),
        }
    }

    /// Whether its process runs, or is paused.
    #[must_use]
    pub fn is_running(&self) -> bool {
        match self {
            Self::Sim(node) => node.is_running(),
            #[cfg(madsim)]
            Self::Madsim(node) => node.is_running(),
        }
    }

    /// Starts its process, which ends with the future that `main` makes.
    ///
    /// # Panics
    /// If the process runs.
    pub fn boot<F, Fut>(&self, main: F)
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        match self {
            Self::Sim(node) => node.boot(main),
            #[cfg(madsim)]
            Self::Madsim(node) => node.boot(main),
        }
    }

    /// Kills its process; one that does not run is left alone.
    pub fn kill(&self) {
        match self {
            Self::Sim(node) => node.kill(),
            #[cfg(madsim)]
            Self::Madsim(node) => node.kill(),
        }
    }

    /// Takes its power. Not on madsim.
    pub fn power_off(&self) {
        match self {
            Self::Sim(node) => node.power_off(),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("loss of power"),
        }
    }

    /// Fells it either way. madsim only kills.
    pub fn fall(&self, how: Fall) {
        match how {
            Fall::Kill => self.kill(),
            Fall::PowerOff => self.power_off(),
        }
    }

    /// Fells it inside its so-manieth disk operation from here on. Not on madsim.
    pub fn crash_in_disk_operation(&self, operation: u64, how: Fall) {
        match self {
            Self::Sim(node) => node.crash_in_disk_operation(operation, how),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("fall inside a disk operation"),
        }
    }

    /// Takes a fall back that has not come yet.
    pub fn spare(&self) {
        match self {
            Self::Sim(node) => node.spare(),
            #[cfg(madsim)]
            Self::Madsim(_) => {}
        }
    }

    /// Lets the next syncs of its disk fail, so many. Not on madsim.
    pub fn fail_syncs(&self, count: u32) {
        match self {
            Self::Sim(node) => node.fail_syncs(count),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("sync that fails"),
        }
    }

    /// Lets the next writes of its disk fail, so many; 0: none any more. Not on madsim.
    pub fn fail_writes(&self, count: u32) {
        match self {
            Self::Sim(node) => node.fail_writes(count),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("disk that fails"),
        }
    }

    /// Lets its disk hold no more than it does, or as much as one likes. Not on madsim.
    pub fn fill_disk(&self, full: bool) {
        match self {
            Self::Sim(node) => node.limit_disk(full.then_some(0)),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("disk that is full"),
        }
    }

    /// Lets every operation of its disk take so many times as long; 1: as long as usual. Not on madsim.
    pub fn slow_disk(&self, times: u32) {
        match self {
            Self::Sim(node) => node.slow_disk(times),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("slow disk"),
        }
    }

    /// Lets its clocks run fast or slow by so many parts per million. Not on madsim.
    pub fn drift_clocks(&self, ppm: i32) {
        match self {
            Self::Sim(node) => node.drift_clocks(ppm),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("clock that drifts"),
        }
    }

    /// Stops its process from running.
    pub fn pause(&self) {
        match self {
            Self::Sim(node) => node.pause(),
            #[cfg(madsim)]
            Self::Madsim(node) => node.pause(),
        }
    }

    /// Lets its process go on.
    pub fn resume(&self) {
        match self {
            Self::Sim(node) => node.resume(),
            #[cfg(madsim)]
            Self::Madsim(node) => node.resume(),
        }
    }

    /// Asks its process to stop, and kills it after `grace`. `true`: it ended before.
    pub async fn stop(&self, grace: Duration) -> bool {
        match self {
            Self::Sim(node) => node.stop(grace).await,
            #[cfg(madsim)]
            Self::Madsim(node) => node.stop(grace).await,
        }
    }

    /// Ends when its process does; at once if none runs.
    pub async fn ended(&self) {
        match self {
            Self::Sim(node) => node.ended().await,
            #[cfg(madsim)]
            Self::Madsim(node) => node.ended().await,
        }
    }
}

/// A task of the script. Awaiting it gives its value; dropping it lets it run on.
#[derive(Debug)]
pub enum Task<T> {
    /// In the simulator's own world.
    Sim(sim::Task<T>),
    /// On madsim.
    #[cfg(madsim)]
    Madsim(sim::second::Task<T>),
}

impl<T: 'static> Future for Task<T> {
    type Output = Option<T>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        match self.get_mut() {
            Self::Sim(task) => Pin::new(task).poll(context),
            #[cfg(madsim)]
            Self::Madsim(task) => Pin::new(task).poll(context),
        }
    }
}
