//! The command line, run as people run it: over the plays of `toy/main.rs`, but for `madsim`, which runs the real ones.

mod bundles;
#[cfg(madsim)]
mod madsim;
mod pages;
mod reports;
mod searches;
mod strategies;
mod toy;
