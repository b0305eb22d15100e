//! One actor, as whoever calls it has it at hand.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use machines::client::call::Options;
use machines::client::resolution::Resolution;
use percent_encoding::utf8_percent_encode;
use protocol::id::ActorId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempts::{self, Sent};
use super::resolver::{Address, Resolver};
use super::{CallError, Client, SEGMENT};
use crate::actor::Action;

/// An actor, by its key or by its id. Clones are cheap and share what they know: which actor it is is asked for when it
/// is first needed, once for all who call meanwhile, and asked for anew when that actor is gone.
///
/// Calls through one handle run at the same time and may overtake each other; await one before the next where their order
/// matters. One that is dropped is given up: the actor is told, and may have carried it out.
#[derive(Clone, Debug)]
pub struct Handle {
    client: Client,
    resolver: Arc<Resolver>,
    options: Options,
}

impl Client {
    /// The actor of this id. No other takes its place.
    #[must_use]
    pub fn by_id(&self, actor: ActorId) -> Handle {
        Handle::new(self.clone(), Address::Id, Resolution::fixed(actor), 0)
    }
}

#[derive(Serialize)]
struct Asked<In> {
    args: In,
}

#[derive(Deserialize)]
struct Answered {
    /// Left out by RivetKit for nothing.
    #[serde(default)]
    output: Value,
}

impl Handle {
    pub(super) fn new(client: Client, address: Address, machine: Resolution, moves_max: u32) -> Self {
        let resolver = Resolver::new(client.clone(), address, machine);
        Self { client, resolver, options: Options { moves_max, ..Options::default() } }
    }

    /// The same actor; what it is called for may be carried out twice, so that calls are repeated also where nobody
    /// knows whether they were.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.options.idempotent = true;
        self
    }

    /// The same actor; each call takes no longer than this, all attempts together. Default 120 s.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// The actor's id, which may be another one later. Asks the engine if it is not known yet, once and without a bound.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn actor_id(&self) -> Result<ActorId, CallError> {
        Ok(Arc::clone(&self.resolver).find().await?)
    }

    /// Calls an action.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<In: Serialize, Out: DeserializeOwned>(
        &self,
        action: Action<In, Out>,
        input: In,
    ) -> Result<Out, CallError> {
        self.call_as(action.name(), input).await
    }

    /// Calls an action whose types are not known here. RivetKit's actors take a list of arguments.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call_by_name(&self, action: &str, args: Value) -> Result<Value, CallError> {
        self.call_as(action, args).await
    }

    async fn call_as<In: Serialize, Out: DeserializeOwned>(
        &self,
        action: &str,
        args: In,
    ) -> Result<Out, CallError> {
        let input = |error: serde_json::Error| CallError::Input { reason: error.to_string() };
        let body = serde_json::to_vec(&Asked { args }).map_err(input)?;
        let path = format!("/action/{}", utf8_percent_encode(action, SEGMENT));
        let request = Request::post(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body))
            .map_err(|error| CallError::Input { reason: error.to_string() })?;
        let options = self.options.clone();
        let answer = self.send(options, Sent { request, strict: true }).await?;
        let output = |error: serde_json::Error| CallError::Output { reason: error.to_string() };
        let Answered { output: value } = serde_json::from_slice(answer.body()).map_err(output)?;
        Out::deserialize(value).map_err(output)
    }

    /// Asks the actor by a request of its own kind: path and query are what its `on_request` sees. Its answer is
    /// returned whatever its status. One that is safe (GET, HEAD, OPTIONS: RFC 9110 §9.2.1) counts as idempotent.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn request(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CallError> {
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        parts.uri = format!("/request{target}")
            .parse()
            .map_err(|error: http::uri::InvalidUri| CallError::Input { reason: error.to_string() })?;
        let idempotent = self.options.idempotent || parts.method.is_safe();
        let options = Options { idempotent, ..self.options.clone() };
        self.send(options, Sent { request: Request::from_parts(parts, body), strict: false }).await
    }

    async fn send(&self, options: Options, sent: Sent) -> Result<Response<Bytes>, CallError> {
        attempts::run(self.client.clone(), Arc::clone(&self.resolver), options, sent).await
    }
}
