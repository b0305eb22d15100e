//! What correct means, written a second time and simply.
//!
//! The model knows what clients said and heard ([`history`]), what became true and how things stood
//! (`protocol::view`), and which faults were on ([`fault`]). It never sees machine state, and it decides nothing
//! about a run that goes on: all evidence is in when it judges. That keeps each law short enough to be believed.
//!
//! Read [`evidence`] for what is collected, [`law`] for the list of laws, [`counter`] for the one that needs an
//! argument, [`verdict`] for the outcome. [`mod@reference`] is another thing: a model of the control plane that is led along
//! with it, step by step, by a property test of `machines`.

pub mod code;
pub mod counter;
pub mod evidence;
pub mod fault;
pub mod history;
pub mod law;
pub mod reference;
pub mod verdict;

pub use evidence::{Evidence, Place, Rest, Told};
pub use fault::{Active, Family};
pub use history::{ClientId, Executed, History, Kind, Op, OpId, Outcome};
pub use law::Law;
pub use verdict::{Broken, Judgement, Verdict, judge};
