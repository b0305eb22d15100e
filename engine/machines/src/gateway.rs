//! Client requests on their way to actors: routed, held until the actor is ready, forwarded once, answered or failed
//! typed within a bound.
//!
//! It holds no body and no socket: it decides, the driver forwards. A request that was forwarded is never forwarded
//! again unless it was safe to repeat, or the runner said that it never reached the actor.

pub mod effect;
pub mod input;
pub mod options;

pub use effect::Effect;
pub use input::Input;
pub use options::Options;
