//! The driver of the start-up machine: what every clone of an application shares.
//!
//! The machine is stepped where a call is made, so that the next call sees it; what an effect begins runs in tasks of
//! its own, which end when their [`Stop`] says so and tell the machine when they have.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use machines::runner::startup::{Effect, Input, Startup};
use parking_lot::Mutex;
use protocol::id::Ticket;
use protocol::time::{Mono, Now};
use tokio::sync::{Notify, oneshot};

use super::{ApplicationOptions, Cause, End, Health, Standing, StartError, ground, service};
use crate::clock;
use crate::endpoint::Endpoint;
use crate::pool::Pool;
use crate::registry::Registry;
use crate::serverless::Serverless;
use crate::shutdown::{Shutdown, Stop, shutdown};

/// What every clone of an application shares.
pub(crate) struct Shared {
    pub(super) registry: Registry,
    core: Mutex<Core>,
    changed: Notify,
}

struct Core {
    machine: Startup,
    options: Arc<ApplicationOptions>,
    tickets: u64,
    callers: BTreeMap<Ticket, oneshot::Sender<Result<(), StartError>>>,
    enders: BTreeMap<Ticket, oneshot::Sender<End>>,
    /// Ends the ground.
    ground: Option<Stop>,
    /// Ends the service.
    service: Option<Stop>,
    engine: Option<Engine>,
    serving: Option<Serverless>,
    listening: Option<SocketAddr>,
    pool: Option<Arc<Pool>>,
    /// Ends the wait for the deadline; none before there is one.
    alarm: Option<Stop>,
}

/// The engine there is.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub(super) endpoint: Endpoint,
    /// Whether it is there for this application: then its normal pools are ours to configure.
    pub(super) ours: bool,
}

impl Shared {
    pub(super) fn new(registry: Registry, options: ApplicationOptions) -> Self {
        let core = Core {
            machine: Startup::new(),
            options: Arc::new(options),
            tickets: 0,
            callers: BTreeMap::new(),
            enders: BTreeMap::new(),
            ground: None,
            service: None,
            engine: None,
            serving: None,
            listening: None,
            pool: None,
            alarm: None,
        };
        Self { registry, core: Mutex::new(core), changed: Notify::new() }
    }

    /// Makes a call, and waits for what it is told. The call stands when this is first polled; whoever waits no more is
    /// told nothing.
    pub(super) async fn call(
        self: &Arc<Self>,
        input: impl FnOnce(Ticket) -> Input,
    ) -> Result<(), StartError> {
        let (caller, told) = oneshot::channel();
        let ticket = {
            let mut core = self.core.lock();
            let ticket = core.ticket();
            core.callers.insert(ticket, caller);
            ticket
        };
        self.step(input(ticket));
        told.await.expect("the machine answers each ticket once")
    }

    /// Makes a call whose outcome nobody waits for.
    pub(super) fn call_unheard(self: &Arc<Self>, input: impl FnOnce(Ticket) -> Input) {
        let ticket = self.core.lock().ticket();
        self.step(input(ticket));
    }

    /// Ends it, in order or at once, and waits for the end.
    pub(super) async fn end(self: &Arc<Self>, in_order: bool) -> End {
        let (ender, ended) = oneshot::channel();
        let ticket = {
            let mut core = self.core.lock();
            let ticket = core.ticket();
            core.enders.insert(ticket, ender);
            ticket
        };
        self.ask(Some(ticket), in_order);
        ended.await.expect("the machine answers each ticket once")
    }

    /// Asks it to end.
    pub(super) fn ask(self: &Arc<Self>, ticket: Option<Ticket>, in_order: bool) {
        let grace = self.core.lock().options.grace;
        self.step(if in_order { Input::Drain { ticket, grace } } else { Input::Stop { ticket } });
    }

    /// Nobody holds it any more: it stops at once. Nothing is spawned here and no clock is read, since this may be the end
    /// of everything.
    pub(super) fn abandon(self: &Arc<Self>) {
        self.step_at(Now { mono: Mono::ZERO, ..Now::default() }, Input::Stop { ticket: None });
    }

    pub(super) async fn settled(&self) -> Result<End, Cause> {
        loop {
            let changed = self.changed.notified();
            // Created before the look: a change in between is not missed.
            if let Some(settled) = self.core.lock().machine.settled() {
                return settled;
            }
            changed.await;
        }
    }

    pub(super) fn configure(&self, edit: impl FnOnce(&mut ApplicationOptions)) -> Result<(), StartError> {
        let mut core = self.core.lock();
        core.machine.configurable()?;
        edit(Arc::make_mut(&mut core.options));
        Ok(())
    }

    pub(super) fn standing(&self) -> Standing {
        self.core.lock().machine.standing()
    }

    pub(super) fn health(&self) -> Health {
        let core = self.core.lock();
        Health::of(&core.machine.standing(), core.options.view.silent_since(), clock::now().mono)
    }

    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        self.core.lock().engine.clone().map(|engine| engine.endpoint)
    }

    pub(super) fn listening(&self) -> Option<SocketAddr> {
        self.core.lock().listening
    }

    pub(super) fn pool(&self) -> Option<Arc<Pool>> {
        self.core.lock().pool.clone()
    }

    pub(super) fn serving(&self) -> Option<Serverless> {
        self.core.lock().serving.clone()
    }

    pub(super) fn options(&self) -> Arc<ApplicationOptions> {
        Arc::clone(&self.core.lock().options)
    }

    /// The ground is there.
    pub(super) fn created(self: &Arc<Self>, attempt: u32, engine: Engine) {
        self.core.lock().engine = Some(engine);
        self.step(Input::Created { attempt });
    }

    /// A pool is looked after.
    pub(super) fn configuring(&self, pool: Option<Arc<Pool>>) {
        self.core.lock().pool = pool;
    }

    /// The endpoint takes requests.
    pub(super) fn serve(self: &Arc<Self>, attempt: u32, serving: Serverless, listening: Option<SocketAddr>) {
        {
            let mut core = self.core.lock();
            core.serving = Some(serving);
            core.listening = listening;
        }
        self.step(Input::Began { attempt });
    }

    /// The endpoint takes no requests any more.
    pub(super) fn served(&self) {
        let mut core = self.core.lock();
        (core.serving, core.listening, core.pool) = (None, None, None);
    }

    /// One step of the machine, and everything it wants.
    pub(super) fn step(self: &Arc<Self>, input: Input) {
        self.step_at(clock::now(), input);
    }

    fn step_at(self: &Arc<Self>, now: Now, input: Input) {
        let mut core = self.core.lock();
        let mut effects = Vec::new();
        core.machine.handle(now, input, &mut effects);
        for effect in effects {
            self.perform(&mut core, effect);
        }
        self.set_alarm(&mut core);
        drop(core);
        self.changed.notify_waiters();
    }

    fn perform(self: &Arc<Self>, core: &mut Core, effect: Effect) {
        match effect {
            Effect::Create { attempt } => {
                let (stop, end) = shutdown();
                (core.ground, core.engine) = (Some(stop), None);
                let ground = ground::live(Arc::clone(self), attempt, Arc::clone(&core.options), end);
                self.watch("application ground", ground, move |cause| Input::Gone { attempt, cause });
            }
            Effect::Begin { attempt, mode } => {
                let (stop, end) = shutdown();
                core.service = Some(stop);
                let engine = core.engine.clone().expect("a service begins on its ground");
                let part =
                    service::Part { shared: Arc::clone(self), attempt, options: Arc::clone(&core.options) };
                let service = part.live(mode, engine, end);
                self.watch("application service", service, move |cause| Input::Finished { attempt, cause });
            }
            Effect::Destroy { .. } => {
                core.engine = None;
                core.ground.iter().for_each(Stop::drain);
            }
            Effect::DrainService { .. } => core.service.iter().for_each(Stop::drain),
            Effect::StopService { .. } => core.service.iter().for_each(Stop::now),
            Effect::Told { ticket, outcome } => {
                // One that waits no more does not want to know.
                core.callers.remove(&ticket).and_then(|caller| caller.send(outcome).err());
            }
            Effect::Ended { ticket, end } => {
                core.enders.remove(&ticket).and_then(|ender| ender.send(end).err());
            }
        }
    }

    /// Runs a part to its end, and tells the machine of it. A part that panics has ended too.
    fn watch(
        self: &Arc<Self>,
        name: &'static str,
        part: impl Future<Output = Option<Cause>> + Send + 'static,
        ended: impl FnOnce(Option<Cause>) -> Input + Send + 'static,
    ) {
        let shared = Arc::clone(self);
        let part = runtime::spawn(name, part);
        drop(runtime::spawn("application part", async move {
            let cause = part.await.unwrap_or_else(|error| {
                protocol::mark!("sdk_part_panicked");
                tracing::error!(part = name, err = %error, "a part of the application panicked");
                Some(Cause::Panicked)
            });
            if let Some(cause) = &cause
                && shared.core.lock().callers.is_empty()
            {
                // Nobody is told: it was up, or whoever started it does not wait.
                tracing::error!(part = name, err = %cause, "the application has failed");
            }
            shared.step(ended(cause));
        }));
    }

    /// Waits for the machine's deadline in a task of its own, which ends with the deadline.
    fn set_alarm(self: &Arc<Self>, core: &mut Core) {
        match (core.machine.next_deadline(), &core.alarm) {
            (Some(deadline), None) => {
                let (stop, over) = shutdown();
                core.alarm = Some(stop);
                drop(runtime::spawn("application deadline", wait(Arc::clone(self), deadline, over)));
            }
            (None, Some(stop)) => stop.drain(),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

async fn wait(shared: Arc<Shared>, deadline: (Mono, &'static str), over: Shutdown) {
    runtime::select! {
        () = over.draining() => {}
        () = clock::deadline(Some(deadline)) => shared.step(Input::Tick),
    }
}

impl Core {
    const fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let standing = self.standing();
        f.debug_struct("Application").field("registry", &self.registry).field("standing", &standing).finish()
    }
}
