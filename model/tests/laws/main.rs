//! Each law, seen to hold, to break and to have nothing to judge, on evidence of a few lines.

mod clients;
mod platform;
mod plays;
mod support;
