//! Bounds of the gateway.

use std::time::Duration;

use protocol::limits::{ACTOR_READY_TIMEOUT_MS, WEBSOCKET_UNREAD_BYTES_MAX, WEBSOCKET_UNREAD_MESSAGES_MAX};

/// Bounds. The sum of both timeouts is how long a client waits at most for the head of its response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// How long a request is held until its actor is ready. Default 30 s (upstream).
    pub ready_timeout: Duration,
    /// How long a request is held at most while runners of its actor's pool cannot be started; then it fails with
    /// `guard.actor_runner_failed`. Default 3 s (upstream looks first after 1 s, then every 2 s).
    pub fail_fast: Duration,
    /// From forwarding a request to the head of its response; then between two of its chunks. Default 60 s (ours:
    /// RivetKit's action time-out; upstream went from 15 s to 300 s).
    pub response_timeout: Duration,
    /// How long a request that the runner sent back unhandled waits for a new route before it is tried again.
    /// Default 500 ms (ours: about as long as a runner takes to dial again).
    pub retry_delay: Duration,
    /// How often one request is forwarded at most. Default 7 (upstream).
    pub attempts_max: u32,
    /// Requests in flight at one time; more get `guard.service_unavailable`. Default 20 000 (ours: twice
    /// what one runner takes).
    pub requests_max: usize,
    /// From asking a runner for a WebSocket to its word that the actor takes it. Default 15 s (upstream).
    pub open_timeout: Duration,
    /// WebSockets at one time, those to be opened included; more get `guard.service_unavailable`. Default 20 000 (ours:
    /// as many as requests).
    pub websockets_max: usize,
    /// Between two pings to the client of a WebSocket. Default 10 s (ours: upstream's 3 s cost a message of each idle
    /// client three times as often).
    pub websocket_ping: Duration,
    /// A client of a WebSocket that was not heard of for this long is gone. Default 30 s (upstream).
    pub websocket_timeout: Duration,
    /// Bytes of messages that may wait for one client of a WebSocket, counted before one is added; beyond it the
    /// WebSocket is closed. Default [`WEBSOCKET_UNREAD_BYTES_MAX`].
    pub websocket_bytes_max: usize,
    /// Messages that may wait so. Default [`WEBSOCKET_UNREAD_MESSAGES_MAX`].
    pub websocket_messages_max: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ready_timeout: Duration::from_millis(ACTOR_READY_TIMEOUT_MS),
            fail_fast: Duration::from_secs(3),
            response_timeout: Duration::from_secs(60),
            retry_delay: Duration::from_millis(500),
            attempts_max: 7,
            requests_max: 20_000,
            open_timeout: Duration::from_secs(15),
            websockets_max: 20_000,
            websocket_ping: Duration::from_secs(10),
            websocket_timeout: Duration::from_secs(30),
            websocket_bytes_max: WEBSOCKET_UNREAD_BYTES_MAX,
            websocket_messages_max: WEBSOCKET_UNREAD_MESSAGES_MAX,
        }
    }
}
