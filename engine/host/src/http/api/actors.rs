//! Actors.

use machines::control::effect::Answer;
use machines::control::input::{ActorFilter, Call, NewActor};
use protocol::api::{
    self, ActorAnswer, ActorSpec, ActorsFilter, ActorsQuery, CreateActor, NamesQuery, Pagination,
};
use protocol::error::ApiError;
use protocol::id::ActorId;

use super::{ask, page};
use crate::engine::core::Core;
use crate::http::openapi::{InNamespace, InPages, Refusal};
use crate::http::respond::{self, Reply};

/// `POST /actors?namespace=`.
#[utoipa::path(post, path = "/actors", operation_id = "create_actor", tag = "actors",
    params(InNamespace),
    request_body = CreateActor,
    responses((status = 200, description = "As asked", body = ActorAnswer), Refusal))]
pub(in crate::http) async fn create(core: &Core, query: &str, body: &[u8]) -> Result<Reply, ApiError> {
    let namespace = api::require_namespace(query)?;
    let spec = api::read::<CreateActor>(body)?.into_spec()?;
    let (actor, input) = new_actor(namespace, spec);
    match ask(core, Call::CreateActor(actor), input).await? {
        Answer::Actor { actor, created: _ } => Ok(respond::json(&ActorAnswer { actor, created: None })),
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `PUT /actors?namespace=`: the actor that has the key, or a new one.
#[utoipa::path(put, path = "/actors", operation_id = "get_or_create_actor", tag = "actors",
    params(InNamespace),
    request_body = CreateActor,
    responses((status = 200, description = "As asked", body = ActorAnswer), Refusal))]
pub(in crate::http) async fn get_or_create(core: &Core, query: &str, body: &[u8]) -> Result<Reply, ApiError> {
    let namespace = api::require_namespace(query)?;
    let spec = api::read::<CreateActor>(body)?.into_keyed_spec()?;
    let (actor, input) = new_actor(namespace, spec);
    match ask(core, Call::GetOrCreateActor(actor), input).await? {
        Answer::Actor { actor, created } => Ok(respond::json(&ActorAnswer { actor, created: Some(created) })),
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `GET /actors`.
#[utoipa::path(get, path = "/actors", operation_id = "list_actors", tag = "actors",
    params(InNamespace, InPages, ("actor_ids" = Option<String>, Query, description = "These, at most 32, with commas between; goes with no other field but the namespace"), ("name" = Option<String>, Query, description = "Those of this name"), ("key" = Option<String>, Query, description = "The one with this key; goes with a name"), ("include_destroyed" = Option<bool>, Query, description = "Destroyed ones too")),
    responses((status = 200, description = "As asked", body = api::Actors), Refusal))]
pub(in crate::http) async fn list(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let ActorsQuery { namespace, filter, include_destroyed, page: asked } = ActorsQuery::parse(query)?;
    let filter = match filter {
        ActorsFilter::Ids(ids) => ActorFilter::Ids(ids),
        ActorsFilter::Name { name, key } => {
            ActorFilter::Name { name, key, include_destroyed, page: page(asked) }
        }
    };
    match ask(core, Call::ListActors { namespace, filter }, None).await? {
        Answer::Actors(actors, cursor) => {
            Ok(respond::json(&api::Actors { actors, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `GET /actors/names`.
#[utoipa::path(get, path = "/actors/names", operation_id = "list_actor_names", tag = "actors",
    params(InNamespace, InPages),
    responses((status = 200, description = "As asked", body = api::Names), Refusal))]
pub(in crate::http) async fn names(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let NamesQuery { namespace, page: asked } = NamesQuery::parse(query)?;
    match ask(core, Call::ListActorNames { namespace, page: page(asked) }, None).await? {
        Answer::ActorNames(names, cursor) => {
            let metadata = |text: String| api::NameMetadata { metadata: shown(&text) };
            let names = names.into_iter().map(|(name, text)| (name, metadata(text))).collect();
            Ok(respond::json(&api::Names { names, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `DELETE /actors/{id}`.
#[utoipa::path(delete, path = "/actors/{actor_id}", operation_id = "delete_actor", tag = "actors",
    params(("actor_id" = ActorId, Path, description = "The actor"), ("namespace" = Option<String>, Query, description = "Its namespace; another one's actor is not found")),
    responses((status = 200, description = "As asked", body = api::Done), Refusal))]
pub(in crate::http) async fn delete(core: &Core, query: &str, id: &str) -> Result<Reply, ApiError> {
    let namespace = api::parse_namespace(query)?;
    let actor = api::parse_actor_id(id)?;
    match ask(core, Call::DeleteActor { namespace, actor }, None).await? {
        Answer::Deleted => Ok(respond::json(&api::Done {})),
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `POST /actors/{id}/sleep`.
#[utoipa::path(post, path = "/actors/{actor_id}/sleep", operation_id = "sleep_actor", tag = "actors",
    params(("actor_id" = ActorId, Path, description = "The actor"), ("namespace" = Option<String>, Query, description = "Its namespace; another one's actor is not found")),
    responses((status = 200, description = "As asked", body = api::Done), Refusal))]
pub(in crate::http) async fn sleep(core: &Core, query: &str, id: &str) -> Result<Reply, ApiError> {
    let (namespace, actor) = (api::parse_namespace(query)?, api::parse_actor_id(id)?);
    steered(ask(core, Call::SleepActor { namespace, actor }, None).await?)
}

/// `POST /actors/{id}/reschedule`.
#[utoipa::path(post, path = "/actors/{actor_id}/reschedule", operation_id = "reschedule_actor", tag = "actors",
    params(("actor_id" = ActorId, Path, description = "The actor"), ("namespace" = Option<String>, Query, description = "Its namespace; another one's actor is not found")),
    responses((status = 200, description = "As asked", body = api::Done), Refusal))]
pub(in crate::http) async fn reschedule(core: &Core, query: &str, id: &str) -> Result<Reply, ApiError> {
    let (namespace, actor) = (api::parse_namespace(query)?, api::parse_actor_id(id)?);
    steered(ask(core, Call::RescheduleActor { namespace, actor }, None).await?)
}

fn steered(answer: Answer) -> Result<Reply, ApiError> {
    match answer {
        Answer::Steered => Ok(respond::json(&api::Done {})),
        other => unreachable!("the question was another: {other:?}"),
    }
}

fn new_actor(namespace: String, spec: ActorSpec) -> (NewActor, Option<bytes::Bytes>) {
    let ActorSpec { name, key, input, pool, crash_policy } = spec;
    let fresh = ActorId::from_entropy(runtime::entropy::bytes("actor id"));
    (NewActor { fresh, namespace, name, key, pool, crash_policy, input: None }, input)
}

/// A runner's text, as JSON where it is JSON.
fn shown(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
}
