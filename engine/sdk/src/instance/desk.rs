//! An instance's desk: its mailbox is looked after while user code runs.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;

use machines::runner::input::InstanceEvent;
use protocol::error::ErrorBody;
use protocol::id::{GatewayId, RequestId};
use tokio::sync::mpsc;

use super::Voice;
use super::talks::Talks;
use crate::actor::{AbortSignal, Boxed, Request, Response, WebSocket};
use crate::session::refusal;

/// Requests that wait for one instance at most; more are refused with `actor.overloaded`. Ours: ten seconds of work
/// at ten milliseconds each.
const WAITING_MAX: usize = 1024;

/// What the session gives to an instance. A mailbox that closes cuts the instance off.
#[derive(Debug)]
pub(crate) enum Mail {
    /// A client's request.
    Request(GatewayId, RequestId, Box<Request>),
    /// A client's WebSocket.
    WebSocket(Box<WebSocket>),
    /// Nobody waits for this request any more.
    Cancel(GatewayId, RequestId),
    /// Finish the request in progress, save, end.
    Stop,
}

/// Where mail arrives.
pub(crate) type Mailbox = mpsc::UnboundedReceiver<Mail>;

/// A request's name: unique on its session.
type Id = (GatewayId, RequestId);

/// The instance was cut off: it has no right to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut;

/// What to do next.
pub(super) enum Next {
    /// Stop in order.
    Stop,
    /// Answer this.
    Request(Id, Box<Request>),
    /// Look after this.
    WebSocket(Box<WebSocket>),
}

pub(super) struct Desk {
    mailbox: Mailbox,
    voice: Voice,
    stopping: AbortSignal,
    waiting: VecDeque<(Id, Box<Request>)>,
    /// WebSockets that user code was not given yet.
    opened: VecDeque<Box<WebSocket>>,
    talks: Talks,
    /// The request in progress, and its signal.
    current: Option<(Id, AbortSignal)>,
}

impl Desk {
    pub(super) fn new(mailbox: Mailbox, voice: Voice, stopping: AbortSignal) -> Self {
        let (waiting, opened, talks) = (VecDeque::new(), VecDeque::new(), Talks::default());
        Self { mailbox, voice, stopping, waiting, opened, talks, current: None }
    }

    /// What user code does with a WebSocket, beside everything else.
    pub(super) fn talk(&self, talk: Boxed<'static, ()>) {
        self.talks.begin(talk);
    }

    /// Waits for the end of every talk: their WebSockets are over when an instance stops.
    pub(super) async fn end_talks(&mut self) -> Result<(), Cut> {
        loop {
            runtime::select! {
                mail = self.mailbox.recv() => self.take(mail.ok_or(Cut)?),
                () = self.talks.end() => return Ok(()),
            }
        }
    }

    pub(super) fn say(&self, event: InstanceEvent) {
        self.voice.say(event);
    }

    /// Runs user code while looking after the mail.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Cut> {
        let mut work = pin!(work);
        loop {
            runtime::select! {
                mail = self.mailbox.recv() => self.take(mail.ok_or(Cut)?),
                done = &mut work => return Ok(done),
                never = self.talks.run() => match never {},
            }
        }
    }

    /// Waits for something to do. A stop goes before requests that were not begun: these are told that they reached
    /// nobody, so that they may be sent to the next generation.
    pub(super) async fn next(&mut self) -> Result<Next, Cut> {
        loop {
            while let Ok(mail) = self.mailbox.try_recv() {
                self.take(mail);
            }
            if self.stopping.is_aborted() {
                while let Some((id, _)) = self.waiting.pop_front() {
                    protocol::mark!("sdk_request_waited_for_a_stopping_instance");
                    self.send(id, refusal::undelivered()).await?;
                }
                return Ok(Next::Stop);
            }
            if let Some(socket) = self.opened.pop_front() {
                return Ok(Next::WebSocket(socket));
            }
            if let Some((id, request)) = self.waiting.pop_front() {
                self.current = Some((id, request.abort_signal().clone()));
                return Ok(Next::Request(id, request));
            }
            runtime::select! {
                mail = self.mailbox.recv() => self.take(mail.ok_or(Cut)?),
                never = self.talks.run() => match never {},
            }
        }
    }

    /// Answers the request in progress.
    pub(super) async fn respond(&mut self, id: Id, response: Response) -> Result<(), Cut> {
        self.current = None;
        self.send(id, response).await
    }

    /// Takes no more mail. Requests that still wait are the session's to answer for.
    pub(super) fn close(&mut self) {
        self.stopping.fire();
        self.mailbox.close();
    }

    async fn send(&mut self, (gateway, request): Id, response: Response) -> Result<(), Cut> {
        let response = response.within_limits().into_wire();
        let voice = self.voice.clone();
        self.attend(async move { voice.respond(gateway, request, response).await }).await
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Request(gateway, request, _) if self.waiting.len() >= WAITING_MAX => {
                protocol::mark!("sdk_instance_overloaded");
                self.voice.refuse(gateway, request, overloaded().into_wire());
            }
            Mail::Request(gateway, request, content) => {
                self.waiting.push_back(((gateway, request), content));
            }
            Mail::WebSocket(socket) => self.opened.push_back(socket),
            Mail::Cancel(gateway, request) => {
                let id = (gateway, request);
                self.waiting.retain(|(waiting, _)| *waiting != id);
                if let Some((current, signal)) = &self.current
                    && *current == id
                {
                    protocol::mark!("sdk_request_cancelled_in_progress");
                    signal.fire();
                }
            }
            Mail::Stop => self.stopping.fire(),
        }
    }
}

fn overloaded() -> Response {
    let body = ErrorBody {
        group: "actor".to_owned(),
        code: "overloaded".to_owned(),
        message: format!("{WAITING_MAX} requests wait for this actor already."),
        metadata: None,
    };
    Response::json(&body).with_status(503)
}
