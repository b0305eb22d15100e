//! Timings and identity of a runner.

use std::time::Duration;

use protocol::limits::{
    INIT_TIMEOUT_MS, RUNNER_LOST_THRESHOLD_MS, SERVERLESS_DRAIN_GRACE_MS, SSE_PING_INTERVAL_MS,
    WEBSOCKET_UNREAD_BYTES_MAX, WEBSOCKET_UNREAD_MESSAGES_MAX,
};

/// Timings and limits. Defaults are ours unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Actors it hosts at one time. Default 1 in serverless mode (upstream), else 10 000.
    pub total_slots: u32,
    /// How long one dial may take, upgrade included, and how long a socket that was given up is waited for. Default 5 s.
    pub dial_timeout: Duration,
    /// Longest wait before the first dial after a drop. Default 50 ms.
    pub redial_first: Duration,
    /// Cap of the wait in the first minute after a drop; waits double with full jitter. Default 1 s.
    pub redial_max_early: Duration,
    /// Cap afterwards. Default 30 s (upstream).
    pub redial_max: Duration,
    /// A connection that lived this long forgets earlier failures. Default 60 s (upstream).
    pub stable: Duration,
    /// From the socket to the engine's Init. Default 5 s.
    pub init_timeout: Duration,
    /// Without a ping for this long the socket counts as dead. Default 15 s (the engine pings every 3 s).
    pub ping_timeout: Duration,
    /// Disconnected for this long: stop all actors. Told anew by the engine's Init. Default 15 s (upstream).
    pub lost_threshold: Duration,
    /// How long a drain waits for the engine's stops before it stops actors itself. Default 10 s (upstream's
    /// serverless drain grace); told anew by Init.
    pub drain_grace: Duration,
    /// How long a drain may take in all before the actors that are left are cut off. Default twice the grace; whoever
    /// bounds the whole drain himself sets it as long as he likes.
    pub drain_max: Option<Duration>,
    /// Closes in a row for an unknown namespace after which it is given up. Default 3 (ours: one that is being made while
    /// the application starts is there by then).
    pub namespace_tries: u32,
    /// A KV request without answer for this long fails as indeterminate, and so does an alarm. Default 30 s (upstream,
    /// for KV).
    pub kv_timeout: Duration,
    /// Events kept for replay at most; beyond it the runner stops (a defect of the engine). Default 10 000 (upstream
    /// warns there).
    pub events_max: usize,
    /// KV requests without answer at most; further ones fail as not done. Default 10 000.
    pub kv_max: usize,
    /// Client requests and WebSockets held for, or given to, instances at most; further ones are refused. Default
    /// 10 000.
    pub requests_max: usize,
    /// Bytes of messages that may wait for one instance to read them from one WebSocket, counted before one is added;
    /// beyond it the WebSocket is closed. Default [`WEBSOCKET_UNREAD_BYTES_MAX`].
    pub websocket_bytes_max: usize,
    /// Messages that may wait so. Default [`WEBSOCKET_UNREAD_MESSAGES_MAX`].
    pub websocket_messages_max: u32,
    /// Responses kept while disconnected at most; further ones are dropped. Default 100: an engine whose gateway
    /// matches responses by session has no use for them, one whose gateway matches by request has.
    pub responses_max: usize,
    /// Between two pings of a serverless event stream. Default 1 s (upstream).
    pub stream_ping: Duration,
    /// How long a serverless event stream stays open for its runner to drain after the process was asked to end. Default
    /// 25 s: a drain takes twice its grace at most.
    pub stream_final_wait: Duration,
    /// How long a serverless event stream is open at most. Default 5,460 s: the longest request that upstream's defaults
    /// allow (3600 s, and 1800 s of drain), and a minute. The engine ends it earlier.
    pub stream_lifetime: Duration,
    /// A write to a serverless event stream that takes longer has failed. Default 15 s (as the lost threshold).
    pub stream_write_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            total_slots: 10_000,
            dial_timeout: Duration::from_secs(5),
            redial_first: Duration::from_millis(50),
            redial_max_early: Duration::from_secs(1),
            redial_max: Duration::from_secs(30),
            stable: Duration::from_secs(60),
            init_timeout: Duration::from_millis(INIT_TIMEOUT_MS),
            ping_timeout: Duration::from_secs(15),
            lost_threshold: Duration::from_millis(RUNNER_LOST_THRESHOLD_MS),
            drain_grace: Duration::from_millis(SERVERLESS_DRAIN_GRACE_MS),
            drain_max: None,
            namespace_tries: 3,
            kv_timeout: Duration::from_secs(30),
            events_max: 10_000,
            kv_max: 10_000,
            requests_max: 10_000,
            websocket_bytes_max: WEBSOCKET_UNREAD_BYTES_MAX,
            websocket_messages_max: WEBSOCKET_UNREAD_MESSAGES_MAX,
            responses_max: 100,
            stream_ping: Duration::from_millis(SSE_PING_INTERVAL_MS),
            stream_final_wait: Duration::from_secs(25),
            stream_lifetime: Duration::from_secs(3600 + 1800 + 60),
            stream_write_timeout: Duration::from_secs(15),
        }
    }
}
