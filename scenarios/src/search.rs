//! Running plays over seeds: which seeds, on how many threads, how often each, and what a batch as a whole must show.
//!
//! [`strategy`] names the ways to choose runs, [`course`] numbers them ([`seeds`], [`points`]), [`shard`] takes a part;
//! [`explore()`] has a crew of workers run them on worker threads and folds their reports in seed order,
//! so that the outcome is the same on one thread and on sixteen. [`tally`] adds up, [`batch`] judges the sums,
//! [`twice`] proves that a run is the same again in this process, `verify` with [`fresh`] that it is in another one.
//! Nothing here knows what a play does, or prints anything: see [`crate::cli`].

mod ahead;
pub mod batch;
pub mod course;
mod crew;
pub mod explore;
pub mod fresh;
pub mod points;
pub mod seeds;
pub mod shard;
pub mod strategy;
pub mod tally;
pub mod twice;
mod verify;

pub use batch::{Shortfall, shortfalls};
pub use course::{Course, CourseError, Recorded};
pub use explore::{Before, Failed, Findings, Plan, Progress, Why, explore};
pub use fresh::{Fingerprint, Fresh, FreshError, Process, Sighting};
pub use seeds::{Limit, Start, StartError};
pub use shard::{Ranges, Shard};
pub use strategy::Strategy;
pub use tally::Tally;
pub use twice::Divergence;
