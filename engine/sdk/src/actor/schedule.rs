//! What an actor does later, once or again and again.

use std::sync::Arc;
use std::time::Duration;

use machines::schedule::{Answer, RUNS_MAX, When};
use protocol::error::UserText;
use protocol::time::Wall;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

pub use machines::schedule::{
    INTERVAL_MIN, JOB_NAME_BYTES_MAX, JobId, Outcome, Recurs, RunRow as Run, ScheduleError as Refusal, Which,
};

use super::context::Core;
use super::{Action, Kv, KvError, layout};
use crate::instance::Ask;
use crate::instance::schedules::{Asked, Teller, rows};

/// An actor's schedules: actions of its own that it calls later, awake or woken for it. Whatever is set is durable when the
/// call returns, and the engine wakes the actor for it.
///
/// What runs once runs at most once: it is forgotten before it runs, and a crash in between loses it. What recurs runs
/// once for all occurrences that were missed while nobody was awake, never beside itself, and an end of each run is
/// remembered. Nothing runs once the actor has begun to stop; that waits for the wake. `docs/schedules.md` tells all.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sdk::{Action, Actions, Actor, ActorError, Context};
///
/// const REMIND: Action<String, ()> = Action::new("remind");
///
/// struct Reminder;
///
/// impl Actor for Reminder {
///     type State = ();
///
///     fn actions(on: &mut Actions<Self>) {
///         on.action(REMIND, Self::remind);
///     }
///
///     async fn on_start(&self, ctx: &Context<()>) -> Result<(), ActorError> {
///         // Each start replaces it by the same.
///         ctx.schedule().cron("0 16 * * *", "Europe/London", "tea time", REMIND, "tea".to_owned()).await?;
///         Ok(())
///     }
/// }
///
/// impl Reminder {
///     async fn remind(self: Arc<Self>, ctx: Context<()>, of: String) -> Result<(), ActorError> {
///         println!("{of}!");
///         if of == "tea" {
///             ctx.schedule().after(Duration::from_secs(180), REMIND, "take out the bag".to_owned()).await?;
///         }
///         Ok(())
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Schedule(Arc<Core>);

/// Something that is scheduled.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// Its id, never used for another one.
    pub id: JobId,
    /// Under which it is replaced, if it has a name.
    pub name: Option<String>,
    /// The action it calls.
    pub action: String,
    /// With what.
    pub input: Value,
    /// When it is due.
    pub next: Wall,
    /// How it comes again.
    pub recurs: Recurs,
    /// Whether it runs at this moment. What runs once is not scheduled any more when it does.
    pub running: bool,
}

/// Why something is not scheduled, or not known to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It was refused, or its outcome is not known.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The actor has no such action.
    #[error("this actor has no action named {action:?}")]
    NoAction {
        /// The name that was given.
        action: &'static str,
    },
    /// What the action is to be called with is no JSON.
    #[error("what the action is to be called with is no JSON: {reason}")]
    NoJson {
        /// Why not.
        reason: UserText,
    },
    /// The instance ended before it was known to be stored: it may be.
    #[error("the instance ended before the schedule was known to be stored")]
    Ended,
    /// Its runs could not be read.
    #[error(transparent)]
    Unread(#[from] KvError),
}

impl ScheduleError {
    /// Its stable name for clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::NoAction { .. } => "action_not_found",
            Self::NoJson { .. } => "invalid_input",
            Self::Ended => "ended",
            Self::Unread(_) => "unread",
        }
    }

    /// Whether what was asked for was right, and the same may succeed later.
    pub(crate) const fn is_passing(&self) -> bool {
        match self {
            Self::Refused(Refusal::Busy { .. } | Refusal::Indeterminate | Refusal::Destroyed)
            | Self::Ended
            | Self::Unread(_) => true,
            Self::Refused(
                Refusal::BadName { .. }
                | Refusal::TooLarge { .. }
                | Refusal::TooMany { .. }
                | Refusal::IntervalTooShort { .. }
                | Refusal::TooManyRuns { .. }
                | Refusal::BadCron { .. }
                | Refusal::UnknownZone { .. }
                | Refusal::NeverDue,
            )
            | Self::NoAction { .. }
            | Self::NoJson { .. } => false,
        }
    }
}

impl Schedule {
    pub(super) const fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// Calls the action once, at that time; at once if it is past.
    ///
    /// # Errors
    /// [`ScheduleError`], as for all below.
    pub async fn at<In: Serialize + Send, Out>(
        &self,
        at: Wall,
        action: Action<In, Out>,
        input: In,
    ) -> Result<JobId, ScheduleError> {
        self.set(None, When::At(at), action, input).await
    }

    /// Calls the action once, that long from now.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn after<In: Serialize + Send, Out>(
        &self,
        wait: Duration,
        action: Action<In, Out>,
        input: In,
    ) -> Result<JobId, ScheduleError> {
        self.set(None, When::After(wait), action, input).await
    }

    /// Calls the action each time the interval (at least [`INTERVAL_MIN`]) has passed, for the first time one from now.
    /// Replaces what is scheduled under the same name (at most [`JOB_NAME_BYTES_MAX`]).
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn every<In: Serialize + Send, Out>(
        &self,
        interval: Duration,
        name: &str,
        action: Action<In, Out>,
        input: In,
    ) -> Result<JobId, ScheduleError> {
        self.set(Some(name), When::Every(interval), action, input).await
    }

    /// Calls the action whenever the clocks of a time zone (of the IANA database) show what the five fields of
    /// `expression` say. A time that the zone skips is none, one that comes twice is one. Replaces what is scheduled under
    /// the same name.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn cron<In: Serialize + Send, Out>(
        &self,
        expression: &str,
        zone: &str,
        name: &str,
        action: Action<In, Out>,
        input: In,
    ) -> Result<JobId, ScheduleError> {
        let when = When::Cron { expression: expression.to_owned(), zone: zone.to_owned() };
        self.set(Some(name), when, action, input).await
    }

    /// Forgets a schedule, by its id or its name, and its runs; a run that has begun goes on. Returns whether there was
    /// one.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn cancel(&self, which: impl Into<Which> + Send) -> Result<bool, ScheduleError> {
        let which = which.into();
        Ok(self.0.ask_schedules(|answer| Asked::Cancel { which, answer }).await?
            == Answer::Cancelled { found: true })
    }

    /// What is scheduled with this id or name, if anything is.
    ///
    /// # Errors
    /// [`ScheduleError::Ended`].
    pub async fn get(&self, which: impl Into<Which> + Send) -> Result<Option<Scheduled>, ScheduleError> {
        Ok(self.told_of(Some(which.into())).await?.pop())
    }

    /// All that is scheduled, in the order in which it was set first.
    ///
    /// # Errors
    /// [`ScheduleError::Ended`].
    pub async fn list(&self) -> Result<Vec<Scheduled>, ScheduleError> {
        self.told_of(None).await
    }

    /// The runs of a recurring schedule that have ended and are remembered (the last 100), the oldest first.
    ///
    /// # Errors
    /// [`ScheduleError::Unread`].
    pub async fn runs(&self, of: JobId) -> Result<Vec<Run>, ScheduleError> {
        let bounds = (layout::run(of, 0), layout::run(of, u64::MAX));
        let rows = Kv::raw(self.0.voice().clone()).range(bounds, u64::from(RUNS_MAX)).await?;
        let run = |(key, value)| rows::run_of(of, &key, value).map_err(|_| KvError::Malformed.into());
        rows.into_iter().map(run).collect()
    }

    async fn set<In: Serialize + Send, Out>(
        &self,
        name: Option<&str>,
        when: When,
        action: Action<In, Out>,
        input: In,
    ) -> Result<JobId, ScheduleError> {
        let (name, action) = (name.map(str::to_owned), action.name());
        let call = serde_json::to_vec(&rows::Call { action, args: input });
        let call =
            call.map_err(|error| ScheduleError::NoJson { reason: UserText::new(&error.to_string()) })?;
        let asked = |answer| Asked::Set { name, when, action, call: call.into(), answer };
        match self.0.ask_schedules(asked).await? {
            Answer::Set { job, .. } => Ok(job),
            Answer::Cancelled { .. } | Answer::AlarmSet | Answer::Settled => {
                unreachable!("who sets a schedule is told of it")
            }
        }
    }

    async fn told_of(&self, which: Option<Which>) -> Result<Vec<Scheduled>, ScheduleError> {
        let (answer, answered) = oneshot::channel();
        self.0.ask(Ask::Schedule(Asked::List { which, answer }));
        answered.await.map_err(|_| ScheduleError::Ended)
    }
}

impl Core {
    /// Asks for something of the schedules, and waits until it stands.
    pub(super) async fn ask_schedules(
        &self,
        asked: impl FnOnce(Teller) -> Asked + Send,
    ) -> Result<Answer, ScheduleError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Schedule(asked(answer)));
        answered.await.unwrap_or(Err(ScheduleError::Ended))
    }
}
