//! The whole stack in the simulated weather, judged by the law.
//!
//! [`stack`] puts clients, the engine and an application into a [`world`]; [`mod@plays`] say how it is opened and troubled;
//! [`phases`] play a run and gather its evidence in a [`ledger`]; `model` judges. A [`play`] is run from a seed;
//! [`search`] runs plays over seeds; a failing run is kept in a [`bundle`] and made smaller by [`mod@shrink`]; [`cli`] is the command line of `rehearse`. Nothing here is linked by production.

pub mod bundle;
pub mod cli;
mod hex;
pub mod ledger;
pub mod phases;
pub mod play;
pub mod plays;
pub mod search;
pub mod shrink;
pub mod stack;
mod whole;
pub mod world;

pub use plays::plays;
