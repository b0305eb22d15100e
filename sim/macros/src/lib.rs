//! The attribute that makes a function a seeded simulated test
