//! One running generation of one actor: its task, its mailbox, and its voice towards the session.
//!
//! Nothing is decided here: the runner machine says when it starts, stops and what it is given. The order of its
//! requests is that of the mailbox, one at a time.

pub(crate) mod desk;
mod talks;
pub(crate) mod voice;

pub(crate) use desk::{Mail, Mailbox};
pub(crate) use voice::{Hold, Said, Voice};

use machines::runner::input::InstanceEvent;
use protocol::error::cut;
use protocol::limits::USER_TEXT_BYTES_MAX;
use protocol::wire::ActorConfig;

use crate::actor::{AbortSignal, AnyActor, Context};
use crate::registry::Factory;
use desk::{Cut, Desk, Next};

/// Runs an instance to its end and says so. When `mailbox` closes, user code is dropped at its next await.
pub(crate) async fn run(make: Factory, config: ActorConfig, voice: Voice, mailbox: Mailbox) {
    let mut end = End { voice: voice.clone(), error: Some("the actor panicked".to_owned()) };
    let mut actor = make();
    let stopping = AbortSignal::default();
    let ctx = Context::new(config, voice.clone(), stopping.clone());
    let mut desk = Desk::new(mailbox, voice, stopping);
    // Cut off is no failure of the actor's.
    let error = live(actor.as_mut(), &ctx, &mut desk).await.unwrap_or(None);
    desk.close();
    // Nothing of it runs any more when its end is told.
    drop(actor);
    end.error = error;
}

/// Its life: what failed, if something did.
async fn live(actor: &mut dyn AnyActor, ctx: &Context, desk: &mut Desk) -> Result<Option<String>, Cut> {
    if let Err(error) = desk.attend(actor.on_start(ctx)).await? {
        tracing::warn!(actor = %ctx.actor_id(), err = %error, "the actor did not start");
        return Ok(Some(cut(&error.to_string(), USER_TEXT_BYTES_MAX).to_owned()));
    }
    desk.say(InstanceEvent::Started);
    loop {
        match desk.next().await? {
            Next::Stop => break,
            Next::WebSocket(socket) => desk.talk(actor.on_websocket(ctx, *socket)),
            Next::Request(id, request) => {
                desk.say(InstanceEvent::Begun { gateway: id.0, request: id.1 });
                let outcome = desk.attend(actor.on_request(ctx, *request)).await?;
                let response = outcome.unwrap_or_else(|error| {
                    tracing::debug!(actor = %ctx.actor_id(), err = %error, "a request failed");
                    error.into_response()
                });
                desk.respond(id, response).await?;
            }
        }
    }
    desk.end_talks().await?;
    desk.attend(actor.on_stop(ctx)).await?;
    Ok(None)
}

/// Tells the end of an instance, whichever way its task ends.
struct End {
    voice: Voice,
    error: Option<String>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.voice.say(InstanceEvent::Stopped { error: self.error.take() });
    }
}
