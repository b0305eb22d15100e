//! The whole stack in the simulated weather, judged by the law
