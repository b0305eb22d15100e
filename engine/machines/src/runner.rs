//! The application's side: one runner, its session with the engine and the actors it hosts ([`session`]), and the
//! event stream that holds a serverless instance open ([`stream`]).
//!
//! It holds no payload, no socket and no user code: drivers in `sdk` dial, send and run instances.

pub mod effect;
pub mod input;
pub mod options;

pub use effect::Effect;
pub use input::Input;
pub use options::Options;
