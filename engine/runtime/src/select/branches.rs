//! The branches of a `select!` as one nested structure: the first, and the rest.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// A branch and those written after it.
    #[derive(Debug)]
    pub struct Branch<F, M, R> {
        enabled: bool,
        #[pin]
        future: F,
        matches: M,
        #[pin]
        rest: R,
    }
}

/// No more branches.
#[derive(Clone, Copy, Debug)]
pub struct End;

/// The output of the branch that was selected.
#[derive(Debug)]
pub enum Selected<T, L> {
    /// Of this one.
    This(T),
    /// Of one written later.
    Later(L),
}

/// How a poll of some branches went.
#[derive(Debug)]
pub enum Step<T> {
    /// One is selected.
    Ready(T),
    /// Some may yet be.
    Pending,
    /// None will ever be.
    Disabled,
}

/// Branches in written order.
pub trait Branches {
    /// What selecting one gives.
    type Output;
    /// Polls those that are enabled, up to the first that is ready.
    fn poll_branches(self: Pin<&mut Self>, context: &mut Context<'_>) -> Step<Self::Output>;
}

impl Branches for End {
    type Output = Infallible;
    fn poll_branches(self: Pin<&mut Self>, _: &mut Context<'_>) -> Step<Infallible> {
        Step::Disabled
    }
}

impl<F, M, R> Branches for Branch<F, M, R>
where
    F: Future,
    M: Fn(&F::Output) -> bool,
    R: Branches,
{
    type Output = Selected<F::Output, R::Output>;
    fn poll_branches(self: Pin<&mut Self>, context: &mut Context<'_>) -> Step<Self::Output> {
        let this = self.project();
        if *this.enabled
            && let Poll::Ready(output) = this.future.poll(context)
        {
            if (this.matches)(&output) {
                return Step::Ready(Selected::This(output));
            }
            *this.enabled = false;
        }
        match this.rest.poll_branches(context) {
            Step::Ready(output) => Step::Ready(Selected::Later(output)),
            Step::Disabled if !*this.enabled => Step::Disabled,
            Step::Disabled | Step::Pending => Step::Pending,
        }
    }
}

/// Puts a branch before others.
pub fn branch<F, M, R>(enabled: bool, future: F, matches: M, rest: R) -> Branch<F, M, R>
where
    F: Future,
    M: Fn(&F::Output) -> bool,
{
    Branch { enabled, future, matches, rest }
}

/// Waits until a branch is selected, or (`None`) none can be any more.
pub async fn wait<B: Branches>(mut branches: Pin<&mut B>) -> Option<B::Output> {
    poll_fn(|context| match branches.as_mut().poll_branches(context) {
        Step::Ready(output) => Poll::Ready(Some(output)),
        Step::Pending => Poll::Pending,
        Step::Disabled => Poll::Ready(None),
    })
    .await
}
