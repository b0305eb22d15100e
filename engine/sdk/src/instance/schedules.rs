//! The schedules of an instance: what is decided in `machines::schedule`, carried out.
//!
//! What is due runs as any other action does, with nobody who waits for its answer. A stop waits until all is stored.
//! [`rows`] is how schedules stand in storage.

pub(crate) mod rows;

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use machines::instance::{self, Refusal, WorkKind};
use machines::schedule::{
    Answer, Attempt, Effect, Ended, Input, Job, JobId, Options, Row, Schedule, When, Which,
};
use protocol::error::UserText;
use protocol::id::{BodyId, Ticket};
use protocol::time::{Mono, Wall};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Ask, Driver, Finished};
use crate::actor::subject::Boxed;
use crate::actor::{Kv, ScheduleError, Scheduled, layout};
use crate::clock;
use rows::{Call, Malformed};

/// What an instance's own code asks of its schedules.
pub(crate) enum Asked {
    Set {
        name: Option<String>,
        when: When,
        action: &'static str,
        /// What is called, as [`Call`].
        call: Bytes,
        answer: Teller,
    },
    Cancel {
        which: Which,
        answer: Teller,
    },
    /// Set the alarm of its own code.
    Alarm {
        at: Option<Wall>,
        answer: Teller,
    },
    /// Tell of this one, or of all.
    List {
        which: Option<Which>,
        answer: oneshot::Sender<Vec<Scheduled>>,
    },
}

/// Who is told how it went.
pub(crate) type Teller = oneshot::Sender<Result<Answer, ScheduleError>>;

/// Who waits for the machine.
enum Waiter {
    Code(Teller),
    /// The instance, which is kept awake meanwhile.
    Instance,
}

/// What has come back.
pub(super) enum Done {
    Written { attempt: Attempt, ok: bool },
    Alarm { attempt: Attempt, ok: bool },
}

/// The driver's side.
pub(super) struct Schedules {
    machine: Schedule,
    options: Options,
    /// What is called.
    calls: BTreeMap<BodyId, Bytes>,
    waiters: BTreeMap<Ticket, Waiter>,
    /// What is due, until the instance takes it.
    due: BTreeMap<Ticket, (JobId, Bytes)>,
    /// On its way to the engine.
    pub(super) under_way: FuturesUnordered<Boxed<Done>>,
    next: u64,
}

impl Schedules {
    /// Those of an actor that has no rows. Where nothing can be called there is no reason to keep any.
    pub(super) fn new(calls: bool) -> Self {
        let options = Options { stores_alarm: calls, ..Options::default() };
        Self {
            machine: Schedule::new(options.clone()),
            options,
            calls: BTreeMap::new(),
            waiters: BTreeMap::new(),
            due: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            next: 0,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        self.machine.next_deadline()
    }

    /// Takes over what was stored.
    pub(super) fn restore(&mut self, entries: Vec<(Bytes, Bytes)>) -> Result<(), Malformed> {
        let (mut stored, mut own) = (Vec::new(), None);
        for (key, value) in entries {
            if let Some(id) = layout::job_of(&key) {
                let body = self.body();
                let (row, call) = rows::job_of(id, body, value)?;
                self.calls.insert(body, call);
                stored.push(row);
            } else if key == layout::alarm() {
                own = Some(rows::alarm_of(value)?);
            }
        }
        self.machine = Schedule::restore(self.options.clone(), stored, own, clock::now());
        Ok(())
    }

    fn body(&mut self) -> BodyId {
        self.next += 1;
        BodyId(self.next)
    }

    fn call(&self, body: BodyId) -> &Bytes {
        self.calls.get(&body).expect("the machine names payloads that are kept")
    }

    fn told_of(&self, row: &Row) -> Scheduled {
        let Call { action, args } = called(self.call(row.body));
        let (id, name, next, recurs) = (row.id, row.name.clone(), row.next, row.recurs.clone());
        Scheduled { id, name, action, input: args, next, recurs, running: row.running.is_some() }
    }
}

/// What is called. One that cannot be read calls nothing that there is.
fn called(call: &Bytes) -> Call<String, Value> {
    serde_json::from_slice(call).unwrap_or(Call { action: String::new(), args: Value::Null })
}

impl Driver {
    /// One step of its schedules.
    pub(super) fn schedule(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.schedules.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            self.perform_scheduled(effect);
        }
    }

    pub(super) fn scheduled(&mut self, done: Done) {
        let jitter = runtime::entropy::u64("actor/schedule");
        self.schedule(match done {
            Done::Written { attempt, ok } => Input::Written { attempt, ok, jitter },
            Done::Alarm { attempt, ok: true } => Input::AlarmStored { attempt },
            Done::Alarm { attempt, ok: false } => Input::AlarmFailed { attempt, jitter },
        });
    }

    pub(super) fn ask_schedules(&mut self, asked: Asked) {
        match asked {
            Asked::Set { action, answer, .. } if !self.subject.acts(action) => {
                // One that waits no more does not want to know, here and below.
                answer.send(Err(ScheduleError::NoAction { action })).ok();
            }
            Asked::Set { name, when, call, answer, .. } => {
                let (body, bytes) = (self.schedules.body(), call.len());
                self.schedules.calls.insert(body, call);
                let ticket = self.waits(Waiter::Code(answer));
                self.schedule(Input::Set { ticket, job: Job { name, when, runs_max: None, body, bytes } });
            }
            Asked::Cancel { which, answer } => {
                let ticket = self.waits(Waiter::Code(answer));
                self.schedule(Input::Cancel { ticket, which });
            }
            Asked::Alarm { at, answer } => {
                let ticket = self.waits(Waiter::Code(answer));
                self.schedule(Input::SetAlarm { ticket, at });
            }
            Asked::List { which, answer } => {
                let (schedules, machine) = (&self.schedules, &self.schedules.machine);
                let found = match which {
                    Some(which) => {
                        machine.job(&which).map(|row| schedules.told_of(row)).into_iter().collect()
                    }
                    None => machine.jobs().map(|row| schedules.told_of(row)).collect(),
                };
                answer.send(found).ok();
            }
        }
    }

    fn waits(&mut self, waiter: Waiter) -> Ticket {
        let ticket = self.ticket();
        self.schedules.waiters.insert(ticket, waiter);
        ticket
    }

    /// Keeps the instance until all is stored: it does not stop before.
    pub(super) fn settle_schedules(&mut self) {
        self.step(instance::Input::KeepAwake);
        let ticket = self.waits(Waiter::Instance);
        self.schedule(Input::Settle { ticket });
    }

    fn perform_scheduled(&mut self, effect: Effect) {
        let voice = self.voice.clone();
        match effect {
            Effect::Write { attempt, puts, deletes } => {
                let entries = rows::entries(&puts, |body| self.schedules.call(body));
                self.schedules.under_way.push(Box::pin(async move {
                    let written = rows::write(Kv::raw(voice), entries, deletes).await;
                    Done::Written { attempt, ok: written.is_ok() }
                }));
            }
            Effect::SetAlarm { attempt, at } => self.schedules.under_way.push(Box::pin(async move {
                let stored = voice.set_alarm(at.map(Wall::to_wire)).await;
                Done::Alarm { attempt, ok: stored.is_ok() }
            })),
            Effect::Run { job, body, .. } => {
                let (ticket, call) = (self.ticket(), self.schedules.call(body).clone());
                self.schedules.due.insert(ticket, (job, call));
                self.step(instance::Input::Ask { ticket, kind: WorkKind::Action });
            }
            Effect::Tell { ticket, answer } => {
                let waiter = self.schedules.waiters.remove(&ticket);
                match waiter.expect("whoever waits for a schedule is told once") {
                    Waiter::Code(teller) => drop(teller.send(answer.map_err(ScheduleError::from))),
                    Waiter::Instance => self.core.ask(Ask::LetSleep),
                }
            }
            Effect::Drop { body } => drop(self.schedules.calls.remove(&body)),
        }
    }

    /// Begins what is due, if that is what the ticket stands for.
    pub(super) fn take_due(&mut self, ticket: Ticket) -> bool {
        let Some((job, call)) = self.schedules.due.remove(&ticket) else { return false };
        let Call { action, args } = called(&call);
        let (code, actor) = (self.subject.action(&action, args, None), self.voice.actor());
        self.code.push(Box::pin(async move {
            let how = match code {
                None => Ended::Missing,
                Some(code) => match code.await {
                    Ok(_) => Ended::Done,
                    Err(error) => Ended::Failed { reason: rows::reason(&error.to_string()) },
                },
            };
            if how != Ended::Done {
                tracing::warn!(%actor, ?job, %action, ?how, "what the actor had scheduled did not succeed");
            }
            Finished::Due(ticket, job, how)
        }));
        true
    }

    /// The same if it is not taken.
    pub(super) fn refuse_due(&mut self, ticket: Ticket, refusal: Refusal) -> bool {
        let Some((job, _)) = self.schedules.due.remove(&ticket) else { return false };
        protocol::mark!("sdk_scheduled_refused");
        tracing::warn!(actor = %self.voice.actor(), ?job, ?refusal, "what the actor had scheduled did not run");
        let reason = UserText::from("the actor did as much as it may at one time");
        self.schedule(Input::Ended { job, how: Ended::Failed { reason } });
        true
    }

    /// What was due has ended; its end is stored before the instance stops.
    pub(super) fn due_ended(&mut self, ticket: Ticket, job: JobId, how: Ended) {
        self.schedule(Input::Ended { job, how });
        self.settle_schedules();
        self.step(instance::Input::Done { ticket });
    }
}
