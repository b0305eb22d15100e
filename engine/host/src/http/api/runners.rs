//! Runners.

use machines::control::effect::Answer;
use machines::control::input::Call;
use protocol::api::{NamesQuery, Pagination, RunnerNames, Runners, RunnersQuery};
use protocol::error::ApiError;

use super::{ask, page};
use crate::engine::core::Core;
use crate::http::openapi::{InNamespace, InPages, Refusal};
use crate::http::respond::{self, Reply};

/// `GET /runners`.
#[utoipa::path(get, path = "/runners", operation_id = "list_runners", tag = "runners",
    params(InNamespace, InPages, ("name" = Option<String>, Query, description = "Those of this pool"), ("runner_ids" = Option<String>, Query, description = "These, at most 100, with commas between"), ("include_stopped" = Option<bool>, Query, description = "Makes no difference: those that are gone for good are forgotten")),
    responses((status = 200, description = "As asked", body = Runners), Refusal))]
pub(in crate::http) async fn list(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let RunnersQuery { namespace, name, runner_ids, include_stopped: _, page: asked } =
        RunnersQuery::parse(query)?;
    let call = Call::ListRunners { namespace, pool: name, ids: runner_ids, page: page(asked) };
    match ask(core, call, None).await? {
        Answer::Runners(runners, cursor) => {
            Ok(respond::json(&Runners { runners, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `GET /runners/names`.
#[utoipa::path(get, path = "/runners/names", operation_id = "list_runner_names", tag = "runners",
    params(InNamespace, InPages),
    responses((status = 200, description = "As asked", body = RunnerNames), Refusal))]
pub(in crate::http) async fn names(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let NamesQuery { namespace, page: asked } = NamesQuery::parse(query)?;
    match ask(core, Call::ListRunnerNames { namespace, page: page(asked) }, None).await? {
        Answer::RunnerNames(names, cursor) => {
            Ok(respond::json(&RunnerNames { names, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}
