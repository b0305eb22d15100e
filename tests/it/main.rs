//! The stack in simulated worlds, as ordinary tests: seconds in all.
//!
//! [`plays`] runs the plays over fixed seeds, and over more when asked; [`stories`] tells a few of them line by line;
//! [`held`] shows single promises, and [`laws`] that the page of laws names what holds each.

mod found;
mod held;
mod laws;
mod plays;
mod stories;
