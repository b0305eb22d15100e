//! Actor and path out of a gateway path.

use percent_encoding::percent_decode_str;
use protocol::error::ApiError;
use protocol::id::ActorId;

/// The actor, and the path with its query as the actor sees it, of what follows `/gateway/`. A token behind the id is
/// the door's, and left out.
///
/// # Errors
/// `guard.no_route` for empty segments, `api.bad_request` for what is no actor id.
pub(super) fn split(rest: &str, query: Option<&str>) -> Result<(ActorId, String), ApiError> {
    let (target, path) = rest.split_once('/').unwrap_or((rest, ""));
    if target.is_empty() || path.starts_with('/') || path.contains("//") {
        return Err(ApiError::GuardNoRoute);
    }
    let id = target.split_once('@').map_or(target, |(id, _token)| id);
    let id = percent_decode_str(id).decode_utf8().map_err(|error| bad(error.to_string()))?;
    let actor = id.parse().map_err(|error: protocol::id::IdError| bad(error.to_string()))?;
    let path = match query {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    };
    Ok((actor, path))
}

const fn bad(reason: String) -> ApiError {
    ApiError::ApiBadRequest { reason }
}

#[cfg(test)]
mod tests {
    use protocol::error::Code;

    use super::*;

    const ID: &str = "9i3halmrv1puua7r2mvi49taqjbl00";

    fn path(rest: &str, query: Option<&str>) -> String {
        let (actor, path) = split(rest, query).unwrap();
        assert_eq!(actor.as_str(), ID);
        path
    }

    #[test]
    fn the_actor_sees_what_follows_it() {
        assert_eq!(path(&format!("{ID}/request/x"), Some("y=1&z")), "/request/x?y=1&z");
        assert_eq!(path(&format!("{ID}@se%2Fcret/action/a%20b"), None), "/action/a%20b");
        assert_eq!(path(ID, None), "/");
        assert_eq!(path(&format!("{ID}/"), Some("")), "/?");
        assert_eq!(path(&format!("%39{}/a", &ID[1..]), None), "/a");
    }

    #[test]
    fn everything_else_is_refused() {
        let refusal = |rest: &str| split(rest, None).unwrap_err().kind();
        assert_eq!(refusal(""), Code::GuardNoRoute);
        assert_eq!(refusal("/request"), Code::GuardNoRoute);
        assert_eq!(refusal(&format!("{ID}//request")), Code::GuardNoRoute);
        assert_eq!(refusal("zzz/request"), Code::ApiBadRequest);
        assert_eq!(refusal("%ff/request"), Code::ApiBadRequest);
    }
}
