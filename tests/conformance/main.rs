//! Worlds against the kernel: the same scripts run unchanged on real loopback and in a simulated world, and what they
//! observe has to be equal.
//!
//! A script is two parties that use `runtime` only ([`scripts`]). What it observes is the order of its operations, the
//! bytes in a row, and how a stream ended, with the kind of the error; never sizes of single reads or writes, and
//! never times. [`party`] is what a party observes with, [`worlds`] runs a script in each world.

mod party;
mod scripts;
mod signals;
mod worlds;
