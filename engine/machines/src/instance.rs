//! One generation of one actor, as its user code lives it: loaded, started, asked, kept awake, saved, put to sleep,
//! stopped.
//!
//! [`super::runner`] decides which generation runs here and what its session may still carry; this machine decides what
//! happens to the one that runs: which hook is called when, what work is taken, when it counts as idle, when its state
//! is written, how long a stop waits. It holds no state of the user's, no request and no future: those are the driver's,
//! by ticket.
//!
//! One noun a file: [`begin`] brings it up, [`work`] is what it is asked, [`idle`] says when it may sleep, [`save`] when
//! its state is written, [`end`] takes it down, [`expire`] knows what is due, [`check`] what always holds.

mod begin;
mod check;
pub mod effect;
mod end;
mod expire;
mod idle;
pub mod input;
pub mod options;
mod save;
mod work;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::Ticket;
use protocol::time::{Mono, Now};

pub use effect::{Effect, Refusal, SaveFailure};
pub use input::{Input, Saved, When, WorkKind};
pub use options::Options;

use save::Save;
use work::Work;

/// User code that the machine asks for, and that nobody else calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Fills the state of an actor that starts for the first time.
    Create,
    /// Before anything is asked of it.
    Start,
    /// In the background from then on.
    Run,
    /// Before it stops.
    Sleep,
    /// Before it stops for good.
    Destroy,
}

/// An instance's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    options: Options,
    phase: Phase,
    /// The hooks that run, [`Hook::Run`] among them.
    hooks: BTreeSet<Hook>,
    /// What it is asked, until that has ended.
    work: BTreeMap<Ticket, Work>,
    /// When the time of a work is over: of each that has one and is waited for.
    due: BTreeSet<(Mono, Ticket)>,
    /// Guards that keep it awake.
    keeps: usize,
    /// Whether its background code waits for a message and does nothing else.
    parked: bool,
    /// Since when nothing has kept it awake.
    idle: Option<Mono>,
    /// Whether it has told that it wants to sleep.
    sleeps: bool,
    /// Whether it has told that it wants to be destroyed.
    destroys: bool,
    /// The hook that a stop has called last.
    farewell: Option<Hook>,
    save: Save,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Has not begun.
    Fresh,
    /// Its state is being read. All of the beginning ends by then.
    Loading { by: Mono },
    /// [`Hook::Create`] runs.
    Creating { by: Mono },
    /// [`Hook::Start`] runs.
    Starting { by: Mono, first: bool },
    /// Its first state is being written.
    Keeping { by: Mono },
    /// Takes what it is asked.
    Running,
    /// Finishes what it does.
    Stopping {
        /// Whatever runs then is dropped.
        by: Mono,
        error: Option<String>,
    },
    /// Writes its state for the last time.
    Saving {
        /// Does without it then.
        by: Mono,
        error: Option<String>,
    },
    /// Is over.
    Ended,
}

impl Instance {
    /// An instance that has not begun: send [`Input::Begin`].
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self {
            options,
            phase: Phase::Fresh,
            hooks: BTreeSet::new(),
            work: BTreeMap::new(),
            due: BTreeSet::new(),
            keeps: 0,
            parked: false,
            idle: None,
            sleeps: false,
            destroys: false,
            farewell: None,
            save: Save::new(),
        }
    }

    /// One step: takes the input, then does whatever is due at `now`. Effects are appended to `out` in the order they must
    /// be performed.
    ///
    /// # Panics
    /// When the driver ends what it did not begin.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        let now = now.mono;
        if self.is_over() {
            return late(input, out);
        }
        match input {
            Input::Tick => {}
            Input::Begin => self.begin(now, out),
            Input::Loaded { first } => self.loaded(first, out),
            Input::LoadFailed { error } => self.fail(Some(error), out),
            Input::HookEnded { hook, error } => self.hook_ended(now, hook, error, out),
            Input::Ask { ticket, kind } => self.ask(now, ticket, kind, out),
            Input::Unasked { ticket } => self.unasked(ticket, out),
            Input::Done { ticket } => self.done(ticket),
            Input::KeepAwake => self.keep_awake(),
            Input::LetSleep => self.let_sleep(),
            Input::Parked(parked) => self.parked = parked,
            Input::Changed => self.changed(now),
            Input::Save { ticket, when } => self.save_asked(now, ticket, when, out),
            Input::Saved { outcome, jitter } => self.saved(now, outcome, jitter, out),
            Input::Sleep => self.sleep(out),
            Input::Destroy => self.destroy(out),
            Input::Stop => self.stop(now, None, out),
            Input::Cut => self.fail(None, out),
        }
        self.expire(now, out);
        self.settle(now, out);
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Ended
    }
}

/// What is answered after the end.
fn late(input: Input, out: &mut Vec<Effect>) {
    match input {
        Input::Ask { ticket, .. } => out.push(Effect::Refuse { ticket, refusal: Refusal::Stopping }),
        Input::Save { ticket, .. } => {
            out.push(Effect::TellSaved { ticket, outcome: Err(SaveFailure::Ended) });
        }
        Input::Tick
        | Input::Begin
        | Input::Loaded { .. }
        | Input::LoadFailed { .. }
        | Input::HookEnded { .. }
        | Input::Unasked { .. }
        | Input::Done { .. }
        | Input::KeepAwake
        | Input::LetSleep
        | Input::Parked(_)
        | Input::Changed
        | Input::Saved { .. }
        | Input::Sleep
        | Input::Destroy
        | Input::Stop
        | Input::Cut => {}
    }
}
