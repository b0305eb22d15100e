//! Real processes for the gates `live` and `rivetkit`: the binaries people run, built once, started on loopback,
//! killed for good at the end.
//!
//! Not here: anything simulated (`it`), or the worlds compared with the kernel (`conformance`).

pub mod binaries;
pub mod process;
