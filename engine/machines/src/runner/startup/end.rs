//! How it fails and how it ends: the service first, then the ground, then whoever waits is told.

use std::time::Duration;

use protocol::id::Ticket;
use protocol::mark;
use protocol::time::Now;

use super::face::{GRACE, GRACE_MIN};
use super::{Cause, Effect, End, Life, Part, Refusal, Standing, Startup, tell};

impl Startup {
    /// The ground has ended: it could not be made, was taken down, or went by itself.
    pub(super) fn gone(&mut self, attempt: u32, cause: Option<Cause>, out: &mut Vec<Effect>) {
        assert!(
            self.is_current(attempt) && self.ground.is_some(),
            "a ground ends once, after it was asked for"
        );
        self.ground = None;
        self.fail(cause.unwrap_or(Cause::EngineExited), out);
    }

    /// The service has ended: it could not begin, was ended, or went by itself.
    pub(super) fn finished(&mut self, attempt: u32, cause: Option<Cause>, out: &mut Vec<Effect>) {
        assert!(
            self.is_current(attempt) && self.service.is_some(),
            "a service ends once, after it was begun"
        );
        self.service = None;
        self.fail(cause.unwrap_or(Cause::EndedEarly), out);
    }

    /// Something ended. As long as nothing had failed and nobody asked, that is a failure.
    fn fail(&mut self, cause: Cause, out: &mut Vec<Effect>) {
        match &self.life {
            Life::Live => self.life = Life::Failing(cause),
            Life::Failing(_) | Life::Ending { .. } => {}
            Life::Idle | Life::Failed(_) | Life::Ended(_) => unreachable!("nothing stands that could end"),
        }
        self.take_down(out);
    }

    /// Asks the next part to end, or tells everybody that none is left.
    fn take_down(&mut self, out: &mut Vec<Effect>) {
        let attempt = self.attempt;
        match (self.service, self.ground) {
            // Of a failure: what it stood on is gone.
            (Some(Part::Coming | Part::Up), _) => {
                self.service = Some(Part::Going);
                out.push(Effect::StopService { attempt });
            }
            (Some(Part::Going), _) | (None, Some(Part::Going)) => {}
            (None, Some(Part::Coming | Part::Up)) => {
                self.ground = Some(Part::Going);
                if let Life::Ending { by, .. } = &mut self.life {
                    *by = None;
                }
                out.push(Effect::Destroy { attempt });
            }
            (None, None) => self.settle(out),
        }
    }

    fn settle(&mut self, out: &mut Vec<Effect>) {
        self.mode = None;
        match self.life.clone() {
            Life::Failing(cause) => {
                let callers = [&mut self.preparing, &mut self.starting, &mut self.watching];
                for ticket in callers.into_iter().flat_map(std::mem::take) {
                    tell(ticket, Err(Refusal::Failed(cause.clone())), out);
                }
                self.life = Life::Failed(cause);
            }
            Life::Ending { end, .. } => {
                self.life = Life::Ended(end);
                for ticket in std::mem::take(&mut self.ending) {
                    out.push(Effect::Ended { ticket, end });
                }
            }
            Life::Idle | Life::Live | Life::Failed(_) | Life::Ended(_) => {
                unreachable!("only what fails or ends settles")
            }
        }
    }

    /// Asked to end in order.
    pub(super) fn drain(
        &mut self,
        now: Now,
        ticket: Option<Ticket>,
        grace: Option<Duration>,
        out: &mut Vec<Effect>,
    ) {
        if !self.end(ticket, End::Drained, out) {
            return;
        }
        if let Some(Part::Coming | Part::Up) = self.service {
            let grace = grace.or(self.announced).unwrap_or(GRACE).max(GRACE_MIN);
            self.life = Life::Ending { by: Some(now.mono + grace), end: End::Drained };
            self.service = Some(Part::Going);
            out.push(Effect::DrainService { attempt: self.attempt });
        } else {
            self.take_down(out);
        }
    }

    /// Asked to end at once.
    pub(super) fn stop(&mut self, ticket: Option<Ticket>, out: &mut Vec<Effect>) {
        if self.end(ticket, End::Stopped, out) {
            self.take_down(out);
        } else if let Life::Ending { by: Some(_), .. } = self.life {
            self.hurry(End::Stopped, out);
        }
    }

    /// The grace of a drain is over.
    pub(super) fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        if let Life::Ending { by: Some(by), .. } = self.life
            && now.mono >= by
        {
            mark!("startup_drain_overdue");
            self.hurry(End::Overdue, out);
        }
    }

    /// Ends at once what drains.
    fn hurry(&mut self, end: End, out: &mut Vec<Effect>) {
        self.life = Life::Ending { by: None, end };
        out.push(Effect::StopService { attempt: self.attempt });
    }

    /// The first request to end refuses all callers; each joins the one end. Whether it was the first and something
    /// stands.
    fn end(&mut self, ticket: Option<Ticket>, end: End, out: &mut Vec<Effect>) -> bool {
        let refusal = match &self.life {
            Life::Ended(end) => {
                out.extend(ticket.map(|ticket| Effect::Ended { ticket, end: *end }));
                return false;
            }
            Life::Ending { .. } => {
                self.ending.extend(ticket);
                return false;
            }
            Life::Failing(cause) => Refusal::Failed(cause.clone()),
            Life::Idle | Life::Live | Life::Failed(_) => Refusal::ShutDown,
        };
        let callers = [&mut self.preparing, &mut self.starting, &mut self.watching];
        for ticket in callers.into_iter().flat_map(std::mem::take) {
            mark!("startup_shutdown_refuses_caller");
            tell(ticket, Err(refusal.clone()), out);
        }
        self.ending.extend(ticket);
        self.life = Life::Ending { by: None, end };
        if self.ground.is_none() && self.service.is_none() {
            self.settle(out);
            return false;
        }
        true
    }

    /// How it stands, for people and health reports.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (&self.life, self.ground, self.mode) {
            (Life::Idle, ..) => Standing::Idle,
            (Life::Live, Some(Part::Coming), _) => Standing::Preparing,
            (Life::Live, _, None) => Standing::Prepared,
            (Life::Live, _, Some(mode)) if self.service == Some(Part::Up) => Standing::Running(mode),
            (Life::Live, _, Some(mode)) => Standing::Starting(mode),
            (Life::Failing(cause) | Life::Failed(cause), ..) => Standing::Failed(cause.clone()),
            (Life::Ending { .. }, ..) => Standing::Draining,
            (Life::Ended(end), ..) => Standing::Stopped(*end),
        }
    }

    /// How it came to rest: ended, or failed with nothing left. None as long as something stands, comes or goes, and
    /// before the first call.
    ///
    /// # Errors
    /// Why it failed.
    #[must_use]
    pub fn settled(&self) -> Option<Result<End, Cause>> {
        match &self.life {
            Life::Ended(end) => Some(Ok(*end)),
            Life::Failed(cause) => Some(Err(cause.clone())),
            Life::Idle | Life::Live | Life::Failing(_) | Life::Ending { .. } => None,
        }
    }
}
