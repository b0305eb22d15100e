//! The gateway's driver: feeds the machine, keeps the bytes it only speaks of, does what it says.
//!
//! It knows requests and response parts by ticket and body id, decides nothing, and has no timer but the machine's
//! next deadline. It never waits for the control plane's mailbox while its own is full: that would let both wait for
//! each other.

mod clients;
mod driver;
mod mailbox;
#[cfg(test)]
mod tests;
mod tunnel;
mod websocket;

pub(crate) use clients::{ClientRequest, Head, Piece, Reply, Streamed, Wants};
pub(crate) use driver::Driver;
pub(crate) use mailbox::{Letter, Mailbox, mailbox};
pub(crate) use websocket::{Down, Ending, Line, Message, Said, Up};
