//! A client: calls actors, and asks the engine itself.
//!
//! A [`Handle`] means one actor, by its key or by its id. Its calls are typed by the same [`Action`](crate::Action)
//! constants that the actor answers by, repeated where that is safe and only there, bounded, and fail with what is known
//! about their effect ([`CallError::executed`]).
//!
//! ```no_run
//! use sdk::{Action, Client, Executed};
//!
//! const INCREMENT: Action<i64, i64> = Action::new("increment");
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("http://127.0.0.1:6420".parse()?, "default", None);
//! // Made when it is first needed.
//! let visits = client.actors("counter").get_or_create("visits");
//! match visits.call(INCREMENT, 1).await {
//!     Ok(count) => println!("visit {count}"),
//!     Err(error) if error.executed() == Executed::No => println!("not counted: {error}"),
//!     Err(error) => println!("perhaps counted: {error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What [`Client`] asks of the engine itself (actors as the API shows them, pools, health) it asks once, without a bound:
//! repeat it and bound it with `runtime::timeout` as needed.
//!
//! Whether a call is repeated is decided in `machines::client`. One noun a file: [`address`] says which actors,
//! [`handle`] calls one, `attempts` and `resolver` drive the machines, [`call`] is one exchange of bytes.

pub mod address;
mod attempts;
pub mod call;
pub mod call_error;
pub mod error;
pub mod handle;
mod resolver;
pub mod websocket;

pub use address::Actors;
pub use call_error::CallError;
pub use error::{ClientError, Executed};
pub use handle::Handle;
pub use websocket::WebSocket;

use std::fmt;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use protocol::api::{
    self, Actor, ActorAnswer, CreateActor, Datacenters, EngineHealth, RunnerConfigStored, RunnerConfigs,
    UpsertRunnerConfig,
};
use protocol::id::ActorId;
use protocol::wire::ERROR_HEADER;
use runtime::http::{Executor, SecureConnector, Timer};

use crate::endpoint::Endpoint;

/// What a path segment cannot hold as it is (RFC 3986 §3.3).
const SEGMENT: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'/').add(b'<').add(b'>').add(b'?').add(b'`');

/// A client of one engine and namespace. Clones share its connections, which are kept for a while and used again.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<SecureConnector, Full<Bytes>>,
    endpoint: Endpoint,
    namespace: String,
    token: Option<String>,
}

/// Without the token.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.endpoint)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// Idle connections kept to one engine. Ours: enough for a handful of callers in parallel.
const IDLE_MAX: usize = 16;

/// How long an idle connection is kept: below what common middleboxes cut after.
const IDLE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

impl Client {
    /// A client of this engine and namespace. Dials nothing.
    #[must_use]
    pub fn new(endpoint: Endpoint, namespace: impl Into<String>, token: Option<String>) -> Self {
        Self::keeping(IDLE_MAX, endpoint, namespace.into(), token)
    }

    /// A client that keeps no connection between two requests: for whoever asks rarely.
    pub(crate) fn rare(endpoint: Endpoint, namespace: String, token: Option<String>) -> Self {
        Self::keeping(0, endpoint, namespace, token)
    }

    fn keeping(idle: usize, endpoint: Endpoint, namespace: String, token: Option<String>) -> Self {
        let http = legacy::Client::builder(Executor("engine client"))
            .pool_timer(Timer)
            .timer(Timer)
            .pool_max_idle_per_host(idle)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(endpoint.connector());
        Self { http, endpoint, namespace, token }
    }

    /// Whether everything of the engine answers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn health(&self) -> Result<EngineHealth, ClientError> {
        self.json(Method::GET, "/health", false, None).await
    }

    /// Makes an actor.
    ///
    /// # Errors
    /// [`ClientError`]; `actor.duplicate_key` if another one has the key.
    pub async fn create(&self, actor: &CreateActor) -> Result<Actor, ClientError> {
        let answer: ActorAnswer = self.json(Method::POST, "/actors", true, Some(call::body(actor)?)).await?;
        Ok(answer.actor)
    }

    /// The actor with this name and key, made if there is none; and whether it was made.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get_or_create(&self, actor: &CreateActor) -> Result<(Actor, bool), ClientError> {
        let answer: ActorAnswer = self.json(Method::PUT, "/actors", true, Some(call::body(actor)?)).await?;
        Ok((answer.actor, answer.created.unwrap_or(false)))
    }

    /// An actor as the API shows it; none if the engine does not know it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get(&self, actor: ActorId) -> Result<Option<Actor>, ClientError> {
        let path = format!("/actors?actor_ids={actor}");
        let answer: api::Actors = self.json(Method::GET, &path, true, None).await?;
        Ok(answer.actors.into_iter().next())
    }

    /// The actor with this name and key, as the API shows it; none if there is none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn find(&self, name: &str, key: &str) -> Result<Option<Actor>, ClientError> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("name", name)
            .append_pair("key", key)
            .finish();
        let answer: api::Actors = self.json(Method::GET, &format!("/actors?{query}"), true, None).await?;
        Ok(answer.actors.into_iter().next())
    }

    /// Destroys an actor, with its storage.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn destroy(&self, actor: ActorId) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/actors/{actor}"), true, None).await.map(drop)
    }

    /// Sends a request to an actor through the gateway. The URI's path and query are what the actor sees. An answer of
    /// the actor is returned whatever its status; one of the platform is an error.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn request(
        &self,
        actor: ActorId,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ClientError> {
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        parts.uri = self.gateway(actor, target)?;
        self.authorise(&mut parts.headers)?;
        let response = call::exchange(&self.http, Request::from_parts(parts, Full::new(body))).await?;
        if response.headers().contains_key(ERROR_HEADER) {
            return Err(call::refusal(&response));
        }
        Ok(response)
    }

    /// Opens a WebSocket to an actor through the gateway, under this path (with its query), with these headers. It is
    /// open when the actor has accepted; an answer of the platform, or a refusal by the actor, is an error.
    ///
    /// # Errors
    /// [`ClientError`]; `guard.websocket_closed_before_open` if the actor refused.
    pub async fn websocket(
        &self,
        actor: ActorId,
        target: &str,
        headers: http::HeaderMap,
    ) -> Result<WebSocket, ClientError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.gateway(actor, target)?;
        *request.headers_mut() = headers;
        let accept = websocket::ask(request.headers_mut());
        self.authorise(request.headers_mut())?;
        let response = call::send(&self.http, request).await?;
        if response.headers().contains_key(ERROR_HEADER) {
            return Err(call::refusal(&call::whole(response).await?));
        }
        websocket::open(response, &accept).await
    }

    /// Tells the engine how a pool runs.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put_runner_config(
        &self,
        pool: &str,
        config: &UpsertRunnerConfig,
    ) -> Result<RunnerConfigStored, ClientError> {
        let path = format!("/runner-configs/{}", utf8_percent_encode(pool, SEGMENT));
        self.json(Method::PUT, &path, true, Some(call::body(config)?)).await
    }

    /// The pools that the engine knows, at most one page of them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn runner_configs(&self) -> Result<RunnerConfigs, ClientError> {
        self.json(Method::GET, "/runner-configs", true, None).await
    }

    /// The engine's datacenters.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn datacenters(&self) -> Result<Datacenters, ClientError> {
        self.json(Method::GET, "/datacenters", true, None).await
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        namespaced: bool,
        body: Option<Bytes>,
    ) -> Result<T, ClientError> {
        let response = self.call(method, path, namespaced, body).await?;
        serde_json::from_slice(response.body()).map_err(|error| ClientError::Undecodable {
            status: response.status().as_u16(),
            reason: error.to_string(),
        })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        namespaced: bool,
        body: Option<Bytes>,
    ) -> Result<Response<Bytes>, ClientError> {
        let (path, query) = path.split_once('?').map_or((path, ""), |(path, query)| (path, query));
        let query = match (namespaced, query) {
            (false, "") => None,
            (false, query) => Some(query.to_owned()),
            (true, "") => Some(self.namespace_pair()),
            (true, query) => Some(format!("{query}&{}", self.namespace_pair())),
        };
        let mut request = Request::new(Full::new(body.clone().unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = self.join(path, query.as_deref())?;
        if body.is_some() {
            let json = http::HeaderValue::from_static("application/json");
            request.headers_mut().insert(http::header::CONTENT_TYPE, json);
        }
        self.authorise(request.headers_mut())?;
        let response = call::exchange(&self.http, request).await?;
        if response.status().is_success() { Ok(response) } else { Err(call::refusal(&response)) }
    }

    /// Where requests for an actor go, with the path and query that it sees.
    fn gateway(&self, actor: ActorId, target: &str) -> Result<http::Uri, ClientError> {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        self.join(&format!("/gateway/{actor}{path}"), query)
    }

    fn join(&self, path: &str, query: Option<&str>) -> Result<http::Uri, ClientError> {
        self.endpoint.join(path, query).map_err(|_| ClientError::Invalid { what: "the path" })
    }

    fn namespace_pair(&self) -> String {
        let mut pair = url::form_urlencoded::Serializer::new(String::new());
        pair.append_pair("namespace", &self.namespace).finish()
    }

    fn authorise(&self, headers: &mut http::HeaderMap) -> Result<(), ClientError> {
        if let Some(token) = &self.token {
            let value =
                format!("Bearer {token}").parse().map_err(|_| ClientError::Invalid { what: "the token" })?;
            headers.insert(http::header::AUTHORIZATION, value);
        }
        Ok(())
    }
}
