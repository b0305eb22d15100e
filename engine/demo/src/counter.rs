//! A counter that survives: every increment is stored before it is answered.

use sdk::{Actor, ActorError, Context, KvError, Request, Response};
use serde::{Deserialize, Serialize};

/// Where the value is stored.
const KEY: &[u8] = b"value";

/// `POST /increment` (optionally `{"by": 5}`) adds and answers the value, `GET /value` answers it.
#[derive(Debug, Default)]
pub struct Counter {
    /// As stored; none when the last write may or may not have been carried out.
    value: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Increment {
    by: i64,
}

#[derive(Serialize)]
struct Answer {
    value: i64,
}

impl Actor for Counter {
    async fn on_start(&mut self, ctx: &Context) -> Result<(), ActorError> {
        self.value = Some(load(ctx).await?);
        Ok(())
    }

    async fn on_request(&mut self, ctx: &Context, request: Request) -> Result<Response, ActorError> {
        match (request.method().as_str(), request.path()) {
            ("GET", "/value") => self.value(ctx).await,
            ("POST", "/increment") => self.increment(ctx, &request).await,
            _ => Err(ActorError::not_found("Try GET /value or POST /increment.")),
        }
    }
}

impl Counter {
    async fn value(&mut self, ctx: &Context) -> Result<Response, ActorError> {
        let value = self.known(ctx).await?;
        Ok(Response::json(&Answer { value }))
    }

    async fn increment(&mut self, ctx: &Context, request: &Request) -> Result<Response, ActorError> {
        let by = if request.body().is_empty() { 1 } else { request.json::<Increment>()?.by };
        let before = self.known(ctx).await?;
        let value =
            before.checked_add(by).ok_or_else(|| ActorError::user("overflow", "The counter is full."))?;
        // Unknown until the engine has committed it: should the write fail halfway, the next request looks.
        self.value = None;
        ctx.kv().put(KEY, value.to_le_bytes().to_vec()).await?;
        self.value = Some(value);
        Ok(Response::json(&Answer { value }))
    }

    async fn known(&mut self, ctx: &Context) -> Result<i64, ActorError> {
        let value = match self.value {
            Some(value) => value,
            None => load(ctx).await?,
        };
        self.value = Some(value);
        Ok(value)
    }
}

async fn load(ctx: &Context) -> Result<i64, ActorError> {
    match ctx.kv().get(KEY).await? {
        None => Ok(0),
        Some(bytes) => {
            let bytes = bytes.as_ref().try_into().map_err(|_| KvError::Malformed)?;
            Ok(i64::from_le_bytes(bytes))
        }
    }
}
