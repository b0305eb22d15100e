//! Every timing and limit of the control plane, with unit, default and source.

use std::time::Duration;

use protocol::limits::{
    ACTOR_STOP_THRESHOLD_MS, INIT_TIMEOUT_MS, RUNNER_LOST_THRESHOLD_MS, RUNNER_PING_INTERVAL_MS,
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
    /// Once a new serverless runner has come, how long one whose request died with the former engine, and who has not come
    /// back, keeps its actors. Default 100 ms (ours: an instance that still lives dials within 50 ms of the boot).
    pub successor_grace: Duration,
    /// From the start command to Running. Default 30 s (upstream).
    pub start_threshold: Duration,
    /// From the stop command to Stopped; told to runners in Init. Default 1800 s (upstream).
    pub stop_threshold: Duration,
    /// How long a stop that was sent again, after a reconnect or when an actor had not answered in its time, may stay
    /// unanswered: then the runner does not know the actor any more. Default 120 s (RivetKit's own bound of a stop).
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
    /// of its events: beyond this the stream has failed. Also how long a runner that may have come on a request may be
    /// without one that names it. Default 10 s (ours: upstream has no bound).
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
    /// How long reports of starts in a pool are gathered before they are counted. Default 250 ms (upstream).
    pub report_debounce: Duration,
    /// Reports that are gathered at most. Default 1024 (upstream).
    pub reports_max: usize,
    /// Starts in a row that must go well before a pool's error is taken back. Default 3 (upstream).
    pub successes_to_clear: u32,
    /// Without a start tried for this long a pool's error says nothing any more. Default 60 s (ours: upstream keeps it for
    /// ever, and turns clients away whose requests would have shown that it is gone).
    pub pool_error_age: Duration,
    /// Failed waves of streams in a row after which requests are not even held for the moment that the gateway holds them
    /// while a pool struggles. Default 3 (ours: one blip turns nobody away).
    pub known_failures: u32,
    /// How long an application may take to tell its metadata. Default 10 s (upstream).
    pub metadata_timeout: Duration,
    /// With each failure in a row the time to the next look at the metadata doubles, at most this often. Default 5 (ours:
    /// 160 s at the shortest interval; upstream 8).
    pub metadata_backoff_exponent: u32,
    /// Applications that are asked for their metadata at a caller's wish at one time; further callers are refused.
    /// Default 64 (ours).
    pub metadata_calls_max: usize,
    /// Runner sockets at one time. Default 100 000 (ours: what one process has descriptors for).
    pub sockets_max: usize,
    /// How long a destroyed actor is still listed, with how it ended. Default 7 days (ours: long enough that somebody asks
    /// after a weekend; upstream keeps all, for ever).
    pub destroyed_kept: Duration,
    /// Destroyed actors that are listed at most: beyond this the oldest are forgotten earlier. Default 10 000 (ours: about
    /// 10 MiB of memory, whatever a client creates and destroys).
    pub destroyed_max: usize,
    /// Actors that are not destroyed. Default 1 000 000 (ours: about 1 GiB of memory).
    pub actors_max: usize,
}

impl Options {
    /// The longest delay between two starts of an actor that crashes, jitter included.
    pub(super) fn backoff_max(&self) -> Duration {
        self.backoff(self.backoff_exponent).saturating_add(super::generation::JITTER)
    }

    /// The delay after so many doublings.
    pub(super) fn backoff(&self, doublings: u32) -> Duration {
        let factor = 2_u32.checked_pow(doublings.min(self.backoff_exponent)).unwrap_or(u32::MAX);
        self.backoff_base.saturating_mul(factor)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            init_timeout: Duration::from_millis(INIT_TIMEOUT_MS),
            ping_interval: Duration::from_millis(RUNNER_PING_INTERVAL_MS),
            eligible_threshold: Duration::from_secs(10),
            lost_threshold: Duration::from_millis(RUNNER_LOST_THRESHOLD_MS),
            grace: Duration::from_secs(3),
            successor_grace: Duration::from_millis(100),
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
            report_debounce: Duration::from_millis(250),
            reports_max: 1024,
            successes_to_clear: 3,
            pool_error_age: Duration::from_secs(60),
            known_failures: 3,
            metadata_timeout: Duration::from_secs(10),
            metadata_backoff_exponent: 5,
            metadata_calls_max: 64,
            sockets_max: 100_000,
            destroyed_kept: Duration::from_secs(7 * 24 * 3600),
            destroyed_max: 10_000,
            actors_max: 1_000_000,
        }
    }
}
