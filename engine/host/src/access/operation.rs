//! What a request wants, told from its first line.

use hyper::Method;
use url::form_urlencoded;

/// Where requests to actors begin.
pub(crate) const GATEWAY: &str = "/gateway/";

/// What a request wants, as far as tokens tell requests apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// What anybody may know: whether the engine lives, which it is, and how its API looks.
    Open,
    /// A request to an actor.
    Call,
    /// Find or make actors that one can name: by id, or by name and key.
    Resolve,
    /// Connect as a runner.
    Connect,
    /// What an application does at its start: look up datacenters, read and configure its pool.
    Register,
    /// Everything else, paths that do not exist included.
    Administer,
}

impl Operation {
    /// All operations.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Call, Self::Resolve, Self::Connect, Self::Register, Self::Administer];

    /// What a request with this first line wants. What is not known here takes an operator: a path that somebody
    /// adds elsewhere is closed until somebody opens it here.
    #[must_use]
    pub fn of(method: &Method, path: &str, query: Option<&str>) -> Self {
        if path.starts_with(GATEWAY) {
            return Self::Call;
        }
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        match (method, segments.as_slice()) {
            (&Method::GET, ["health"] | ["health", "fanout"] | ["metadata"] | ["openapi.json"]) => Self::Open,
            (&Method::GET, ["runners", "connect"]) => Self::Connect,
            (&Method::GET, ["datacenters"] | ["runner-configs"]) => Self::Register,
            (&Method::PUT, ["runner-configs", _pool]) => Self::Register,
            (&Method::POST | &Method::PUT, ["actors"]) => Self::Resolve,
            (&Method::GET, ["actors"]) if names_an_actor(query.unwrap_or_default()) => Self::Resolve,
            _ => Self::Administer,
        }
    }
}

/// Whether the query can list nothing but actors that its author knows of.
fn names_an_actor(query: &str) -> bool {
    let given = |field: &str| {
        form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == field && !value.is_empty())
    };
    given("actor_ids") || given("actor_id") || (given("name") && given("key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_wants_what_it_says() {
        use Operation::{Administer, Call, Connect, Open, Register, Resolve};
        for (line, expected) in [
            ("GET /health", Open),
            ("GET /health/fanout", Open),
            ("GET /metadata?namespace=n", Open),
            ("GET /openapi.json", Open),
            ("POST /health", Administer),
            ("GET /metrics", Administer),
            ("GET /gateway/abc/health", Call),
            ("OPTIONS /gateway/abc@t/x", Call),
            ("GET /gateway", Administer),
            ("GET /runners/connect?protocol_version=7", Connect),
            ("GET /runners", Administer),
            ("GET /runners/names", Administer),
            ("GET /datacenters", Register),
            ("GET /runner-configs?runner_names=a", Register),
            ("PUT /runner-configs/default", Register),
            ("PUT /runner-configs/a/b", Administer),
            ("DELETE /runner-configs/default", Administer),
            ("POST /runner-configs/serverless-health-check", Administer),
            ("PUT /actors", Resolve),
            ("POST /actors", Resolve),
            ("GET /actors?actor_ids=a", Resolve),
            ("GET /actors?actor_id=a", Resolve),
            ("GET /actors?name=n&key=k", Resolve),
            ("GET /actors?name=n", Administer),
            ("GET /actors?name=n&key=", Administer),
            ("GET /actors?name=n&actor_ids=", Administer),
            ("GET /actors", Administer),
            ("DELETE /actors/abc", Administer),
            ("GET /actors/abc/kv/keys/AA", Administer),
            ("POST /actors/abc/sleep", Administer),
            ("GET /namespaces", Administer),
            ("POST /namespaces", Administer),
            ("GET /", Administer),
            ("GET /nope", Administer),
            ("GET //health", Administer),
        ] {
            let (method, target) = line.split_once(' ').unwrap();
            let (path, query) = target.split_once('?').map_or((target, None), |(path, it)| (path, Some(it)));
            assert_eq!(Operation::of(&method.parse().unwrap(), path, query), expected, "{line}");
        }
    }
}
