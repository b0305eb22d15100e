//! One running generation of one actor: its task, its mailbox, and its voice towards the session.
//!
//! What happens to it is decided in `machines::instance`; this drives it. All of its code runs in one task, each call a
//! future of its own: concurrently, never in parallel.
//!
//! [`mail`] is what its session gives it, [`ask`] what its own code asks for, [`connections`] are its clients that stay,
//! [`perform`] carries out what the machine wants, [`requests`] are those it has, [`schedules`] what it does later,
//! [`store`] reads and writes its state, [`voice`] speaks to the session.

pub(crate) mod ask;
mod connections;
pub(crate) mod mail;
mod path;
mod perform;
mod requests;
pub(crate) mod schedules;
mod store;
pub(crate) mod voice;

pub(crate) use ask::Ask;
pub(crate) use mail::{Mail, Mailbox};
pub(crate) use voice::{Hold, Said, Voice};

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt};
use machines::instance::{self, Hook, Input};
use machines::runner::input::InstanceEvent;
use machines::schedule::{self, Ended, JobId};
use protocol::error::{ErrorBody, cut};
use protocol::id::Ticket;
use protocol::limits::USER_TEXT_BYTES_MAX;
use protocol::time::Mono;
use protocol::wire::ActorConfig;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::actor::context::Core;
use crate::actor::subject::{Boxed, Kind, Subject};
use crate::actor::{AbortSignal, Response, SaveError, state};
use crate::client::Client;
use crate::clock;
use connections::Call;
use requests::{Id, Requests};
use schedules::Schedules;
use store::Way;

/// What an instance is made of, beside its kind.
pub(crate) struct Birth {
    pub config: ActorConfig,
    pub voice: Voice,
    pub mailbox: Mailbox,
    /// Whether clients are told what fails inside it.
    pub exposes: bool,
    /// What it calls other actors by.
    pub client: Client,
}

/// A piece of user code that has ended.
enum Finished {
    Hook(Hook, Option<String>),
    /// The code of a request, with its answer.
    Request(Ticket, Id, Response),
    /// The code of a call on a connection, with what it gave.
    Call(Ticket, Result<Value, ErrorBody>),
    Work(Ticket),
    /// What was scheduled.
    Due(Ticket, JobId, Ended),
}

/// What happens next.
enum Event {
    Mail(Option<Mail>),
    Ask(Ask),
    Store(Way),
    Scheduled(schedules::Done),
    Finished(Finished),
    Due,
}

/// The driver.
struct Driver {
    machine: instance::Instance,
    subject: Box<dyn Subject>,
    core: Arc<Core>,
    voice: Voice,
    stopping: AbortSignal,
    exposes: bool,
    requests: Requests,
    /// User code that runs.
    code: FuturesUnordered<Boxed<Finished>>,
    /// How often all of it was dropped.
    drops: u32,
    /// Background work that the machine has not said anything about.
    tasks: BTreeMap<Ticket, Boxed<()>>,
    /// Calls of connections.
    calls: BTreeMap<Ticket, Call>,
    /// WebSockets that the machine has not said anything about.
    sockets: BTreeMap<Ticket, path::Socket>,
    savers: BTreeMap<Ticket, oneshot::Sender<Result<(), SaveError>>>,
    schedules: Schedules,
    /// What is known to be stored of the state, by its last write.
    stored: Option<state::Stored>,
    /// What is being written of it.
    writing: Option<state::Stored>,
    /// The state, on its way from or to the engine.
    store: Option<Boxed<Way>>,
    next: u64,
    /// How it ended.
    over: Option<Option<String>>,
}

/// Runs an instance to its end and says so. When its mailbox closes, user code is dropped at its next await.
pub(crate) async fn run(kind: Arc<dyn Kind>, birth: Birth) {
    let mut end = End { voice: birth.voice.clone(), error: Some("the actor panicked".to_owned()) };
    // What runs of it is gone when its end is told.
    end.error = live(kind.as_ref(), birth).await;
}

/// Its life: what failed, if something did.
async fn live(kind: &dyn Kind, birth: Birth) -> Option<String> {
    let Birth { config, voice, mut mailbox, exposes, client } = birth;
    let (asks, mut asked) = mpsc::unbounded_channel();
    let stopping = AbortSignal::default();
    let core = Arc::new(Core::new(config, voice.clone(), stopping.clone(), asks, client));
    let subject = kind.make(Arc::clone(&core));
    let mut driver = Driver {
        machine: instance::Instance::new(kind.options()),
        schedules: Schedules::new(subject.has_actions()),
        subject,
        core,
        voice,
        stopping,
        exposes,
        requests: Requests::default(),
        code: FuturesUnordered::new(),
        drops: 0,
        tasks: BTreeMap::new(),
        calls: BTreeMap::new(),
        sockets: BTreeMap::new(),
        savers: BTreeMap::new(),
        stored: None,
        writing: None,
        store: None,
        next: 0,
        over: None,
    };
    driver.step(Input::Begin);
    loop {
        if let Some(error) = driver.over.take() {
            // Whoever waits for it is told, by code that still runs elsewhere too.
            driver.stopping.fire();
            return error;
        }
        let due = driver.next_deadline();
        let event = runtime::select! {
            mail = mailbox.recv() => Event::Mail(mail),
            ask = asked.recv() => Event::Ask(ask.expect("the instance holds a sender of its own queue")),
            way = store::next(&mut driver.store) => Event::Store(way),
            Some(done) = driver.schedules.under_way.next(), if !driver.schedules.under_way.is_empty() => {
                Event::Scheduled(done)
            }
            Some(finished) = driver.code.next(), if !driver.code.is_empty() => Event::Finished(finished),
            () = clock::deadline(due) => Event::Due,
        };
        match event {
            Event::Mail(mail) => driver.mail(mail),
            Event::Ask(ask) => driver.ask(ask),
            Event::Store(way) => driver.arrived(way),
            Event::Scheduled(done) => driver.scheduled(done),
            Event::Finished(finished) => {
                let drops = driver.drops;
                // What it asked for comes before its end, and before what it answers.
                while let Ok(ask) = asked.try_recv() {
                    driver.ask(ask);
                }
                // Unless its time was over with that.
                if driver.drops == drops {
                    driver.finished(finished);
                }
            }
            Event::Due => {
                driver.step(Input::Tick);
                driver.schedule(schedule::Input::Tick);
            }
        }
    }
}

impl Driver {
    fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            self.perform(effect);
        }
    }

    fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        [self.machine.next_deadline(), self.schedules.next_deadline()].into_iter().flatten().min()
    }

    fn finished(&mut self, finished: Finished) {
        match finished {
            Finished::Hook(hook, error) => self.step(Input::HookEnded { hook, error }),
            Finished::Request(ticket, id, response) => self.respond(ticket, id, response),
            Finished::Call(ticket, outcome) => {
                let call = self.calls.remove(&ticket).expect("a call is kept until its end");
                Call::answer(&call.connection, call.id, outcome);
                self.step(Input::Done { ticket });
            }
            Finished::Work(ticket) => {
                self.requests.forget(ticket);
                self.step(Input::Done { ticket });
            }
            Finished::Due(ticket, job, how) => self.due_ended(ticket, job, how),
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }
}

/// Tells the end of an instance, whichever way its task ends.
struct End {
    voice: Voice,
    error: Option<String>,
}

impl Drop for End {
    fn drop(&mut self) {
        let error = self.error.take().map(|error| cut(&error, USER_TEXT_BYTES_MAX).to_owned());
        self.voice.say(InstanceEvent::Stopped { error });
    }
}
