//! Worlds, seen as a script and its inhabitants see them.

mod cuts;
mod decisions;
mod determinism;
mod disks;
mod executor;
mod falls;
mod faults;
mod grammars;
mod libraries;
mod middleboxes;
mod misuse;
mod partitions;
mod probes;
mod streams;
mod support;
mod taps;
