//! The life of an instance: told line by line, and at random against a model.

mod random;
mod stories;
