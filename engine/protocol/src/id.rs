//! Ids: who is meant.
//!
//! [`opaque`] holds the ids the outside world sees, thirty characters that nobody may take apart. [`tunnel`] holds
//! the short ids of the runner protocol and the generation, [`handle`] numbers that never leave a process, [`key`]
//! the name a runner gives itself.

pub mod handle;
pub mod key;
pub mod opaque;
pub mod tunnel;

pub use handle::{BodyId, ConnId, FetchId, StreamId, Ticket};
pub use key::{RunnerKey, RunnerKeyError};
pub use opaque::{ActorId, IdError, NamespaceId, RayId, RunnerId};
pub use tunnel::{GatewayId, Generation, RequestId};
