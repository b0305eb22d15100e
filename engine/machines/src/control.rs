//! The control plane: which actors exist, in which state, on which runner; which runners live; how many serverless
//! streams are held open.
//!
//! The state is durable by construction. One step reads, decides, and appends to `out` first its writes
//! ([`Effect::Put`], [`Effect::Delete`], [`Effect::Kv`], …), then what is to be performed. The driver applies the
//! writes of one or many steps in one transaction, and performs the rest, in order, only after that commit is
//! durable. After a failed commit it performs nothing, throws the machine away and restores a new one.
//! What is performed may be performed twice, so everything here is derived again from stored records after a crash:
//! commands are resent while their event is missing, streams are reopened while the desired count is missed.
//!
//! What it is not: it holds no KV contents and no actor input (it authorises, the driver stores), no client request
//! (that is [`crate::gateway`]).

pub mod effect;
pub mod input;
pub mod options;
pub mod record;

pub use effect::Effect;
pub use input::Input;
pub use options::Options;
pub use record::Record;
