//! Values of labels, and which row of its tally an event belongs to.

use hyper::StatusCode;
use protocol::view::GenerationEnd;
use protocol::wire::KvRequestData;

use super::Side;

const SIDES: [&str; 3] = ["api", "gateway", "runner"];
/// Below 400, below 500, and what the platform (or an actor) failed at.
const OUTCOMES: [&str; 3] = ["ok", "refused", "failed"];

/// Kinds of KV requests.
pub(super) const KV: [&str; 6] = ["get", "list", "put", "delete", "delete_range", "drop"];
/// How generations end.
pub(super) const ENDS: [&str; 4] = ["stopped", "crashed", "runner_lost", "no_response"];
/// What happens to runners.
pub(super) const RUNNERS: [&str; 3] = ["connected", "disconnected", "lost"];
/// Whether a request was forwarded for the first time.
pub(super) const ATTEMPTS: [&str; 2] = ["first", "again"];
/// Why streams end: by their applications, by the engine, and whatever else a later engine calls a reason.
pub(super) const STREAM_ENDS: [&str; 14] = [
    "closed",
    "clean",
    "http",
    "connection",
    "payload",
    "outdated",
    "lifespan",
    "drain_timeout",
    "runner_lost",
    "version",
    "surplus",
    "drained",
    "timeout",
    "other",
];

/// Every pair of side and outcome.
pub(super) fn requests() -> impl Iterator<Item = [&'static str; 2]> {
    SIDES.into_iter().flat_map(|side| OUTCOMES.map(|outcome| [side, outcome]))
}

pub(super) fn request(side: Side, status: StatusCode) -> usize {
    let side = match side {
        Side::Api => 0,
        Side::Gateway => 1,
        Side::Runner => 2,
    };
    let outcome = match status.as_u16() {
        ..400 => 0,
        400..500 => 1,
        500.. => 2,
    };
    side * OUTCOMES.len() + outcome
}

pub(super) const fn kv(request: &KvRequestData) -> usize {
    match request {
        KvRequestData::Get { .. } => 0,
        KvRequestData::List { .. } => 1,
        KvRequestData::Put { .. } => 2,
        KvRequestData::Delete { .. } => 3,
        KvRequestData::DeleteRange { .. } => 4,
        KvRequestData::Drop => 5,
    }
}

pub(super) const fn end(how: GenerationEnd) -> usize {
    match how {
        GenerationEnd::Stopped => 0,
        GenerationEnd::Crashed => 1,
        GenerationEnd::RunnerLost => 2,
        GenerationEnd::NoResponse => 3,
    }
}

pub(super) fn stream_end(reason: &str) -> usize {
    STREAM_ENDS.iter().position(|known| *known == reason).unwrap_or(STREAM_ENDS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_counted_under_its_own_name() {
        let rows: Vec<_> = requests().collect();
        assert_eq!(rows[request(Side::Api, StatusCode::OK)], ["api", "ok"]);
        assert_eq!(rows[request(Side::Runner, StatusCode::SWITCHING_PROTOCOLS)], ["runner", "ok"]);
        assert_eq!(rows[request(Side::Gateway, StatusCode::NOT_FOUND)], ["gateway", "refused"]);
        assert_eq!(rows[request(Side::Api, StatusCode::GATEWAY_TIMEOUT)], ["api", "failed"]);
        assert_eq!(KV[kv(&KvRequestData::Drop)], "drop");
        assert_eq!(ENDS[end(GenerationEnd::NoResponse)], "no_response");
        assert_eq!(STREAM_ENDS[stream_end("lifespan")], "lifespan");
        assert_eq!(STREAM_ENDS[stream_end("of a later engine")], "other");
    }
}
