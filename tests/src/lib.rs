//! The gates: simulated, conformance and live tests
