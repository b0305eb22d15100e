//! The control plane's driver: the one writer of the store.
//!
//! It takes all letters that wait (up to a bound), gives each to the machine, applies every write of theirs in one
//! transaction, and performs the rest, in order, when that is durable. It keeps payloads by id, decides nothing, and
//! has no timer but the machine's next deadline. When a commit fails it performs nothing and ends: the
//! [engine](crate::Engine) then throws everything away and begins again from the store.

mod door;
mod driver;
mod mailbox;
mod outbox;
mod payloads;
mod perform;
mod translate;

pub(crate) use driver::{Driver, Ended};
pub(crate) use mailbox::{Letter, Mailbox, mailbox};
