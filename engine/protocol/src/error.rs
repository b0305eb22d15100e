//! Every way a request, a pool, an actor or a socket can fail, as far as it leaves the platform.
//!
//! Codes are API: clients tell errors apart by `group` and `code`, so the enums are closed and a code once given out
//! keeps its meaning. [`api_error`] is what an HTTP caller gets, [`pool`] and [`actor`] what the API shows of a
//! failing pool or actor, [`metadata`] why an application does not tell its own, [`close`] why the engine ended a runner's
//! socket, [`websocket`] why it ended a client's, [`text`] how user text is cut.

pub mod actor;
pub mod api_error;
pub mod body;
pub mod close;
mod codes;
pub mod metadata;
pub mod pool;
pub mod text;
pub mod websocket;

pub use actor::ActorError;
pub use api_error::{ApiError, Code, UnknownCode};
pub use body::ErrorBody;
pub use close::CloseReason;
pub use metadata::ServerlessMetadataError;
pub use pool::RunnerPoolError;
pub use text::{UserText, cut};
pub use websocket::WebSocketEnd;
