//! Worlds against the kernel: the same scripts run unchanged on real loopback, in a simulated world and on madsim, and
//! what they observe is compared.
//!
//! A script is two parties that use `runtime` only ([`scripts`]). What it observes is the order of its operations, the
//! bytes in a row, and how a stream ended, with the kind of the error; never sizes of single reads or writes, and
//! never times. [`party`] is what a party observes with, [`worlds`] plays a script in each world, [`table`] compares
//! and keeps `docs/conformance.md`.

mod party;
mod scripts;
mod signals;
mod table;
mod worlds;
