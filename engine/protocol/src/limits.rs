//! Every bound that more than one room relies on, with its source. "Upstream" is Rivet's engine 2.3.19.

/// Largest HTTP body through the gateway, either way: 20 MiB, upstream's value and RivetKit's own.
pub const BODY_BYTES_MAX: usize = 20 * 1024 * 1024;

/// Room in a frame for what surrounds a body: path, headers, ids. hyper refuses heads above some 400 kB, so 1 MiB
/// holds any head that reaches us.
pub const FRAME_SLACK_BYTES: usize = 1024 * 1024;

/// Largest frame of the runner protocol that is sent, either way. The protocol sends a body as one frame.
pub const FRAME_BYTES_MAX: usize = BODY_BYTES_MAX + FRAME_SLACK_BYTES;

/// Largest frame that is read from a runner: an actor's answer above [`BODY_BYTES_MAX`] shall fail its own request, not
/// the whole runner. Ours: three times what is lawful, since a frame is in memory before it can be looked at.
pub const RUNNER_FRAME_BYTES_MAX: usize = 3 * FRAME_BYTES_MAX;

/// Largest message of a client's WebSocket, either way: 20 MiB. Ours: upstream's 32 MiB do not fit a frame of the runner
/// protocol, which carries a message as one.
pub const WEBSOCKET_MESSAGE_BYTES_MAX: usize = BODY_BYTES_MAX;

/// Most bytes of messages that wait for one reader of a client's WebSocket, counted before a message is added: a largest
/// one always fits. Ours: a burst of a second at 128 Mbit/s; the protocol has no way to tell the sender to wait.
pub const WEBSOCKET_UNREAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most messages that wait so. Ours: what the frames of an outbox are.
pub const WEBSOCKET_UNREAD_MESSAGES_MAX: u32 = 4096;

/// Most items of a list of byte strings (KV keys and values) in one frame. An empty byte string takes one byte on the
/// wire and 32 in memory; this keeps such a frame's cost at 2 MiB. Four times upstream's default list limit.
pub const LIST_ITEMS_MAX: usize = 4 * KV_LIST_ITEMS_DEFAULT;

/// Most entries of a map (headers, actor names) in one frame. Ten times what hyper parses in a head, and more actor
/// names than one application defines.
pub const MAP_ENTRIES_MAX: usize = 1024;

/// Largest actor key in bytes. Upstream's.
pub const ACTOR_KEY_BYTES_MAX: usize = 1024;

/// Largest actor input in bytes, after base64: 4 MiB. Upstream's.
pub const ACTOR_INPUT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Largest actor name, runner name and pool name in bytes. Upstream names no bound of its own; ours is that of a
/// header name in a runner config.
pub const NAME_BYTES_MAX: usize = 128;

/// Largest namespace name in bytes: a DNS label, RFC 1035 §2.3.4.
pub const NAMESPACE_NAME_BYTES_MAX: usize = 63;

/// Largest display name of a namespace in bytes. Ours: a line on a screen.
pub const DISPLAY_NAME_BYTES_MAX: usize = 256;

/// Largest runner key in bytes. Ours: RivetKit sends a UUID of 36.
pub const RUNNER_KEY_BYTES_MAX: usize = 256;

/// Most headers in a serverless runner config. Upstream's.
pub const CONFIG_HEADERS_MAX: usize = 16;
/// Largest header name in a serverless runner config, in bytes. Upstream's.
pub const CONFIG_HEADER_NAME_BYTES_MAX: usize = 128;
/// Largest header value in a serverless runner config, in bytes. Upstream's.
pub const CONFIG_HEADER_VALUE_BYTES_MAX: usize = 4096;
/// Largest URL in a serverless runner config, in bytes. Ours: what common servers accept in a request line.
pub const CONFIG_URL_BYTES_MAX: usize = 8192;
/// Largest `metadata` of a runner config or a runner, in bytes of JSON. Ours: it is kept in memory for every pool.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;

/// Largest sum of actor names and their metadata that a runner tells in its init, in bytes. Ours: it is kept in memory for
/// every runner.
pub const ACTOR_NAMES_BYTES_MAX: usize = 256 * 1024;

/// Default drain grace in seconds of a serverless config. Upstream's.
pub const DRAIN_GRACE_SECONDS_DEFAULT: u32 = 1800;
/// Default metadata poll interval in milliseconds. Upstream's.
pub const METADATA_POLL_MS_DEFAULT: u64 = 10_000;
/// Shortest metadata poll interval in milliseconds; a smaller one configured is stored, and this used. Upstream's.
pub const METADATA_POLL_MS_MIN: u64 = 5_000;
/// Default of `max_runners`, and so, times the slots of a runner, of `max_concurrent_actors`. Upstream's.
pub const MAX_RUNNERS_DEFAULT: u32 = 1000;

/// Largest `min_runners` and `runners_margin` together: what is kept open for nobody. Ours: the default of `max_runners`.
pub const IDLE_RUNNERS_MAX: u32 = MAX_RUNNERS_DEFAULT;

/// Longest user text (error bodies, messages) that the platform repeats, in bytes. Upstream's.
pub const USER_TEXT_BYTES_MAX: usize = 512;

/// Longest reason of a WebSocket close, in bytes: a control frame carries 125, two of them the code. RFC 6455 §5.5.
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

/// Items of a list page when the caller names no limit. Upstream's.
pub const PAGE_ITEMS_DEFAULT: usize = 100;
/// Most items of a list page. Ours: one page is one answer held in memory.
pub const PAGE_ITEMS_MAX: usize = 1000;
/// Most actor ids in one list request. Upstream's.
pub const LIST_ACTOR_IDS_MAX: usize = 32;

/// Most ids or names that any other list request filters by. Ours: a page of them.
pub const LIST_FILTER_MAX: usize = PAGE_ITEMS_DEFAULT;

/// Largest KV key in bytes. Upstream's.
pub const KV_KEY_BYTES_MAX: usize = 2048;
/// Largest KV value in bytes: 128 KiB. Upstream's.
pub const KV_VALUE_BYTES_MAX: usize = 128 * 1024;
/// Most keys in one KV operation. Upstream's.
pub const KV_KEYS_MAX: usize = 128;
/// Largest payload (keys and values) of one KV put in bytes: 976 KiB. Upstream's.
pub const KV_PUT_BYTES_MAX: usize = 976 * 1024;
/// Items of a KV list when the caller names no limit. Upstream's.
pub const KV_LIST_ITEMS_DEFAULT: usize = 16_384;

/// How long a runner socket may stay without its init, in milliseconds. Upstream's.
pub const INIT_TIMEOUT_MS: u64 = 5_000;
/// How often the engine pings a runner, in milliseconds. Upstream's, without its jitter.
pub const RUNNER_PING_INTERVAL_MS: u64 = 3_000;
/// Silence after which a runner is lost, in milliseconds; told to it in its init. Upstream's.
pub const RUNNER_LOST_THRESHOLD_MS: u64 = 15_000;
/// How long an actor may take to stop, in milliseconds; told to the runner in its init. Upstream's.
pub const ACTOR_STOP_THRESHOLD_MS: u64 = 1_800_000;
/// How long a serverless runner may drain whose engine names no bound in its init, in milliseconds. Upstream's.
pub const SERVERLESS_DRAIN_GRACE_MS: u64 = 10_000;
/// Interval of the pings in a serverless event stream, in milliseconds. RivetKit's.
pub const SSE_PING_INTERVAL_MS: u64 = 1_000;
/// Largest `data` of one server-sent event the engine takes, in bytes. Ours: the init payload is 48.
pub const SSE_DATA_BYTES_MAX: usize = 4096;
/// How long a request waits for its actor to become ready, in milliseconds. Upstream's bound from end to end.
pub const ACTOR_READY_TIMEOUT_MS: u64 = 30_000;

const _: () = {
    assert!(WEBSOCKET_MESSAGE_BYTES_MAX < FRAME_BYTES_MAX, "a message travels in one frame");
    assert!(ACTOR_INPUT_BYTES_MAX < BODY_BYTES_MAX, "an actor's input travels in one frame");
    assert!(KV_PUT_BYTES_MAX < BODY_BYTES_MAX, "a put travels in one frame");
    assert!(KV_KEYS_MAX <= LIST_ITEMS_MAX, "every lawful KV request decodes");
    assert!(
        INIT_TIMEOUT_MS < RUNNER_LOST_THRESHOLD_MS,
        "a socket without init ends before its runner is lost"
    );
    assert!(RUNNER_PING_INTERVAL_MS < RUNNER_LOST_THRESHOLD_MS, "a living runner pongs before it is lost");
    assert!(PAGE_ITEMS_DEFAULT <= PAGE_ITEMS_MAX, "the default page is a page");
};
