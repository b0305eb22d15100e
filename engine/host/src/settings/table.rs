//! The table of all settings.
//!
//! What a value is by default, and where it comes from, is said where it is kept (`control::Options`,
//! `gateway::Options`, [`Limits`](crate::Limits), [`Options`]).

use std::time::Duration;

use protocol::limits::BODY_BYTES_MAX;

use super::{Place, Setting};
use crate::Options;

const MS: Duration = Duration::from_millis(1);
/// What a timer is worth: below it a scheduler decides.
const TICK: Duration = Duration::from_millis(10);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Ten of them, as 365.25 days each.
const YEARS: Duration = Duration::from_secs(315_576_000);
const DAY: Duration = Duration::from_secs(24 * 3600);

const fn time(
    section: &'static str,
    name: &'static str,
    (least, most): (Duration, Duration),
    of: fn(&mut Options) -> &mut Duration,
    effect: &'static str,
) -> Setting {
    Setting { section, name, effect, place: Place::Duration { of, least, most } }
}

const fn number(
    section: &'static str,
    name: &'static str,
    (least, most): (u32, u32),
    of: fn(&mut Options) -> &mut u32,
    effect: &'static str,
) -> Setting {
    Setting { section, name, effect, place: Place::Number { of, least, most } }
}

const fn count(
    section: &'static str,
    name: &'static str,
    (least, most): (usize, usize),
    of: fn(&mut Options) -> &mut usize,
    effect: &'static str,
) -> Setting {
    Setting { section, name, effect, place: Place::Count { of, least, most } }
}

/// All settings, by section.
#[rustfmt::skip]
pub static SETTINGS: &[Setting] = &[
    time("engine", "drain-timeout", (Duration::ZERO, HOUR), |it| &mut it.drain_timeout,
        "how long requests in flight may take to end when the engine stops; most supervisors kill after 10 s"),
    time("engine", "tokens-interval", (MS, HOUR), |it| &mut it.tokens_interval,
        "between two looks at the file of tokens: how long a removed one still counts"),
    number("engine", "check-every", (1, u32::MAX), |it| &mut it.check_every,
        "after how many steps a machine walks over its whole state and ends the process if it is wrong"),

    count("limits", "body-bytes-max", (1024, BODY_BYTES_MAX), |it| &mut it.limits.body_bytes_max,
        "largest body of a request, in bytes; larger ones get 413"),
    count("limits", "bodies-bytes-max", (1024 * 1024, 1 << 40), |it| &mut it.limits.bodies_bytes_max,
        "bodies of all requests in flight together, in bytes; more get 503"),
    time("limits", "body-timeout", (MS, HOUR), |it| &mut it.limits.body_timeout,
        "how long the body of a request may take to arrive"),
    time("limits", "head-timeout", (MS, HOUR), |it| &mut it.limits.head_timeout,
        "how long the head of a request may take, and an idle connection is kept"),
    time("limits", "write-timeout", (MS, HOUR), |it| &mut it.limits.write_timeout,
        "how long a client or a runner may take nothing of what is written to it, before it is cut off"),
    count("limits", "head-bytes-max", (8192, 1024 * 1024), |it| &mut it.limits.head_bytes_max,
        "largest head of a request, in bytes; larger ones get 431"),
    count("limits", "headers-max", (16, 1000), |it| &mut it.limits.headers_max,
        "header fields of a request; more get 431"),
    count("limits", "connections-max", (1, 1_000_000), |it| &mut it.limits.connections_max,
        "connections of clients at one time; more wait in the backlog"),
    time("limits", "api-timeout", (MS, HOUR), |it| &mut it.limits.api_timeout,
        "how long an API call may take before it gets 504; the call may still be carried out"),
    time("limits", "accept-pause", (MS, MINUTE), |it| &mut it.limits.accept_pause,
        "pause after a connection could not be accepted, for want of descriptors mostly"),
    time("limits", "close-timeout", (MS, MINUTE), |it| &mut it.limits.close_timeout,
        "how long a runner may take to answer a close frame; all together have half as long again when the engine stops"),
    time("limits", "health-timeout", (MS, MINUTE), |it| &mut it.limits.health_timeout,
        "how long the control plane may take before `/health` gets 503"),

    time("control", "init-timeout", (MS, HOUR), |it| &mut it.control.init_timeout,
        "how long a new runner socket may stay without its Init"),
    time("control", "ping-interval", (TICK, HOUR), |it| &mut it.control.ping_interval,
        "between two pings on a runner socket"),
    time("control", "eligible-threshold", (TICK, HOUR), |it| &mut it.control.eligible_threshold,
        "a runner that answered no ping for this long takes no new actors"),
    time("control", "lost-threshold", (TICK, HOUR), |it| &mut it.control.lost_threshold,
        "a runner that answered no ping for this long is lost and its actors move; also how long one is waited for after a start of the engine. Told to runners"),
    time("control", "grace", (Duration::ZERO, HOUR), |it| &mut it.control.grace,
        "how long the actors of a runner whose socket closed wait for it; shorter moves them sooner, longer survives slower reconnects (RivetKit needs 1.25 s)"),
    time("control", "successor-grace", (Duration::ZERO, HOUR), |it| &mut it.control.successor_grace,
        "after a start of the engine, once a new serverless runner has come: how long one that has not come back, and whose request died with the former engine, keeps its actors"),
    time("control", "start-threshold", (TICK, HOUR), |it| &mut it.control.start_threshold,
        "from the start command to Running; then the generation is given up"),
    time("control", "stop-threshold", (SECOND, DAY), |it| &mut it.control.stop_threshold,
        "from the stop command to Stopped; then the generation is given up. Told to runners"),
    time("control", "restop-threshold", (SECOND, DAY), |it| &mut it.control.restop_threshold,
        "how long a stop that was sent again after a reconnect may stay unanswered"),
    time("control", "heartbeat-interval", (TICK, HOUR), |it| &mut it.control.heartbeat_interval,
        "between two notes in the store that the engine lives, while there are runners"),
    time("control", "backoff-base", (MS, HOUR), |it| &mut it.control.backoff_base,
        "first delay between two starts of an actor that crashes; the very first restart has none"),
    number("control", "backoff-exponent", (0, 16), |it| &mut it.control.backoff_exponent,
        "how often that delay doubles at most"),
    time("control", "backoff-reset", (SECOND, DAY), |it| &mut it.control.backoff_reset,
        "without a restart for this long the delays begin anew"),
    time("control", "stream-timeout", (TICK, HOUR), |it| &mut it.control.stream_timeout,
        "of a serverless stream: from request to head, from head to Init, between two events; beyond it the stream has failed; also how long a runner waits for one that names it"),
    count("control", "streams-coming-max", (1, 100_000), |it| &mut it.control.streams_coming_max,
        "streams of one pool on their way at one time: bounds the burst of dials"),
    time("control", "stream-backoff-base", (MS, HOUR), |it| &mut it.control.stream_backoff_base,
        "first delay before a failed stream is opened again"),
    time("control", "stream-backoff-max", (MS, HOUR), |it| &mut it.control.stream_backoff_max,
        "longest such delay; a client waits `gateway.ready-timeout`, so a healed application should be tried within it"),
    time("control", "stream-stable", (MS, HOUR), |it| &mut it.control.stream_stable,
        "a stream that lived this long has not failed when it ends"),
    time("control", "report-debounce", (Duration::ZERO, MINUTE), |it| &mut it.control.report_debounce,
        "how long reports of starts are gathered before they count for the health of a pool"),
    count("control", "reports-max", (1, 1_000_000), |it| &mut it.control.reports_max,
        "reports that are gathered at most"),
    number("control", "successes-to-clear", (1, 1000), |it| &mut it.control.successes_to_clear,
        "starts in a row that must go well before the error of a pool is taken back"),
    time("control", "pool-error-age", (SECOND, DAY), |it| &mut it.control.pool_error_age,
        "without a start tried for this long the error of a pool says nothing any more"),
    number("control", "known-failures", (1, 1000), |it| &mut it.control.known_failures,
        "failed waves of streams in a row after which requests are not even held for `gateway.fail-fast`"),
    time("control", "metadata-timeout", (TICK, HOUR), |it| &mut it.control.metadata_timeout,
        "how long an application may take to tell its metadata"),
    number("control", "metadata-backoff-exponent", (0, 16), |it| &mut it.control.metadata_backoff_exponent,
        "how often the time to the next look at the metadata doubles at most, with each failure in a row"),
    count("control", "metadata-calls-max", (1, 10_000), |it| &mut it.control.metadata_calls_max,
        "applications that are asked at a caller's wish at one time; further callers are refused"),
    time("control", "destroyed-kept", (SECOND, YEARS), |it| &mut it.control.destroyed_kept,
        "how long a destroyed actor is still listed, with how it ended"),
    count("control", "destroyed-max", (0, 100_000_000), |it| &mut it.control.destroyed_max,
        "destroyed actors that are listed at most; beyond it the oldest are forgotten earlier. Each takes about 1 KiB of memory"),
    count("control", "sockets-max", (1, 1_000_000), |it| &mut it.control.sockets_max,
        "runner sockets at one time"),
    count("control", "actors-max", (1, 100_000_000), |it| &mut it.control.actors_max,
        "actors that are not destroyed; each takes about 1 KiB of memory"),

    time("gateway", "ready-timeout", (TICK, HOUR), |it| &mut it.gateway.ready_timeout,
        "how long a request is held until its actor is ready"),
    time("gateway", "fail-fast", (Duration::ZERO, HOUR), |it| &mut it.gateway.fail_fast,
        "how long it is held while runners of the pool cannot be started"),
    time("gateway", "response-timeout", (TICK, DAY), |it| &mut it.gateway.response_timeout,
        "from forwarding a request to the head of its response; then between two of its chunks"),
    time("gateway", "retry-delay", (MS, HOUR), |it| &mut it.gateway.retry_delay,
        "how long a request that came back unhandled waits for a new route"),
    number("gateway", "attempts-max", (1, 100), |it| &mut it.gateway.attempts_max,
        "how often one request is forwarded at most"),
    time("gateway", "open-timeout", (TICK, HOUR), |it| &mut it.gateway.open_timeout,
        "how long an actor may take to accept a WebSocket"),
    count("gateway", "websockets-max", (1, 10_000_000), |it| &mut it.gateway.websockets_max,
        "WebSockets at one time, those to be opened included; more get 503"),
    time("gateway", "websocket-ping", (TICK, HOUR), |it| &mut it.gateway.websocket_ping,
        "between two pings to the client of a WebSocket"),
    time("gateway", "websocket-timeout", (TICK, HOUR), |it| &mut it.gateway.websocket_timeout,
        "a client of a WebSocket that was not heard of for this long is gone"),
    count("gateway", "websocket-bytes-max", (1024, 1 << 30), |it| &mut it.gateway.websocket_bytes_max,
        "bytes of messages that may wait for one client of a WebSocket, counted before one is added; beyond it the WebSocket is closed"),
    number("gateway", "websocket-messages-max", (1, 1_000_000), |it| &mut it.gateway.websocket_messages_max,
        "messages that may wait so"),
    count("gateway", "requests-max", (1, 10_000_000), |it| &mut it.gateway.requests_max,
        "requests in flight at one time; more get 503"),

    count("store", "cache", (1024 * 1024, 1 << 40), |it| &mut it.store_cache,
        "memory for pages of the store, in bytes; the control plane's state is in memory anyway, so this serves the KV of actors"),
    count("store", "disk-budget", (0, 1 << 50), |it| &mut it.durability.disk_budget,
        "keys and values the store may hold, in bytes; beyond it nothing is taken that makes it grow. 0 is as many as the disk takes. The file is two to four times larger after many changes"),
    time("store", "probe-interval", (TICK, HOUR), |it| &mut it.durability.probe_interval,
        "between two attempts to write while the store takes no writes"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables of `docs/serve.md`, as they must be.
    fn documentation() -> String {
        let mut text = String::new();
        let mut section = "";
        for setting in SETTINGS {
            if setting.section != section {
                section = setting.section;
                text += &format!(
                    "\n`[{section}]`\n\n| name | default | least | most | effect |\n|---|---|---|---|---|\n"
                );
            }
            let (least, most) = setting.bounds();
            let (name, default, effect) = (setting.name, setting.default(), setting.effect);
            text += &format!("| `{name}` | {default} | {least} | {most} | {effect} |\n");
        }
        text
    }

    #[test]
    fn the_documentation_lists_each_setting_with_its_default() {
        let expected = documentation();
        let page = include_str!("../../../../docs/serve.md");
        assert!(page.contains(&expected), "docs/serve.md must hold:\n{expected}");
    }

    #[test]
    fn every_timing_of_the_machines_has_a_setting() {
        // Each field is named, so that a new one does not compile before somebody has looked here.
        let machines::control::Options {
            init_timeout: _,
            ping_interval: _,
            eligible_threshold: _,
            lost_threshold: _,
            grace: _,
            successor_grace: _,
            start_threshold: _,
            stop_threshold: _,
            restop_threshold: _,
            heartbeat_interval: _,
            backoff_base: _,
            backoff_exponent: _,
            backoff_reset: _,
            stream_timeout: _,
            streams_coming_max: _,
            stream_backoff_base: _,
            stream_backoff_max: _,
            stream_stable: _,
            report_debounce: _,
            reports_max: _,
            successes_to_clear: _,
            pool_error_age: _,
            known_failures: _,
            metadata_timeout: _,
            metadata_backoff_exponent: _,
            metadata_calls_max: _,
            destroyed_kept: _,
            destroyed_max: _,
            sockets_max: _,
            actors_max: _,
        } = machines::control::Options::default();
        let machines::gateway::Options {
            ready_timeout: _,
            fail_fast: _,
            response_timeout: _,
            retry_delay: _,
            attempts_max: _,
            requests_max: _,
            open_timeout: _,
            websockets_max: _,
            websocket_ping: _,
            websocket_timeout: _,
            websocket_bytes_max: _,
            websocket_messages_max: _,
        } = machines::gateway::Options::default();
        let machines::durability::Options { probe_interval: _, disk_budget: _ } =
            machines::durability::Options::default();
        let in_section = |section: &str| SETTINGS.iter().filter(|setting| setting.section == section).count();
        assert_eq!((in_section("control"), in_section("gateway"), in_section("store")), (30, 12, 3));
    }
}
