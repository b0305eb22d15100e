//! A generation's beginning and end: the only places where an actor gains or loses its right to a runner.

use std::time::Duration;

use protocol::api::CrashPolicy;
use protocol::error::{ActorError, UserText};
use protocol::id::{ActorId, Generation, RunnerId};
use protocol::mark;
use protocol::time::Wall;
use protocol::view::{Fact, GenerationEnd};
use protocol::wire::StopCode;

use super::Control;
use super::effect::{Command, CommandKind};
use super::hash::fnv;
use super::placement::Seat;
use super::record::{Actor, Phase, Stage, StopCause, Text};
use super::step::Step;

/// Delay between two starts of an actor that crashes while somebody waits for it; the first restart has none. Ours:
/// short against the 30 s a client waits, long against a start, so that a crash loop does not fill the store.
const WATCHED_DELAY: Duration = Duration::from_millis(250);

/// Jitter added to a backoff is below this, in milliseconds. Upstream's.
const JITTER_MS: u64 = 500;
pub(super) const JITTER: Duration = Duration::from_millis(JITTER_MS);

/// What ended a generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ending {
    /// Its runner said so.
    Stopped {
        /// How.
        code: StopCode,
        /// What the runner said of it.
        message: Option<UserText>,
    },
    /// Its runner was lost.
    RunnerLost,
    /// It neither started nor stopped in time.
    NoResponse,
}

/// What follows.
enum Next {
    Pending,
    Sleeping,
    Backoff(Wall),
    Destroyed,
}

impl Control {
    /// Assigns a new generation of a pending actor to a runner that may take it, and starts it.
    pub(super) fn allocate(&mut self, step: &mut Step, id: ActorId, seat: Seat) {
        let host = self.runners.at(seat);
        let runner = host.record.id;
        let conn = self.ready(host).expect("who can be chosen has a session past its barrier");
        let actor = self.actors.known_mut(id);
        assert!(matches!(actor.phase, Phase::Pending { .. }), "only a pending actor is placed");
        let generation = actor.generation.map_or(Generation::FIRST, Generation::next);
        actor.generation = Some(generation);
        let start = start_command(actor, generation);
        let deadline = self.now.wall + self.options.start_threshold;
        let stage = Stage::Starting { deadline };
        self.set_phase(step, id, Phase::Allocated { runner, stage, last_event: None });
        step.fact(Fact::Placed { actor: id, generation, runner });
        step.command(conn, start);
    }

    /// Ends the current generation of an allocated actor and decides what follows.
    pub(super) fn end_generation(&mut self, step: &mut Step, id: ActorId, ending: &Ending) {
        let actor = self.actors.known(id);
        let generation = actor.generation.expect("an allocated actor has a generation");
        let Phase::Allocated { runner, stage, .. } = actor.phase.clone() else {
            unreachable!("only an allocated actor has a generation to end");
        };
        let cause = match stage {
            Stage::Stopping { cause, .. } => Some(cause),
            Stage::Starting { .. } | Stage::Running => None,
        };
        let rings = actor.rings && !is_its_own(ending, cause);
        if actor.rings && !rings {
            mark!("control.alarm_of_a_failed_start");
            self.set_alarm(step, id, None);
        }
        step.fact(Fact::Ended { actor: id, generation, how: how(ending, cause) });
        match ending {
            Ending::Stopped { .. } | Ending::RunnerLost => {}
            Ending::NoResponse => self.linger(step, runner, id, generation),
        }
        let actor = self.actors.known_mut(id);
        actor.failure = failure(ending, cause, runner).map(Box::new);
        if how(ending, cause) == GenerationEnd::Stopped {
            actor.retries = 0;
        }
        match self.next(id, ending, cause, rings) {
            Next::Pending => self.set_pending(step, id),
            Next::Sleeping => self.set_phase(step, id, Phase::Sleeping),
            Next::Backoff(until) => self.set_phase(step, id, Phase::Backoff { until }),
            Next::Destroyed => self.set_destroyed(step, id),
        }
    }

    /// `rings`: its alarm has still to find it running.
    fn next(&mut self, id: ActorId, ending: &Ending, cause: Option<StopCause>, rings: bool) -> Next {
        let watched = self.is_wanted(id);
        let wanted = watched || rings;
        let asleep = |awake: bool| if awake { Next::Pending } else { Next::Sleeping };
        let policy = self.actors.known(id).crash_policy;
        match (cause, ending) {
            (Some(StopCause::Destroy), _) => Next::Destroyed,
            (Some(StopCause::Sleep { wake }), _) => asleep(wake || wanted),
            (Some(StopCause::Reschedule), _) => Next::Pending,
            (Some(StopCause::GoingAway), _) => match policy {
                CrashPolicy::Restart | CrashPolicy::Destroy => Next::Pending,
                CrashPolicy::Sleep => asleep(wanted),
            },
            (None, Ending::Stopped { code: StopCode::Ok, .. }) => Next::Destroyed,
            (
                None,
                Ending::Stopped { code: StopCode::Error, .. } | Ending::RunnerLost | Ending::NoResponse,
            ) => match policy {
                CrashPolicy::Destroy => Next::Destroyed,
                CrashPolicy::Sleep if !wanted => Next::Sleeping,
                CrashPolicy::Sleep | CrashPolicy::Restart => self.restart(id, watched),
            },
        }
    }

    /// The first restart follows at once, each further one after a growing delay.
    fn restart(&mut self, id: ActorId, watched: bool) -> Next {
        let now = self.now.wall;
        let options = &self.options;
        let actor = self.actors.known_mut(id);
        if actor.retried.is_none_or(|last| now.since(last) > options.backoff_reset) {
            actor.retries = 0;
        }
        let attempt = actor.retries;
        actor.retries = attempt.saturating_add(1);
        let delay = match attempt.checked_sub(1) {
            None => Duration::ZERO,
            Some(_) if watched => WATCHED_DELAY,
            Some(exponent) => {
                options.backoff(exponent).saturating_add(Duration::from_millis(jitter(id, attempt)))
            }
        };
        let until = now + delay;
        actor.retried = Some(until);
        if delay.is_zero() { Next::Pending } else { Next::Backoff(until) }
    }
}

/// Whether a start that has come to nothing has done so by the actor's own doing, rather than by its runner's.
const fn is_its_own(ending: &Ending, cause: Option<StopCause>) -> bool {
    match (ending, cause) {
        (Ending::RunnerLost, _) | (_, Some(StopCause::GoingAway | StopCause::Reschedule)) => false,
        (
            Ending::Stopped { .. } | Ending::NoResponse,
            None | Some(StopCause::Sleep { .. } | StopCause::Destroy),
        ) => true,
    }
}

const fn how(ending: &Ending, cause: Option<StopCause>) -> GenerationEnd {
    match ending {
        // A stop that was asked for is no crash: RivetKit 2.2.1 reports Error on a normal sleep.
        Ending::Stopped { code: StopCode::Error, .. } if cause.is_none() => GenerationEnd::Crashed,
        Ending::Stopped { .. } => GenerationEnd::Stopped,
        Ending::RunnerLost => GenerationEnd::RunnerLost,
        Ending::NoResponse => GenerationEnd::NoResponse,
    }
}

fn failure(ending: &Ending, cause: Option<StopCause>, runner_id: RunnerId) -> Option<ActorError> {
    match ending {
        Ending::Stopped { code: StopCode::Error, message } if cause.is_none() => {
            Some(ActorError::Crashed { message: message.clone() })
        }
        Ending::Stopped { .. } => None,
        Ending::RunnerLost => Some(ActorError::RunnerConnectionLost { runner_id }),
        Ending::NoResponse if cause == Some(StopCause::GoingAway) => {
            Some(ActorError::RunnerDrainingTimeout { runner_id })
        }
        Ending::NoResponse => Some(ActorError::RunnerNoResponse { runner_id }),
    }
}

/// Spreads the restarts of actors that crashed together, by the actor and its attempt.
fn jitter(id: ActorId, attempt: u32) -> u64 {
    fnv(id.as_str().bytes().chain(attempt.to_le_bytes())) % JITTER_MS
}

/// The first command of a generation.
pub(super) fn start_command(actor: &Actor, generation: Generation) -> Command {
    let kind = CommandKind::Start {
        name: actor.name.to_string(),
        key: actor.key.as_ref().map(Text::to_string),
        create_ts: actor.created.to_wire(),
        has_input: actor.has_input,
    };
    Command { actor: actor.id, generation, index: 0, kind }
}

/// The second and last command of a generation.
pub(super) const fn stop_command(actor: ActorId, generation: Generation) -> Command {
    Command { actor, generation, index: 1, kind: CommandKind::Stop }
}
