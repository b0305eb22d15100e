//! `select!`, always biased.
//!
//! The branches become one nested structure of futures ([`branches`]), polled in written order; the macro only takes
//! the syntax apart. Tokio's own macro is not used: it starts at a branch drawn from a process-wide counter, and the
//! lint that keeps it out cannot be lifted where a macro expands to it.

mod branches;

/// What [`select!`](crate::select!) expands to; not for use by name.
#[doc(hidden)]
pub mod expansion {
    pub use super::branches::{Branch, End, Selected, branch, wait};
    pub use std::future::IntoFuture;
    pub use std::pin::pin;
}

/// Waits on several branches and runs the handler of the first that is ready, in the order they are written.
///
/// The syntax is that of `tokio::select!`: `pattern = future => handler`, with `, if condition` behind the future, and
/// `else => handler` last. A branch whose condition is false is not polled; one whose output does not match its
/// pattern is out of the race; when none is left, `else` runs. All futures are dropped before a handler runs. Inside a
/// pattern there is no `mut`, `ref` or `&`: bind again in the handler.
///
/// Being biased, a branch that is always ready starves those after it: write cancellation and deadlines first, streams
/// of work last.
///
/// ```
/// # runtime::process::block_on(None, async {
/// let first = runtime::select! {
///     () = std::future::ready(()) => "written first",
///     () = runtime::sleep(std::time::Duration::ZERO) => "written second",
/// };
/// assert_eq!(first, "written first");
/// # }).unwrap();
/// ```
///
/// # Panics
/// If no branch is left and there is no `else`.
#[macro_export]
macro_rules! select {
    ($($branches:tt)+) => {
        $crate::__select_parse!([] $($branches)+)
    };
}

/// Takes the branches apart, one at a time, into `({pattern} {future} {condition} {handler})`.
#[doc(hidden)]
#[macro_export]
macro_rules! __select_parse {
    ([$($done:tt)*]) => {
        $crate::__select_run!([$($done)*]
            ::std::panic!("every branch is disabled and there is no else branch"))
    };
    ([$($done:tt)*] else => $handler:expr $(,)?) => {
        $crate::__select_run!([$($done)*] $handler)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr, if $when:expr => $handler:block, $($rest:tt)*) => {
        $crate::__select_parse!([$($done)* ({$pattern} {$future} {$when} {$handler})] $($rest)*)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr => $handler:block, $($rest:tt)*) => {
        $crate::__select_parse!([$($done)* ({$pattern} {$future} {true} {$handler})] $($rest)*)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr, if $when:expr => $handler:block $($rest:tt)*) => {
        $crate::__select_parse!([$($done)* ({$pattern} {$future} {$when} {$handler})] $($rest)*)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr => $handler:block $($rest:tt)*) => {
        $crate::__select_parse!([$($done)* ({$pattern} {$future} {true} {$handler})] $($rest)*)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr, if $when:expr => $handler:expr $(, $($rest:tt)*)?) => {
        $crate::__select_parse!([$($done)* ({$pattern} {$future} {$when} {$handler})] $($($rest)*)?)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr => $handler:expr $(, $($rest:tt)*)?) => {
        $crate::__select_parse!([$($done)* ({$pattern} {$future} {true} {$handler})] $($($rest)*)?)
    };
}

/// Races the branches, then runs a handler.
#[doc(hidden)]
#[macro_export]
macro_rules! __select_run {
    ([$($branch:tt)+] $otherwise:expr) => {{
        let selected = {
            let branches = $crate::__select_build!($($branch)+);
            let branches = $crate::__select::pin!(branches);
            $crate::__select::wait(branches).await
        };
        match selected {
            ::std::option::Option::Some(selected) => $crate::__select_handle!(selected $($branch)+),
            ::std::option::Option::None => $otherwise,
        }
    }};
}

/// Nests the branches.
#[doc(hidden)]
#[macro_export]
macro_rules! __select_build {
    () => { $crate::__select::End };
    (({$pattern:pat} {$future:expr} {$when:expr} $handler:tt) $($rest:tt)*) => {
        $crate::__select::branch(
            $when,
            $crate::__select::IntoFuture::into_future($future),
            |output| {
                #[allow(unused_variables, unused_mut, unreachable_patterns, reason = "bound in the handler")]
                let matched = match output {
                    $pattern => true,
                    _ => false,
                };
                matched
            },
            $crate::__select_build!($($rest)*),
        )
    };
}

/// Runs the handler of the branch that was selected.
#[doc(hidden)]
#[macro_export]
macro_rules! __select_handle {
    ($selected:ident) => { match $selected {} };
    ($selected:ident ({$pattern:pat} $future:tt $when:tt {$handler:expr}) $($rest:tt)*) => {
        match $selected {
            $crate::__select::Selected::This($pattern) => $handler,
            #[allow(unreachable_patterns, reason = "a pattern may match everything")]
            $crate::__select::Selected::This(_) => {
                ::std::unreachable!("the pattern matched before it was selected")
            }
            $crate::__select::Selected::Later(later) => $crate::__select_handle!(later $($rest)*),
        }
    };
}
