//! The start-up life cycle of an application: a start that cannot half-happen.
//!
//! What an application needs comes in two phases. First its *ground*, which is the same for every mode: an engine to
//! speak to, connected, embedded or spawned. Then its *service*, which is the mode: a runner's session, or the endpoint
//! that the engine calls. Nothing happens before the first call. All callers of one flight share its one outcome, and a
//! value has one mode at a time: a call for the other one is refused and changes nothing.
//!
//! Whatever fails, in either phase or after both, takes down what its attempt created, and only then are callers told:
//! whoever hears of a failure finds the ports free. A cause that may pass is forgotten by the next call, which tries
//! anew; one that cannot pass sticks. A shutdown may come at any moment, refuses what is under way, takes down what
//! stands, also what is only about to stand, and ends within its grace.
//!
//! It knows no socket, process or task: ground and service are made, told to end and seen to end by a driver in `sdk`.
//! What the ground found and did not make is the driver's to spare.
//!
//! [`face`] has inputs and effects, [`cause`] what can go wrong, [`health`] how it looks from outside,
//! [`spawn`] an engine as a process of its own.

pub mod cause;
mod end;
pub mod face;
pub mod health;
pub mod spawn;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::id::Ticket;
use protocol::mark;
use protocol::time::{Mono, Now};

pub use cause::Cause;
pub use face::{Effect, End, Input, Mode, Refusal, Standing};

/// How far one of the two phases is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Being made.
    Coming,
    /// There.
    Up,
    /// Asked to end; its end has not been seen.
    Going,
}

/// How far the whole is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Life {
    /// Nothing was asked for.
    Idle,
    /// A flight is under way, or what it made stands.
    Live,
    /// Something failed: the rest is taken down.
    Failing(Cause),
    /// Nothing stands; why.
    Failed(Cause),
    /// Asked to end: what stands is taken down.
    Ending {
        /// Then what still drains is ended at once; none once it is.
        by: Option<Mono>,
        /// How it will have ended.
        end: End,
    },
    /// Nothing stands, and nothing will.
    Ended(End),
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Startup {
    life: Life,
    /// Attempts begun.
    attempt: u32,
    ground: Option<Part>,
    /// What the flight, or what stands, is for; none as long as only the ground was asked for.
    mode: Option<Mode>,
    service: Option<Part>,
    /// What the engine said a stop of an actor may take.
    announced: Option<Duration>,
    /// Who waits for the ground.
    preparing: BTreeSet<Ticket>,
    /// Who waits for the service, having asked for it.
    starting: BTreeSet<Ticket>,
    /// Who waits for the service, whoever asks for it.
    watching: BTreeSet<Ticket>,
    /// Who waits for the end.
    ending: BTreeSet<Ticket>,
}

impl Startup {
    /// A machine that does nothing before the first call.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            life: Life::Idle,
            attempt: 0,
            ground: None,
            mode: None,
            service: None,
            announced: None,
            preparing: BTreeSet::new(),
            starting: BTreeSet::new(),
            watching: BTreeSet::new(),
            ending: BTreeSet::new(),
        }
    }

    /// One step.
    ///
    /// # Panics
    /// When a part speaks that was never asked to be there: a defect of the driver.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Tick => self.tick(now, out),
            Input::Prepare { ticket } => self.call(ticket, None, out),
            Input::Start { ticket, mode } => self.call(ticket, Some(mode), out),
            Input::Watch { ticket } => self.watch(ticket, out),
            Input::Created { attempt } => self.created(attempt, out),
            Input::Gone { attempt, cause } => self.gone(attempt, cause, out),
            Input::Began { attempt } => self.began(attempt, out),
            Input::Announced { stop_threshold } => self.announced = Some(stop_threshold),
            Input::Finished { attempt, cause } => self.finished(attempt, cause, out),
            Input::Drain { ticket, grace } => self.drain(now, ticket, grace, out),
            Input::Stop { ticket } => self.stop(ticket, out),
        }
        self.check();
    }

    /// When to tick at the latest, and why.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        match self.life {
            Life::Ending { by: Some(by), .. } => Some((by, "drain grace")),
            Life::Idle
            | Life::Live
            | Life::Failing(_)
            | Life::Failed(_)
            | Life::Ending { by: None, .. }
            | Life::Ended(_) => None,
        }
    }

    /// Whether the configuration may still be changed: only while nothing that was made from it stands, or can come
    /// to.
    ///
    /// # Errors
    /// Why not.
    pub fn configurable(&self) -> Result<(), Refusal> {
        match &self.life {
            Life::Idle => Ok(()),
            Life::Failed(cause) if cause.is_permanent() => Err(Refusal::Failed(cause.clone())),
            Life::Failed(_) => Ok(()),
            Life::Live | Life::Failing(_) => Err(Refusal::Configured),
            Life::Ending { .. } | Life::Ended(_) => Err(Refusal::ShutDown),
        }
    }

    /// Somebody wants the ground, and the service if there is a mode.
    fn call(&mut self, ticket: Ticket, wanted: Option<Mode>, out: &mut Vec<Effect>) {
        match &self.life {
            Life::Ending { .. } | Life::Ended(_) => {
                mark!("startup_call_after_shutdown");
                tell(ticket, Err(Refusal::ShutDown), out);
            }
            Life::Failed(cause) if cause.is_permanent() => {
                tell(ticket, Err(Refusal::Failed(cause.clone())), out);
            }
            Life::Idle | Life::Failed(_) => {
                self.life = Life::Live;
                self.attempt += 1;
                self.ground = Some(Part::Coming);
                out.push(Effect::Create { attempt: self.attempt });
                self.join(ticket, wanted, out);
            }
            Life::Live | Life::Failing(_) => match (self.mode, wanted) {
                (Some(current), Some(requested)) if current != requested => {
                    mark!("startup_mode_conflict");
                    tell(ticket, Err(Refusal::ModeConflict { current, requested }), out);
                }
                _ => self.join(ticket, wanted, out),
            },
        }
    }

    /// Lets a call share the flight's outcome.
    fn join(&mut self, ticket: Ticket, wanted: Option<Mode>, out: &mut Vec<Effect>) {
        let live = self.life == Life::Live;
        match wanted {
            None if live && self.ground == Some(Part::Up) => tell(ticket, Ok(()), out),
            None => {
                self.preparing.insert(ticket);
            }
            Some(_) if live && self.service == Some(Part::Up) => tell(ticket, Ok(()), out),
            Some(mode) => {
                self.starting.insert(ticket);
                if live {
                    self.mode = Some(mode);
                    self.begin(out);
                }
            }
        }
    }

    fn watch(&mut self, ticket: Ticket, out: &mut Vec<Effect>) {
        match &self.life {
            Life::Live if self.service == Some(Part::Up) => tell(ticket, Ok(()), out),
            Life::Failed(cause) => tell(ticket, Err(Refusal::Failed(cause.clone())), out),
            Life::Ending { .. } | Life::Ended(_) => tell(ticket, Err(Refusal::ShutDown), out),
            Life::Idle | Life::Live | Life::Failing(_) => {
                self.watching.insert(ticket);
            }
        }
    }

    /// Begins the second phase, once: the first one is over and a mode was chosen.
    fn begin(&mut self, out: &mut Vec<Effect>) {
        if let (Some(Part::Up), Some(mode), None) = (self.ground, self.mode, self.service) {
            self.service = Some(Part::Coming);
            out.push(Effect::Begin { attempt: self.attempt, mode });
        }
    }

    fn created(&mut self, attempt: u32, out: &mut Vec<Effect>) {
        assert!(
            self.is_current(attempt) && self.ground.is_some(),
            "a ground comes once, after it was asked for"
        );
        // Asked to end before: it is on its way down already.
        if self.ground == Some(Part::Coming) {
            self.ground = Some(Part::Up);
            for ticket in std::mem::take(&mut self.preparing) {
                tell(ticket, Ok(()), out);
            }
            self.begin(out);
        }
    }

    fn began(&mut self, attempt: u32, out: &mut Vec<Effect>) {
        assert!(
            self.is_current(attempt) && self.service.is_some(),
            "a service comes once, after it was begun"
        );
        if self.service == Some(Part::Coming) {
            self.service = Some(Part::Up);
            for ticket in std::mem::take(&mut self.starting) {
                tell(ticket, Ok(()), out);
            }
            for ticket in std::mem::take(&mut self.watching) {
                tell(ticket, Ok(()), out);
            }
        }
    }

    /// Walks the state.
    ///
    /// # Panics
    /// When an invariant does not hold.
    pub fn check(&self) {
        if self.service.is_some() {
            assert!(self.mode.is_some(), "a service is of a mode");
        }
        match &self.life {
            Life::Idle | Life::Failed(_) | Life::Ended(_) => {
                assert_eq!((self.ground, self.service, self.mode), (None, None, None), "nothing is left");
                assert!(self.preparing.is_empty() && self.starting.is_empty() && self.ending.is_empty());
                assert!(self.watching.is_empty() || self.life == Life::Idle, "watchers were told");
            }
            Life::Live => {
                assert!(matches!(self.ground, Some(Part::Coming | Part::Up)), "a flight has its ground");
                assert!(self.service != Some(Part::Going), "what goes is failing or ending");
                assert!(self.service.is_none() || self.ground == Some(Part::Up), "one phase after the other");
                assert!(self.preparing.is_empty() || self.ground == Some(Part::Coming));
                assert!(self.starting.is_empty() || self.service != Some(Part::Up));
                assert!(self.starting.is_empty() || self.mode.is_some());
                assert!(self.ending.is_empty());
            }
            Life::Failing(_) => {
                assert!(self.ground.is_some() || self.service.is_some(), "there is something to take down");
                assert!(self.ending.is_empty());
            }
            Life::Ending { by, .. } => {
                assert!(self.ground.is_some() || self.service.is_some(), "there is something to take down");
                assert!(by.is_none() || self.service == Some(Part::Going), "only a service has a grace");
                assert!(self.preparing.is_empty() && self.starting.is_empty() && self.watching.is_empty());
            }
        }
    }

    const fn is_current(&self, attempt: u32) -> bool {
        attempt == self.attempt
    }
}

impl Default for Startup {
    fn default() -> Self {
        Self::new()
    }
}

fn tell(ticket: Ticket, outcome: Result<(), Refusal>, out: &mut Vec<Effect>) {
    out.push(Effect::Told { ticket, outcome });
}
