//! An engine as a process beside the application: found or spawned, waited for until it is healthy, ended.
//!
//! The port is looked at first. An engine that is there is used and never ended, whoever started it; anything else
//! there is a failure for good. Right before the spawn the port is looked at again, since two applications may have
//! come to the same thought. A child that does not become healthy in time is ended, first politely. One that was found
//! healthy and goes by itself is a failure that may pass.
//!
//! The driver looks ([`Effect::Probe`]), spawns and sends signals.

use std::time::Duration;

use protocol::mark;
use protocol::time::{Mono, Now};

use super::Cause;

#[cfg(test)]
mod tests;

/// How long one look may take (upstream).
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a child may take to be healthy (upstream).
pub const HEALTH_WAIT: Duration = Duration::from_secs(10);

/// First wait between two looks at a child; it doubles (upstream).
pub const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// Longest wait between two looks (upstream).
pub const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How long a child may take to end in order (upstream).
pub const TERM_GRACE: Duration = Duration::from_secs(5);

/// What is spawned where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// The port of the engine, for texts.
    pub port: u16,
    /// Whether a child outlives the application, and serves the next one. Default no: what was created is taken down.
    pub keep: bool,
    /// How long a child may take to be healthy. Default [`HEALTH_WAIT`].
    pub health_wait: Duration,
}

/// One input of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// Begin.
    Start,
    /// A look ended.
    Probed {
        /// Which.
        probe: u32,
        /// What was seen.
        seen: Seen,
    },
    /// A child runs, or why there is none.
    Spawned(Result<(), Cause>),
    /// The child has ended.
    Exited,
    /// Take it down.
    End,
}

/// What a look at the port saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// A healthy engine.
    Engine,
    /// Something that is no engine.
    Foreign,
    /// Nothing, or an engine that is not healthy yet: refused, or a status other than 2xx.
    Nothing,
}

/// One effect of a step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Ask for `/health`; `Probed` follows. Takes the place of the look before, which is given up.
    Probe {
        /// Told back.
        probe: u32,
    },
    /// Find the binary and spawn it, in a process group of its own; `Spawned` follows, then `Exited`.
    Spawn,
    /// Ask the child to end.
    Terminate,
    /// End the child.
    Kill,
    /// The engine is healthy.
    Up,
    /// It is over; nothing that was created is left, unless it is to be kept.
    Gone {
        /// Why, unless it was asked to.
        cause: Option<Cause>,
    },
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Fresh,
    /// Looks before there is a child; the second time right before the spawn.
    Looking {
        by: Mono,
        again: bool,
    },
    Spawning,
    /// Looks at the child.
    Waiting {
        /// The look that runs ends then, or the next one begins.
        until: Mono,
        looks: bool,
        /// Then it is given up.
        by: Mono,
        pause: Duration,
    },
    /// The child has ended, maybe because another one took its port: looks once more.
    Outrun {
        by: Mono,
    },
    /// An engine is there.
    Up {
        found: bool,
    },
    /// The child is to end, or ends when it is known to be there.
    Ending {
        cause: Option<Cause>,
        /// Then it is killed; none once it is, or before it is known.
        by: Option<Mono>,
        known: bool,
    },
    Gone,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spawn {
    options: Options,
    phase: Phase,
    probes: u32,
}

impl Spawn {
    /// A machine that does nothing before [`Input::Start`].
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options, phase: Phase::Fresh, probes: 0 }
    }

    /// One step.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Start if self.phase == Phase::Fresh => self.look(now, false, out),
            Input::Start => {}
            Input::Tick => self.tick(now, out),
            Input::Probed { probe, seen } if probe == self.probes => self.probed(now, seen, out),
            // Given up before.
            Input::Probed { .. } => {}
            Input::Spawned(outcome) => self.spawned(now, outcome, out),
            Input::Exited => self.exited(now, out),
            Input::End => self.end(now, out),
        }
    }

    /// When to tick at the latest, and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        match self.phase {
            Phase::Looking { by, .. } | Phase::Outrun { by } => Some((by, "probe timeout")),
            Phase::Waiting { until, by, .. } if by < until => Some((by, "health wait")),
            Phase::Waiting { until, looks: true, .. } => Some((until, "probe timeout")),
            Phase::Waiting { until, looks: false, .. } => Some((until, "next probe")),
            Phase::Ending { by: Some(by), .. } => Some((by, "termination grace")),
            Phase::Fresh
            | Phase::Spawning
            | Phase::Up { .. }
            | Phase::Ending { by: None, .. }
            | Phase::Gone => None,
        }
    }

    fn probe(&mut self, out: &mut Vec<Effect>) {
        self.probes += 1;
        out.push(Effect::Probe { probe: self.probes });
    }

    fn look(&mut self, now: Now, again: bool, out: &mut Vec<Effect>) {
        self.phase = Phase::Looking { by: now.mono + PROBE_TIMEOUT, again };
        self.probe(out);
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        match self.phase {
            // Whoever takes a connection and says nothing is there, and no engine.
            Phase::Looking { by, .. } if now.mono >= by => self.probed(now, Seen::Foreign, out),
            Phase::Outrun { by } if now.mono >= by => self.probed(now, Seen::Nothing, out),
            Phase::Waiting { by, .. } if now.mono >= by => {
                mark!("startup_engine_unhealthy");
                let port = self.options.port;
                self.take_down(now, Some(Cause::HealthCheckFailed { port }), out);
            }
            Phase::Waiting { until, looks: true, .. } if now.mono >= until => {
                self.probed(now, Seen::Nothing, out);
            }
            Phase::Waiting { until, looks: false, by, pause } if now.mono >= until => {
                let until = now.mono + PROBE_TIMEOUT;
                self.phase = Phase::Waiting { until, looks: true, by, pause };
                self.probe(out);
            }
            Phase::Ending { ref mut by, .. } if by.is_some_and(|by| now.mono >= by) => {
                mark!("startup_engine_killed");
                *by = None;
                out.push(Effect::Kill);
            }
            Phase::Fresh
            | Phase::Looking { .. }
            | Phase::Spawning
            | Phase::Waiting { .. }
            | Phase::Outrun { .. }
            | Phase::Up { .. }
            | Phase::Ending { .. }
            | Phase::Gone => {}
        }
    }

    fn probed(&mut self, now: Now, seen: Seen, out: &mut Vec<Effect>) {
        let occupied = Cause::PortOccupied { port: self.options.port };
        match (&self.phase, seen) {
            (Phase::Looking { .. } | Phase::Outrun { .. }, Seen::Engine) => {
                self.phase = Phase::Up { found: true };
                out.push(Effect::Up);
            }
            (Phase::Looking { .. } | Phase::Outrun { .. }, Seen::Foreign) => self.gone(Some(occupied), out),
            (Phase::Looking { again: false, .. }, Seen::Nothing) => self.look(now, true, out),
            (Phase::Looking { again: true, .. }, Seen::Nothing) => {
                self.phase = Phase::Spawning;
                out.push(Effect::Spawn);
            }
            (Phase::Outrun { .. }, Seen::Nothing) => self.gone(Some(Cause::EngineExited), out),
            (Phase::Waiting { .. }, Seen::Engine) => {
                self.phase = Phase::Up { found: false };
                out.push(Effect::Up);
            }
            (Phase::Waiting { .. }, Seen::Foreign) => self.take_down(now, Some(occupied), out),
            (&Phase::Waiting { by, pause, .. }, Seen::Nothing) => {
                let until = now.mono + pause;
                self.phase = Phase::Waiting { until, looks: false, by, pause: (pause * 2).min(PAUSE_MAX) };
            }
            (
                Phase::Fresh | Phase::Spawning | Phase::Up { .. } | Phase::Ending { .. } | Phase::Gone,
                Seen::Engine | Seen::Foreign | Seen::Nothing,
            ) => {}
        }
    }

    fn spawned(&mut self, now: Now, outcome: Result<(), Cause>, out: &mut Vec<Effect>) {
        match (&self.phase, outcome) {
            (Phase::Spawning, Ok(())) => {
                let by = now.mono + self.options.health_wait;
                let until = now.mono + PROBE_TIMEOUT;
                self.phase = Phase::Waiting { until, looks: true, by, pause: PAUSE_FIRST };
                self.probe(out);
            }
            (Phase::Spawning, Err(cause)) => self.gone(Some(cause), out),
            (Phase::Ending { cause, known: false, .. }, Ok(())) => {
                mark!("startup_engine_ended_at_birth");
                let cause = cause.clone();
                self.terminate(now, cause, out);
            }
            (Phase::Ending { cause, known: false, .. }, Err(_)) => {
                let cause = cause.clone();
                self.gone(cause, out);
            }
            (
                Phase::Fresh
                | Phase::Looking { .. }
                | Phase::Waiting { .. }
                | Phase::Outrun { .. }
                | Phase::Up { .. }
                | Phase::Ending { .. }
                | Phase::Gone,
                Ok(()) | Err(_),
            ) => unreachable!("one spawn has one outcome"),
        }
    }

    fn exited(&mut self, now: Now, out: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Waiting { .. } => {
                mark!("startup_engine_outrun");
                self.phase = Phase::Outrun { by: now.mono + PROBE_TIMEOUT };
                self.probe(out);
            }
            Phase::Up { found: false } => self.gone(Some(Cause::EngineExited), out),
            Phase::Ending { cause, .. } => {
                let cause = cause.clone();
                self.gone(cause, out);
            }
            Phase::Fresh
            | Phase::Looking { .. }
            | Phase::Spawning
            | Phase::Outrun { .. }
            | Phase::Up { found: true }
            | Phase::Gone => {}
        }
    }

    fn end(&mut self, now: Now, out: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Up { found: false } if self.options.keep => self.gone(None, out),
            Phase::Waiting { .. } | Phase::Up { found: false } | Phase::Spawning => {
                self.take_down(now, None, out);
            }
            Phase::Fresh | Phase::Looking { .. } | Phase::Outrun { .. } | Phase::Up { found: true } => {
                self.gone(None, out);
            }
            Phase::Ending { .. } | Phase::Gone => {}
        }
    }

    fn take_down(&mut self, now: Now, cause: Option<Cause>, out: &mut Vec<Effect>) {
        if self.phase == Phase::Spawning {
            self.phase = Phase::Ending { cause, by: None, known: false };
        } else {
            self.terminate(now, cause, out);
        }
    }

    fn terminate(&mut self, now: Now, cause: Option<Cause>, out: &mut Vec<Effect>) {
        self.phase = Phase::Ending { cause, by: Some(now.mono + TERM_GRACE), known: true };
        out.push(Effect::Terminate);
    }

    fn gone(&mut self, cause: Option<Cause>, out: &mut Vec<Effect>) {
        self.phase = Phase::Gone;
        out.push(Effect::Gone { cause });
    }
}
