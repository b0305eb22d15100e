//! The words of the platform: everything two rooms say to each other, as plain types.
//!
//! No IO, no clock, no randomness: an id is made from entropy that is handed in, a time is an argument. Read
//! [`wire`] for what a runner and the engine say on their socket, [`api`] for the HTTP bodies and queries, [`error`]
//! for every code that can leave the platform, [`limits`] for every bound and where it comes from, [`view`] for what
//! laws may know, [`mod@mark`] for how rare branches are counted, [`tchar`] for the characters of an HTTP token.

pub mod api;
pub mod connection;
pub mod error;
pub mod id;
pub mod limits;
pub mod mark;
pub mod tchar;
pub mod time;
pub mod view;
pub mod wire;
