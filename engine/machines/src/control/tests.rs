//! Tests of the control plane. [`plane`] is the language they are written in: it drives a control plane step by step,
//! applies what it writes to a store of its own, and checks both against each other after every step.

mod configs;
mod create;
mod fence;
mod lists;
mod lives;
mod placement;
mod plane;
mod random;
mod restoring;
mod sockets;
mod stories;
mod streams;
