//! The whole stack in the simulated weather, judged by the law.
//!
//! A [`play`] is run from a seed; [`search`] runs plays over seeds; [`cli`] is the command line of `rehearse`. Nothing
//! here is linked by production.

pub mod cli;
pub mod play;
pub mod search;

/// Every play, in the order in which tables list them.
#[must_use]
pub const fn plays() -> &'static [&'static dyn play::Play] {
    &[]
}
