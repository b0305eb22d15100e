//! Every decision of the platform, as pure state machines: [`control`], [`gateway`], [`runner`], and [`durability`], whether
//! the engine may write. Of one actor: [`instance`], its life; [`schedule`], what it asked to be done later; [`queue`], the
//! messages it was sent; [`pager`], when a commit of its database is one. Of those who call actors: [`client`].
//!
//! Nothing here reads a clock, opens a socket, draws a random number or holds a payload byte. Time is an argument
//! ([`protocol::time::Now`]), randomness is a value inside the input that needs it, payloads are a
//! [`protocol::id::BodyId`] that the driver owns, and what shall happen is returned as data. Every machine has the
//! same face:
//!
//! - `new(options, …)`, or `restore` from what was stored;
//! - `handle(now, input, &mut out)`: one step; effects are appended to `out` in the order they must be performed;
//! - `next_deadline() -> Option<(Mono, &'static str)>`: when to send `Input::Tick` at the latest, and why. A tick
//!   that comes early or twice changes nothing;
//! - `check()`: walks the whole state and panics where an invariant does not hold;
//! - `view()`: read-only facts for the laws.
//!
//! State is `Clone`, `Eq` and `Hash`, so that it can be enumerated and compared. Inputs and effects are closed
//! enums. Who performs effects: the drivers in `host` and `sdk`. What correct means: `model`.

pub mod client;
pub mod control;
pub mod durability;
pub mod gateway;
pub mod instance;
pub mod pager;
pub mod queue;
pub mod route;
pub mod runner;
pub mod schedule;
mod storing;
pub mod websocket;
