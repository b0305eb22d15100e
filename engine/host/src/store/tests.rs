//! The face against its model, and what was written against what is read.

mod face;
mod layout;
mod memory;
mod upgrade;
