//! What the drivers ask: whether a request may come in, and what to hand on to applications.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::header::{AUTHORIZATION, HeaderMap};
use parking_lot::Mutex;
use protocol::error::ApiError;

use super::file::{self, TokensError};
use super::keeper::{Keeper, Look};
use super::presented::{self, TOKEN};
use super::{Operation, Scopes, Secret, TokenSource, Tokens};
use crate::halt::Halt;

/// Lets requests in. Clones are of one door.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door(Option<Arc<Lock>>);

#[derive(Debug)]
struct Lock {
    tokens: Mutex<Arc<Tokens>>,
    file: Option<(PathBuf, Mutex<Keeper>)>,
}

impl Door {
    /// A door with these tokens; without any it is open.
    pub(crate) async fn new(source: Option<&TokenSource>) -> Result<Self, TokensError> {
        let lock = match source {
            None => return Ok(Self(None)),
            Some(TokenSource::Given(tokens)) => {
                Lock { tokens: Mutex::new(Arc::new(tokens.clone())), file: None }
            }
            Some(TokenSource::File(path)) => {
                let keeper = Keeper::new(read(path.clone()).await?)?;
                let tokens = keeper.tokens();
                tracing::info!(?tokens, "tokens read");
                if tokens.runner().is_none() {
                    tracing::warn!("the token file lists no runner token: runners need one to connect");
                }
                Lock { tokens: Mutex::new(tokens), file: Some((path.clone(), Mutex::new(keeper))) }
            }
        };
        Ok(Self(Some(Arc::new(lock))))
    }

    /// Whether a request with this head may do what it wants.
    ///
    /// # Errors
    /// `api.unauthorized` without a token that is known, `api.forbidden` with one that is not for this.
    pub(crate) fn admit<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        let Some(tokens) = self.tokens() else { return Ok(()) };
        let path = request.uri().path();
        let operation = Operation::of(request.method(), path, request.uri().query());
        if operation == Operation::Open {
            return Ok(());
        }
        let presented = presented::of(request.headers(), path);
        let grant = presented.iter().fold(Scopes::default(), |all, token| all.and(tokens.grant(token)));
        if grant.is_empty() {
            return Err(ApiError::ApiUnauthorized);
        }
        if grant.allow(operation) { Ok(()) } else { Err(ApiError::ApiForbidden) }
    }

    /// Takes the engine's own tokens out of what an actor will see. An `Authorization` that is the actor's stays.
    pub(crate) fn conceal(&self, headers: &mut HeaderMap) {
        let Some(tokens) = self.tokens() else { return };
        headers.remove(TOKEN);
        presented::strip_subprotocols(headers, |token| !tokens.grant(token).is_empty());
        let ours = headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| value.to_str().ok());
        if ours.filter_map(presented::bearer).any(|token| !tokens.grant(token).is_empty()) {
            headers.remove(AUTHORIZATION);
        }
    }

    /// What a serverless application connects its runner with.
    pub(crate) fn runner_token(&self) -> Option<Secret> {
        self.tokens()?.runner().cloned()
    }

    fn tokens(&self) -> Option<Arc<Tokens>> {
        self.0.as_ref().map(|lock| Arc::clone(&lock.tokens.lock()))
    }
}

/// Reads the token file again and again until the core ends, as a task of its own; where there is no file, nothing.
pub(crate) fn watch(door: &Door, every: Duration, halt: Halt) {
    if let Some(lock) = door.0.clone().filter(|lock| lock.file.is_some()) {
        drop(runtime::spawn("tokens", look(lock, every, halt)));
    }
}

async fn look(lock: Arc<Lock>, every: Duration, halt: Halt) {
    let (path, keeper) = lock.file.as_ref().expect("there is a file to look at");
    loop {
        runtime::select! {
            () = halt.given() => return,
            () = runtime::sleep(every) => {}
        }
        let text = read(path.clone()).await;
        let mut keeper = keeper.lock();
        match keeper.look(text) {
            Look::Same | Look::StillKept => {}
            Look::Replaced => {
                let tokens = keeper.tokens();
                tracing::info!(?tokens, "tokens read anew");
                *lock.tokens.lock() = tokens;
            }
            Look::Kept { complaint } => tracing::error!(%complaint, "the tokens from before stay"),
        }
    }
}

async fn read(path: PathBuf) -> Result<String, TokensError> {
    runtime::disk::blocking(move || file::read(&path)).await
}
