//! Who may do what: tokens, what each allows, and where a request carries its own.
//!
//! [`Operation`] names what a request wants, [`Scope`] what a token allows, [`Tokens`] tells one token from another
//! without telling by time how close a guess was. [`Keeper`](keeper::Keeper) decides what becomes of a token file that
//! was read again. All of these are pure; [`file`](mod@file) reads, [`door`](mod@door) is what the drivers ask.
//!
//! Without tokens everything is open, which is why the engine then listens on loopback only.

mod door;
mod file;
mod keeper;
mod operation;
mod presented;
mod scope;
mod tokens;

use std::path::PathBuf;

pub(crate) use door::{Door, watch};
pub use file::TokensError;
pub(crate) use operation::GATEWAY;
pub use operation::Operation;
pub(crate) use presented::TOKEN;
pub use scope::{Scope, Scopes};
pub use tokens::{Secret, Tokens, TokensInvalid};

/// Where an engine's tokens come from.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// A TOML file, read again while the engine runs.
    File(PathBuf),
    /// These, for as long as it runs.
    Given(Tokens),
}
