//! The scales: criterion benchmarks of the hot paths
