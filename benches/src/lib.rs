//! The scales: what the benchmarks share.
//!
//! The benchmarks themselves are in `benches/`, one file per hot path.

mod contender;
pub mod interleaved;
mod paired;
pub mod workload;

pub use contender::{Contender, Madsim, Moonpool, Ours, Tokio, Turmoil};
pub use paired::Paired;
