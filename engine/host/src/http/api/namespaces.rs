//! Namespaces.

use machines::control::effect::Answer;
use machines::control::input::Call;
use protocol::api::{self, CreateNamespace, NamespaceAnswer, Namespaces, NamespacesQuery, Pagination, Query};
use protocol::error::ApiError;
use protocol::id::NamespaceId;

use super::{ask, page};
use crate::engine::core::Core;
use crate::http::openapi::{InPages, Refusal};
use crate::http::respond::{self, Reply};

/// `GET /namespaces`.
#[utoipa::path(get, path = "/namespaces", operation_id = "list_namespaces", tag = "namespaces",
    params(InPages, ("name" = Option<String>, Query, description = "The one of this name"), ("namespace_ids" = Option<String>, Query, description = "These, at most 100, with commas between")),
    responses((status = 200, description = "As asked", body = Namespaces), Refusal))]
pub(in crate::http) async fn list(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let NamespacesQuery { name, namespace_ids, page: asked } = NamespacesQuery::parse(query)?;
    match ask(core, Call::ListNamespaces { name, ids: namespace_ids, page: page(asked) }, None).await? {
        Answer::Namespaces(namespaces, cursor) => {
            Ok(respond::json(&Namespaces { namespaces, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `POST /namespaces`.
#[utoipa::path(post, path = "/namespaces", operation_id = "create_namespace", tag = "namespaces",
    request_body = CreateNamespace,
    responses((status = 200, description = "As asked", body = NamespaceAnswer), Refusal))]
pub(in crate::http) async fn create(core: &Core, query: &str, body: &[u8]) -> Result<Reply, ApiError> {
    Query::new(query).finish()?;
    let new: CreateNamespace = api::read(body)?;
    new.check()?;
    let CreateNamespace { name, display_name } = new;
    let fresh = NamespaceId::from_entropy(runtime::entropy::bytes("namespace id"));
    match ask(core, Call::CreateNamespace { fresh, name, display_name }, None).await? {
        Answer::Namespace(namespace) => Ok(respond::json(&NamespaceAnswer { namespace })),
        other => unreachable!("the question was another: {other:?}"),
    }
}
