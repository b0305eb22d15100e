//! What follows when an actor has stopped.

use std::time::Duration;

use protocol::api::CrashPolicy;
use protocol::time::Wall;

use super::{Actor, Stands, Stop};

/// While a client waits for it, a restart rests this long, but for the first.
const WATCHED: Duration = Duration::from_millis(250);
/// The second rest; each further one is twice as long.
const BASE: Duration = Duration::from_secs(2);
/// So many doublings.
const DOUBLINGS: u32 = 8;
/// On top of a rest, at most.
const JITTER: Duration = Duration::from_millis(500);
/// Without a restart for this long they begin anew.
const RESET: Duration = Duration::from_secs(600);

/// How a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Clean,
    Crash,
    Loss,
}

/// What becomes of the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    Waits,
    Sleeps,
    Rests { earliest: Wall, latest: Wall },
    Gone,
}

impl Actor {
    pub(super) fn follows(&mut self, end: End, now: Wall) -> Follows {
        let Stands::Hosted { stops, .. } = self.stands else { return Follows::Gone };
        // A start that its alarm asked for, and that was taken from it, is made again.
        let taken = end == End::Loss || stops == Some(Stop::Move);
        if self.rings && !taken {
            self.set_alarm(None);
        }
        let wanted = self.watched || self.rings;
        if end == End::Clean || (end == End::Crash && stops.is_some()) {
            self.restarts = 0;
        }
        let sleeps = if wanted { Follows::Waits } else { Follows::Sleeps };
        match (stops, self.policy) {
            (Some(Stop::End), _) => Follows::Gone,
            (Some(Stop::Sleep { again: true }), _) => Follows::Waits,
            (Some(Stop::Sleep { again: false }), _) | (Some(Stop::Move), CrashPolicy::Sleep) => sleeps,
            (Some(Stop::Move), CrashPolicy::Restart | CrashPolicy::Destroy) => Follows::Waits,
            (None, _) if end == End::Clean => Follows::Gone,
            (None, CrashPolicy::Destroy) => Follows::Gone,
            (None, CrashPolicy::Sleep) if !wanted => Follows::Sleeps,
            (None, CrashPolicy::Sleep | CrashPolicy::Restart) => self.restart(now),
        }
    }

    fn restart(&mut self, now: Wall) -> Follows {
        if self.restarted.is_none_or(|last| now.since(last) > RESET) {
            self.restarts = 0;
        }
        self.restarts += 1;
        self.restarted = Some(now);
        let (rest, jitter) = match self.restarts {
            1 => return Follows::Waits,
            _ if self.watched => (WATCHED, Duration::ZERO),
            many => (BASE * 2_u32.pow((many - 2).min(DOUBLINGS)), JITTER),
        };
        self.restarted = Some(now + rest);
        Follows::Rests { earliest: now + rest, latest: now + rest + jitter }
    }
}
