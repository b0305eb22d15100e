//! An application to read and to try: a registry with one actor, [`counter`].
//!
//! The binary `rehearsal-demo` runs it as a normal runner or behind the serverless endpoint.

pub mod counter;

pub use counter::Counter;

use sdk::Registry;

/// The application's actors.
#[must_use]
pub fn registry() -> Registry {
    Registry::builder().actor("counter", || Counter).build().expect("the names are distinct and not empty")
}
