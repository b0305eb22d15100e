//! Worlds, seen as a script and its inhabitants see them.

mod clocks;
mod cuts;
mod decisions;
mod determinism;
mod disk_faults;
mod disks;
mod executor;
mod falls;
mod faults;
mod grammars;
mod keep_alive;
mod libraries;
mod middleboxes;
mod misuse;
mod overlaps;
mod partitions;
mod points;
mod ports;
mod probes;
mod recipes;
mod schedules;
mod segments;
mod stores;
mod streams;
mod support;
mod taps;
