//! What grows with how many there are, and what must not: the cost of a step, and the memory of a sleeping actor.
//!
//! Costs are times, the shortest of several rounds, and compared within one run: a step that looks at everybody would take
//! a hundred times as long among a hundred times as many.

mod crowd;
mod growth;
mod memory;
