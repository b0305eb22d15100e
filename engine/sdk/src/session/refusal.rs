//! What the runner itself answers to a request, in place of an actor.

use protocol::error::ErrorBody;
use protocol::wire::RUNNER_ACTOR_NOT_FOUND;

use crate::actor::Response;

/// The request reached no actor: the gateway may send it elsewhere.
pub(crate) fn undelivered() -> Response {
    body(503, "runner", "actor_not_found", "The actor does not run on this runner.")
        .of_runner(RUNNER_ACTOR_NOT_FOUND)
}

/// There are more requests than the runner takes. It is no [`undelivered`]: that would say that the actor is not here.
pub(crate) fn overloaded() -> Response {
    body(503, "runner", "overloaded", "The runner has as many requests as it takes.")
}

/// The request is none that an actor could read.
pub(crate) fn unreadable(reason: &str) -> Response {
    body(400, "request", "invalid", reason)
}

/// The request is larger than the platform carries.
pub(crate) fn too_large() -> Response {
    body(413, "request", "body_too_large", "Request body too large.")
}

fn body(status: u16, group: &str, code: &str, message: &str) -> Response {
    let (group, code, message) = (group.to_owned(), code.to_owned(), message.to_owned());
    Response::json(&ErrorBody { group, code, message, metadata: None }).with_status(status)
}
