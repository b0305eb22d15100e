//! Tasks and waits of a script. They need not be `Send`.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::agenda::DueKey;
use crate::core::{self, Core, Due};
use crate::net::stream::wait;
use crate::node::NodeId;
use crate::registry::WorldId;
use crate::tasks::TaskId;
use crate::trace::nanos;

struct Outcome<T> {
    value: Option<T>,
    over: bool,
    waker: Option<Waker>,
}

/// Says that the task is over, however it ended.
struct Report<T>(Rc<RefCell<Outcome<T>>>);

impl<T> Drop for Report<T> {
    fn drop(&mut self) {
        let mut outcome = self.0.borrow_mut();
        outcome.over = true;
        let waker = outcome.waker.take();
        drop(outcome);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A task started by a script. Awaiting it gives its value, or `None` if its node fell or it was aborted; dropping it
/// lets the task run on.
pub struct Task<T> {
    core: Rc<Core>,
    id: TaskId,
    outcome: Rc<RefCell<Outcome<T>>>,
}

impl<T: 'static> Task<T> {
    pub(crate) fn spawn(
        core: &Rc<Core>,
        node: NodeId,
        name: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> Self {
        let outcome = Rc::new(RefCell::new(Outcome { value: None, over: false, waker: None }));
        let report = Report(Rc::clone(&outcome));
        let future = Box::pin(async move {
            let value = future.await;
            report.0.borrow_mut().value = Some(value);
        });
        let id = core.spawn_on(node, name, future);
        let id = id.expect("tasks are started on nodes whose process runs");
        Self { core: Rc::clone(core), id, outcome }
    }
}

impl<T> Task<T> {
    /// Ends the task at its next await point.
    pub fn abort(&self) {
        self.core.abort(self.id);
    }

    /// Whether it is over, however it ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.outcome.borrow().over
    }
}

impl<T> std::fmt::Debug for Task<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Task({:#x}, over: {})", self.id.to_word(), self.is_over())
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut outcome = self.outcome.borrow_mut();
        if outcome.over {
            return Poll::Ready(outcome.value.take());
        }
        let old = wait(&mut outcome.waker, context.waker());
        drop(outcome);
        drop(old); // its destructor may end the task
        Poll::Pending
    }
}

/// Until a moment of virtual time.
pub(crate) struct Until {
    world: WorldId,
    until: u64,
    due: Option<DueKey>,
}

impl Until {
    /// So long from this moment on.
    pub(crate) fn after(core: &Core, span: Duration) -> Self {
        Self { world: core.id, until: core.now.get().saturating_add(nanos(span)), due: None }
    }
}

impl Future for Until {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        core::with(self.world, |core| {
            if core.now.get() >= self.until {
                return Poll::Ready(());
            }
            self.due = Some(core.keep_timer(self.due, self.until, context.waker()));
            Poll::Pending
        })
    }
}

impl Drop for Until {
    fn drop(&mut self) {
        if let Some(due) = self.due
            && core::is_here(self.world)
        {
            core::with(self.world, |core| core.unschedule(due));
        }
    }
}

/// Waits for `future`, at most so long.
pub(crate) async fn within<F: Future>(core: &Core, span: Duration, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut wait = std::pin::pin!(Until::after(core, span));
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        wait.as_mut().poll(context).map(|()| None)
    })
    .await
}

impl Core {
    /// Starts a timer, or gives one that runs the waker of the last poll, and its deadline.
    pub(crate) fn keep_timer(&self, due: Option<DueKey>, at: u64, waker: &Waker) -> DueKey {
        let mut agenda = self.agenda.borrow_mut();
        if let Some(key) = due
            && let Some((before, Due::Timer { waker: held, late, .. })) = agenda.get_mut(key)
        {
            let old = (!held.will_wake(waker)).then(|| std::mem::replace(held, waker.clone()));
            if before != at {
                *late = false;
                agenda.reschedule(key, at);
            }
            drop(agenda);
            drop(old);
            return key;
        }
        let timer = Due::Timer { node: self.current_node(), waker: waker.clone(), late: false };
        agenda.insert(at.max(self.now.get()), timer)
    }

    /// Ends a task that has not ended. Its destructors run as its node.
    pub(crate) fn abort(&self, id: TaskId) {
        let Some((node, _)) = self.tasks.describe(id) else { return };
        let future = self.tasks.abort(self, id);
        self.on_behalf(node, || drop(future));
    }
}
