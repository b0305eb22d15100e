//! What an actor has stored, for people who look into it.

use protocol::api::{self, KvValue};
use protocol::error::ApiError;
use protocol::id::ActorId;
use protocol::wire::{KvRequestData, KvResponseData};

use super::asked;
use crate::control::Letter;
use crate::engine::core::Core;
use crate::http::openapi::Refusal;
use crate::http::respond::{self, Reply};

/// `GET /actors/{id}/kv/keys/{key}`: the value under a key, as it is committed.
#[utoipa::path(get, path = "/actors/{actor_id}/kv/keys/{key}", operation_id = "read_actor_kv", tag = "actors",
    params(("actor_id" = ActorId, Path, description = "The actor"), ("key" = String, Path, description = "Base64 of the key, of either alphabet"), ("namespace" = Option<String>, Query, description = "Its namespace; another one's actor is not found")),
    responses((status = 200, description = "As asked", body = KvValue), Refusal))]
pub(in crate::http) async fn read(core: &Core, query: &str, id: &str, key: &str) -> Result<Reply, ApiError> {
    let (namespace, actor) = (api::parse_namespace(query)?, api::parse_actor_id(id)?);
    let key = api::parse_kv_key(key)?;
    let request = KvRequestData::Get { keys: vec![key.into()] };
    match asked(core, |asker| Letter::ReadKv { namespace, actor, request, asker }).await? {
        KvResponseData::Get { values, metadata, .. } => match (values.first(), metadata.first()) {
            (Some(value), Some(about)) => Ok(respond::json(&KvValue::new(value, about.update_ts))),
            (None, None) => Err(ApiError::ActorKvKeyNotFound),
            (Some(_), None) | (None, Some(_)) => unreachable!("each value has its metadata"),
        },
        other => unreachable!("a read of one key within its bounds answers with what is there: {other:?}"),
    }
}
