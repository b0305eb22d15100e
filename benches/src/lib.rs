//! The scales: what the benchmarks share.
//!
//! The benchmarks themselves are in `benches/`, one file per hot path.

mod contender;
pub mod interleaved;
mod paired;
mod words;
pub mod workload;

#[cfg(madsim)]
pub use contender::Madsim;
pub use contender::{Contender, Moonpool, Ours, Tokio, Turmoil};
pub use paired::Paired;
pub use words::Words;
