//! One call, through its attempts: the driver of `machines::client::call`.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use machines::client::call::{Call, Effect, End, Input, Options};
use machines::client::{Answer, Failure};
use protocol::error::{ActorError, ErrorBody};
use protocol::id::ActorId;

use super::resolver::{Found, Resolver};
use super::{CallError, Client, ClientError, call};
use crate::actor::subject::Boxed;
use crate::clock;

/// What is sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// Whose path begins with a slash, and is what the actor sees.
    pub request: Request<Bytes>,
    /// Whether an answer that is no success is a failure.
    pub strict: bool,
}

/// How a work ended.
enum Work {
    Found(Found),
    Answered(Result<Response<Bytes>, (Failure, CallError)>),
    Explained(Option<ActorError>),
}

struct Driver {
    machine: Call,
    options: Options,
    client: Client,
    resolver: Arc<Resolver>,
    sent: Arc<Sent>,
    work: Option<(u64, Boxed<Work>)>,
    /// The actor that was found last.
    actor: Option<ActorId>,
    answer: Option<Response<Bytes>>,
    /// What failed last.
    error: Option<CallError>,
    end: Option<End>,
}

/// Makes a call, until it is answered or has failed. Whoever drops it has the attempt that is out given up.
pub(super) async fn run(
    client: Client,
    resolver: Arc<Resolver>,
    options: Options,
    sent: Sent,
) -> Result<Response<Bytes>, CallError> {
    let mut driver = Driver {
        machine: Call::new(options.clone()),
        options,
        client,
        resolver,
        sent: Arc::new(sent),
        work: None,
        actor: None,
        answer: None,
        error: None,
        end: None,
    };
    driver.step(Input::Begin);
    loop {
        if let Some(end) = driver.end {
            return driver.outcome(end);
        }
        runtime::select! {
            () = clock::deadline(driver.machine.next_deadline()) => driver.step(Input::Tick),
            (work, ended) = ended(&mut driver.work) => driver.ended(work, ended),
        }
    }
}

async fn ended(work: &mut Option<(u64, Boxed<Work>)>) -> (u64, Work) {
    let Some((id, running)) = work else {
        return std::future::pending().await;
    };
    let ended = (*id, running.await);
    *work = None;
    ended
}

impl Driver {
    fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Resolve { work } => {
                let finding = Arc::clone(&self.resolver).find();
                self.begin(work, async { Work::Found(finding.await) });
            }
            Effect::Send { work } => {
                let (client, sent, actor) = (self.client.clone(), Arc::clone(&self.sent), self.actor());
                self.begin(work, async move { Work::Answered(send(&client, actor, &sent).await) });
            }
            Effect::Explain { work } => {
                let (client, actor) = (self.client.clone(), self.actor());
                self.begin(work, async move {
                    let shown = client.get(actor).await.ok().flatten();
                    Work::Explained(shown.and_then(|actor| actor.error))
                });
            }
            Effect::Forget => self.resolver.forget(self.actor()),
            Effect::Cancel { .. } => self.work = None,
            Effect::Settled(end) => self.end = Some(end),
        }
    }

    fn begin(&mut self, id: u64, work: impl Future<Output = Work> + Send + 'static) {
        self.work = Some((id, Box::pin(work)));
    }

    fn actor(&self) -> ActorId {
        self.actor.expect("a call is sent to an actor that was found")
    }

    fn ended(&mut self, work: u64, ended: Work) {
        let outcome = match ended {
            Work::Found(Ok(actor)) => {
                self.actor = Some(actor);
                Ok(())
            }
            Work::Found(Err(error)) => {
                let failure = error.failure();
                self.error = Some(error.into());
                Err(failure)
            }
            Work::Answered(Ok(answer)) => {
                self.answer = Some(answer);
                Ok(())
            }
            Work::Answered(Err((failure, error))) => {
                self.error = Some(error);
                Err(failure)
            }
            Work::Explained(reason) => {
                self.explained(reason);
                Ok(())
            }
        };
        self.step(Input::Ended { work, outcome, jitter: runtime::entropy::u64("client/retry") });
    }

    fn explained(&mut self, reason: Option<ActorError>) {
        if let Some(CallError::Platform { code, executed, .. }) = self.error {
            self.error = Some(CallError::Unscheduled { code, actor: self.actor(), reason, executed });
        }
    }

    fn outcome(self, end: End) -> Result<Response<Bytes>, CallError> {
        match end {
            End::Answered => Ok(self.answer.expect("an answer ends a call that has one")),
            End::Failed { executed } => {
                Err(self.error.expect("a failure ends a call that has failed").having(executed))
            }
            End::TimedOut { executed } => {
                let (within, last) = (self.options.deadline, self.error.map(Box::new));
                Err(CallError::Deadline { within, executed, last })
            }
        }
    }
}

async fn send(client: &Client, actor: ActorId, sent: &Sent) -> Result<Response<Bytes>, (Failure, CallError)> {
    let answer = client.request(actor, sent.request.clone()).await.map_err(failed)?;
    if !sent.strict || answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status().as_u16();
    match serde_json::from_slice::<ErrorBody>(answer.body()) {
        Ok(body) => {
            let failure = Failure::Actor(Answer::of(&body.group, &body.code, status));
            Err((failure, CallError::Answered { status, body, executed: failure.executed() }))
        }
        Err(_) => Err(failed(call::refusal(&answer))),
    }
}

fn failed(error: ClientError) -> (Failure, CallError) {
    (error.failure(), Arc::new(error).into())
}
