//! The example's counter with a whim: told to, it dawdles before it starts or before it answers, sets its alarm, and falls
//! asleep.
//!
//! A start that comes after the engine has given it up is the one way in which an instance without rights still speaks
//! through an open session, so one that comes late also writes: the fence must keep that out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use demo::Counter;
use demo::counter::{INCREMENT, VALUE};
use parking_lot::Mutex;
use protocol::time::Wall;
use sdk::{Action, Actions, Actor, ActorError, Context, Registry, Request, Response, Timings};
use serde::Deserialize;

/// Where a start that dawdled leaves its mark.
const LATE: &[u8] = b"late";

/// What the instances of a run are told. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Whims(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    starts: VecDeque<Duration>,
    requests: VecDeque<Duration>,
    dawdling: u32,
}

/// One that dawdles at the moment.
struct Dawdle(Whims);

impl Drop for Dawdle {
    fn drop(&mut self) {
        self.0.0.lock().dawdling -= 1;
    }
}

impl Whims {
    /// The next start takes so long.
    pub fn next_start(&self, span: Duration) {
        self.0.lock().starts.push_back(span);
    }

    /// The next request takes so long.
    pub fn next_request(&self, span: Duration) {
        self.0.lock().requests.push_back(span);
    }

    /// Takes back what nobody has followed yet.
    pub fn forget(&self) {
        let mut state = self.0.lock();
        state.starts.clear();
        state.requests.clear();
    }

    /// Whether every whim has found somebody.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        let state = self.0.lock();
        state.starts.is_empty() && state.requests.is_empty()
    }

    /// Whether nobody dawdles, or will.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let state = self.0.lock();
        state.starts.is_empty() && state.requests.is_empty() && state.dawdling == 0
    }

    /// The application's actors.
    ///
    /// # Panics
    /// Never: its one name is a good one.
    #[must_use]
    pub fn registry(&self) -> Registry {
        let whims = self.clone();
        let make = move || Whimsical { counter: Arc::default(), whims: whims.clone() };
        Registry::builder().actor("counter", make).build().expect("one name, not empty")
    }

    /// Follows a whim, if there is one. Returns whether.
    async fn follow(&self, which: impl Fn(&mut State) -> &mut VecDeque<Duration>) -> bool {
        let span = {
            let mut state = self.0.lock();
            let span = which(&mut state).pop_front();
            state.dawdling += u32::from(span.is_some());
            span
        };
        let Some(span) = span else { return false };
        let _dawdle = Dawdle(self.clone());
        runtime::sleep(span).await;
        true
    }
}

struct Whimsical {
    counter: Arc<Counter>,
    whims: Whims,
}

/// Does something by itself, later.
const PLAN: Action<Plan, ()> = Action::new("plan");

impl Actor for Whimsical {
    type State = i64;

    fn actions(on: &mut Actions<Self>) {
        on.action(INCREMENT, Self::increment);
        on.action(VALUE, Self::value);
        on.action(PLAN, Self::plan);
    }

    fn timings() -> Timings {
        // Longer than the engine waits: what comes too late shall still come.
        Timings { start_timeout: Duration::from_secs(120), ..Timings::default() }
    }

    async fn on_start(&self, ctx: &Context<i64>) -> Result<(), ActorError> {
        if self.whims.follow(|state| &mut state.starts).await {
            ctx.kv().put(LATE, ctx.generation().0.to_le_bytes().to_vec()).await?;
        }
        Ok(())
    }

    async fn on_request(&self, ctx: &Context<i64>, request: Request) -> Result<Response, ActorError> {
        self.whims.follow(|state| &mut state.requests).await;
        self.counter.on_request(ctx, request).await
    }
}

/// What an actor shall do by itself.
#[derive(Deserialize)]
struct Plan {
    /// Set the alarm so many milliseconds from now, or before; none clears it.
    after: Option<i64>,
    /// Fall asleep.
    sleep: bool,
}

impl Whimsical {
    async fn increment(self: Arc<Self>, ctx: Context<i64>, by: i64) -> Result<i64, ActorError> {
        self.whims.follow(|state| &mut state.requests).await;
        Arc::clone(&self.counter).increment(ctx, by).await
    }

    async fn value(self: Arc<Self>, ctx: Context<i64>, (): ()) -> Result<i64, ActorError> {
        self.whims.follow(|state| &mut state.requests).await;
        Arc::clone(&self.counter).value(ctx, ()).await
    }

    async fn plan(self: Arc<Self>, ctx: Context<i64>, plan: Plan) -> Result<(), ActorError> {
        self.whims.follow(|state| &mut state.requests).await;
        let now = runtime::wall().0;
        ctx.set_alarm(plan.after.map(|after| Wall(now.saturating_add_signed(after)))).await?;
        if plan.sleep {
            ctx.sleep();
        }
        Ok(())
    }
}
