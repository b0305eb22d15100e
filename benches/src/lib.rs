//! The scales: what criterion's benchmarks share.
//!
//! The benchmarks themselves are in `benches/`, one file per hot path.

mod paired;

pub use paired::Paired;
