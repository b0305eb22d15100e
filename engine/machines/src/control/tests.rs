//! Tests of the control plane. [`plane`] is the language they are written in: it drives a control plane step by step,
//! applies what it writes to a store of its own, and checks both against each other after every step.

mod alarms;
mod clocks;
mod configs;
mod counts;
mod create;
mod disowned;
mod drains;
mod evict;
mod fence;
mod health;
mod lists;
mod lives;
mod metadata;
mod pages;
mod placement;
mod plane;
mod purge;
mod random;
mod reading;
mod restoring;
mod sockets;
mod steer;
mod stories;
mod streams;
mod unnamed;
mod witness;
