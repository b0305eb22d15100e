//! Runners.

use machines::control::effect::Answer;
use machines::control::input::Call;
use protocol::api::{Pagination, Runners, RunnersQuery};
use protocol::error::ApiError;

use super::{ask, page};
use crate::engine::core::Core;
use crate::http::respond::{self, Reply};

/// `GET /runners`.
pub(super) async fn list(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let RunnersQuery { namespace, name, page: asked } = RunnersQuery::parse(query)?;
    match ask(core, Call::ListRunners { namespace, pool: name, page: page(asked) }, None).await? {
        Answer::Runners(runners, cursor) => {
            Ok(respond::json(&Runners { runners, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}
