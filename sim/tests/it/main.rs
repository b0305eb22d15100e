//! Worlds, seen as a script and its inhabitants see them.

mod cuts;
mod decisions;
mod determinism;
mod disks;
mod executor;
mod falls;
mod faults;
mod grammars;
mod keep_alive;
mod libraries;
mod middleboxes;
mod misuse;
mod partitions;
mod ports;
mod probes;
mod segments;
mod streams;
mod support;
mod taps;
