//! What a client of actors decides: whether a failed call is repeated, who asks where an actor is, when a connection is
//! dialled again.
//!
//! Nothing here knows an action, a body or a socket: the drivers in `sdk` have those. A failure is [`failure`]'s: what it
//! says about the effect of the call ([`Executed`]), and whether another attempt can go better. [`call`] leads one call
//! through its attempts, [`resolution`] finds the actor's id once for all who want it, [`connection`] keeps a connection
//! open.

mod backoff;
pub mod call;
pub mod connection;
pub mod executed;
pub mod failure;
pub mod resolution;

pub use executed::Executed;
pub use failure::{Answer, Class, Failure};
