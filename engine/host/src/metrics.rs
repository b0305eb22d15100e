//! What the engine counts, and `GET /metrics`, which shows it.
//!
//! Counting is one atomic addition, without a lock or an allocation: names and labels are put to numbers when somebody
//! asks ([`mod@page`]). Facts are counted by a [`witness`] between the machines and whoever else is told. What is, rather
//! than what happened, is not kept here: it is asked of the machines and of the store. All of it belongs to one engine;
//! there is no static state. `docs/metrics.md` lists every name.

mod histogram;
mod names;
mod page;
mod tally;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use protocol::error::Code;
use protocol::wire::KvRequestData;

use histogram::Histogram;
pub(crate) use page::{CONTENT_TYPE, page};
use tally::Tally;
pub(crate) use witness::Counting;

/// Upper bounds of the seconds of a commit. Ours: from a sync of a fast disk to one that hangs.
const COMMIT_SECONDS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
/// Upper bounds of the steps of a commit; 256 is the most.
const COMMIT_STEPS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Whom a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The API.
    Api,
    /// An actor.
    Gateway,
    /// The runner sockets.
    Runner,
}

/// The counters of an engine. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    requests: Tally<2>,
    errors: Tally<1>,
    kv: Tally<1>,
    placements: Tally<0>,
    starts: Tally<0>,
    ends: Tally<1>,
    destroyed: Tally<0>,
    runners: Tally<1>,
    streams_opened: Tally<0>,
    streams_ended: Tally<1>,
    forwards: Tally<1>,
    drains_begun: Tally<0>,
    drains_finished: Tally<0>,
    restarts: Tally<0>,
    commit_seconds: Histogram,
    commit_steps: Histogram,
}

impl Metrics {
    /// A request was answered.
    pub(crate) fn request(&self, side: Side, status: StatusCode) {
        self.0.requests.add(names::request(side, status));
    }

    /// A request was answered with an error of the platform.
    pub(crate) fn error(&self, code: Code) {
        self.0.errors.add(code as usize);
    }

    /// A runner sent a KV request.
    pub(crate) fn kv(&self, request: &KvRequestData) {
        self.0.kv.add(names::kv(request));
    }

    /// So many steps became durable together, in so long.
    pub(crate) fn commit(&self, steps: u64, took: Duration) {
        self.0.commit_steps.observe(steps as f64);
        self.0.commit_seconds.observe(took.as_secs_f64());
    }

    /// The engine begins anew from its store.
    pub(crate) fn restarted(&self) {
        self.0.restarts.add(0);
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: Tally::new(["side", "outcome"], names::requests()),
            errors: Tally::new(["code"], Code::ALL.iter().map(|code| [code.as_str()])),
            kv: Tally::new(["operation"], names::KV.map(|name| [name])),
            placements: Tally::new([], [[]]),
            starts: Tally::new([], [[]]),
            ends: Tally::new(["how"], names::ENDS.map(|name| [name])),
            destroyed: Tally::new([], [[]]),
            runners: Tally::new(["event"], names::RUNNERS.map(|name| [name])),
            streams_opened: Tally::new([], [[]]),
            streams_ended: Tally::new(["reason"], names::STREAM_ENDS.map(|name| [name])),
            forwards: Tally::new(["attempt"], names::ATTEMPTS.map(|name| [name])),
            drains_begun: Tally::new([], [[]]),
            drains_finished: Tally::new([], [[]]),
            restarts: Tally::new([], [[]]),
            commit_seconds: Histogram::new(&COMMIT_SECONDS),
            commit_steps: Histogram::new(&COMMIT_STEPS),
        }
    }
}
