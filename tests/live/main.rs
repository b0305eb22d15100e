//! Real processes, real sockets, a real disk: the production binaries on loopback.

mod counting;
mod folder;
mod lines;
mod links;
mod spawned;
mod start;
