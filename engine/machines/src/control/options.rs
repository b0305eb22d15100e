//! Every timing and limit of the control plane, with unit, default and source.

use std::time::Duration;

use protocol::limits::{
    ACTOR_STOP_THRESHOLD_MS, INIT_TIMEOUT_MS, RUNNER_LOST_THRESHOLD_MS, RUNNER_PING_INTERVAL_MS,
    SERVERLESS_DRAIN_GRACE_MS,
};

/// Timings and limits. Defaults are upstream's unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// How long a new runner socket may stay without its Init. Default 5 s (upstream).
    pub init_timeout: Duration,
    /// Between two pings of the engine on a runner socket. Default 3 s (upstream).
    pub ping_interval: Duration,
    /// A runner that answered no ping for this long takes no new actors. Default 10 s (upstream).
    pub eligible_threshold: Duration,
    /// A runner that answered no ping for this long is lost and its socket closed; also how long, after the engine's
    /// boot, a runner that was connected before is waited for. Default 15 s (upstream).
    pub lost_threshold: Duration,
    /// After a runner's socket closed, how long its actors keep their generation. Default 3 s (ours: RivetKit dials
    /// again after 1.0 to 1.25 s; upstream waits for the lost threshold and sends requests into the void meanwhile).
    pub grace: Duration,
    /// From the start command to Running. Default 30 s (upstream).
    pub start_threshold: Duration,
    /// From the stop command to Stopped; told to runners in Init. Default 1800 s (upstream).
    pub stop_threshold: Duration,
    /// How long a stop that was sent again after a reconnect may stay unanswered: then the runner does not know the
    /// actor any more. Default 120 s (RivetKit's own bound of a stop).
    pub restop_threshold: Duration,
    /// Between two notes in the store that the engine lives, while there are runners. Default 5 s (ours: how long it
    /// was down is known to within this, which is to be short against the lost threshold).
    pub heartbeat_interval: Duration,
    /// First delay between two starts of an actor that crashes; the very first restart has none. Default 2 s (upstream).
    pub backoff_base: Duration,
    /// The delay doubles at most this often. Default 8 (upstream: 512 s).
    pub backoff_exponent: u32,
    /// Without a restart for this long the delays begin anew. Default 600 s (upstream).
    pub backoff_reset: Duration,
    /// From the request for a serverless stream to its response head, from there to its Init event, and between two
    /// of its events: beyond this the stream has failed. Default 10 s (ours: upstream has no bound).
    pub stream_timeout: Duration,
    /// Streams of one pool that are on their way at one time; further ones follow as these become live. Default 64
    /// (ours: a burst of creations must not become a burst of as many dials).
    pub streams_coming_max: usize,
    /// First delay before a failed stream is opened again. Default 500 ms (ours: a client waits at most 30 s for an
    /// actor, so an endpoint that healed must be tried within that time; upstream starts at 2 s).
    pub stream_backoff_base: Duration,
    /// Longest such delay. Default 10 s (ours, for the same reason; upstream 512 s).
    pub stream_backoff_max: Duration,
    /// A stream that lived this long, with its Init seen, has not failed when it ends: the next opens at once and the
    /// delays begin anew. Default 5 s (ours).
    pub stream_stable: Duration,
    /// Told to serverless runners in Init: how long they may drain. Default 10 s (upstream).
    pub drain_grace: Duration,
    /// Runner sockets at one time. Default 100 000 (ours: what one process has descriptors for).
    pub sockets_max: usize,
    /// Actors that are not destroyed. Default 1 000 000 (ours: about 1 GiB of memory).
    pub actors_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            init_timeout: Duration::from_millis(INIT_TIMEOUT_MS),
            ping_interval: Duration::from_millis(RUNNER_PING_INTERVAL_MS),
            eligible_threshold: Duration::from_secs(10),
            lost_threshold: Duration::from_millis(RUNNER_LOST_THRESHOLD_MS),
            grace: Duration::from_secs(3),
            start_threshold: Duration::from_secs(30),
            stop_threshold: Duration::from_millis(ACTOR_STOP_THRESHOLD_MS),
            restop_threshold: Duration::from_secs(120),
            heartbeat_interval: Duration::from_secs(5),
            backoff_base: Duration::from_secs(2),
            backoff_exponent: 8,
            backoff_reset: Duration::from_secs(600),
            stream_timeout: Duration::from_secs(10),
            streams_coming_max: 64,
            stream_backoff_base: Duration::from_millis(500),
            stream_backoff_max: Duration::from_secs(10),
            stream_stable: Duration::from_secs(5),
            drain_grace: Duration::from_millis(SERVERLESS_DRAIN_GRACE_MS),
            sockets_max: 100_000,
            actors_max: 1_000_000,
        }
    }
}
