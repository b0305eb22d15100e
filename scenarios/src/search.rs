//! Running plays over seeds: which seeds, on how many threads, how often each, and what a batch as a whole must show.
//!
//! [`seeds`] says which runs there are, [`explore()`] runs them on worker threads and folds their reports in seed order,
//! so that the outcome is the same on one thread and on sixteen. [`tally`] adds up, [`batch`] judges the sums,
//! [`twice`] proves that a run is the same again in this process, `verify` with [`fresh`] that it is in another one.
//! Nothing here knows what a play does, or prints anything: see [`crate::cli`].

pub mod batch;
pub mod explore;
pub mod fresh;
pub mod seeds;
pub mod tally;
pub mod twice;
mod verify;

pub use batch::{Shortfall, shortfalls};
pub use explore::{Failed, Findings, Plan, Progress, Why, explore};
pub use fresh::{Fingerprint, Fresh, FreshError, Process, Sighting};
pub use seeds::{Limit, Start, StartError};
pub use tally::Tally;
pub use twice::Divergence;
