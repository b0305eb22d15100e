//! How long an engine takes until it serves, and what it takes in memory, with a large store: after a clean stop, and
//! after SIGKILL.
//!
//! The gate does it with small stores and generous bounds, since its machine does something else meanwhile; the full
//! sizes and the bounds that are promised are asked for by `--ignored`. The figures are printed.

use std::path::Path;
use std::time::Duration;

use gates::platform::{Platform, READY};
use host::store::{Batch, Store, Write};
use machines::control::record::{Actor, Key, Namespace, Phase, Record, RunnerConfig};
use protocol::api::{self, CrashPolicy, CreateActor};
use protocol::id::{ActorId, Generation, NamespaceId};
use protocol::limits::KV_VALUE_BYTES_MAX;
use protocol::time::Wall;
use protocol::wire::KvRequestData;

/// What the store may keep of itself in memory here.
const CACHE_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of one transaction while a store is filled, at most about.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

fn wall() -> Wall {
    Wall(runtime::wall().as_millis())
}

fn entropy(number: u64) -> [u8; 16] {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn namespace() -> NamespaceId {
    NamespaceId::from_entropy([1; 16])
}

fn put(key: Key, record: Record) -> Write {
    Write::Put(key, Box::new(record))
}

/// A sleeping actor with a key of 32 bytes.
fn sleeper(number: u64) -> Write {
    let (id, now) = (ActorId::from_entropy(entropy(number)), wall());
    let actor = Actor {
        id,
        namespace: namespace(),
        name: "counter".into(),
        key: Some(format!("{number:032}").into()),
        pool: "default".into(),
        crash_policy: CrashPolicy::Sleep,
        has_input: false,
        generation: Some(Generation(1)),
        phase: Phase::Sleeping,
        alarm: None,
        rings: false,
        retries: 0,
        retried: None,
        failure: None,
        created: now,
        started: Some(now),
        connectable: None,
        slept: Some(now),
        destroyed: None,
    };
    put(Key::Actor(id), Record::Actor(actor))
}

/// A store with a pool and what `rows` gives, a batch at a time.
fn fill(folder: &Path, rows: impl IntoIterator<Item = Write>) {
    let name = "default".to_owned();
    let space =
        Namespace { id: namespace(), name: name.clone(), display_name: name.clone(), created: wall() };
    let config = RunnerConfig {
        namespace: namespace(),
        pool: name.as_str().into(),
        config: api::RunnerConfig::normal(),
    };
    let first = [
        put(Key::Namespace(namespace()), Record::Namespace(space)),
        put(Key::RunnerConfig(namespace(), name), Record::RunnerConfig(config)),
    ];
    gates::block_on(async {
        let mut store = Store::open(folder).await.expect("an empty folder");
        let mut rows = first.into_iter().chain(rows).peekable();
        while rows.peek().is_some() {
            let mut batch = Batch::new();
            let mut bytes = 0;
            while let Some(row) = rows.next_if(|_| bytes < BATCH_BYTES) {
                bytes += match &row {
                    Write::Kv { .. } => KV_VALUE_BYTES_MAX as u64,
                    _ => 1024,
                };
                batch.push(row);
            }
            store.commit(batch).await.expect("a disk that works");
        }
        store.close().await;
    });
}

/// From here until the engine is healthy.
fn healthy(platform: &Platform, begun: runtime::Instant) -> Duration {
    let client = platform.client();
    gates::block_on(async move {
        while client.health().await.is_err() {
            assert!(begun.elapsed() < READY, "it is not healthy");
            runtime::sleep(Duration::from_millis(2)).await;
        }
        begun.elapsed()
    })
}

fn environment() -> Vec<(&'static str, String)> {
    vec![("REHEARSAL_STORE_CACHE", CACHE_BYTES.to_string())]
}

/// Starts with so many sleeping actors, stops, starts, is killed, starts.
fn sleepers(count: u64, bound: Duration, bytes_each: u64) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let empty = Platform::start_with(&folder.path().join("empty"), environment());
    healthy(&empty, runtime::now());
    let bare = empty.resident_bytes();
    drop(empty);
    let data = folder.path().join("full");
    fill(&data, (0..count).map(sleeper));
    let mut platform = Platform::start_with(&data, environment());
    healthy(&platform, runtime::now());
    platform.stop();
    let begun = runtime::now();
    platform.start_again();
    let clean = healthy(&platform, begun);
    let begun = runtime::now();
    platform.kill_and_start();
    let killed = healthy(&platform, begun);
    let each = platform.resident_bytes().saturating_sub(bare) / count;
    println!(
        "{count} sleeping actors: {clean:?} after a clean stop, {killed:?} after SIGKILL, {each} bytes each"
    );
    let known = gates::block_on({
        let client = platform.client();
        async move {
            let actor = CreateActor {
                name: "counter".to_owned(),
                key: Some(format!("{:032}", count - 1)),
                runner_name_selector: "default".to_owned(),
                crash_policy: CrashPolicy::Sleep,
                datacenter: None,
                input: None,
            };
            client.get_or_create(&actor).await.expect("it answers").0.actor_id
        }
    });
    assert_eq!(known, ActorId::from_entropy(entropy(count - 1)), "the actor is the one that was stored");
    assert!(clean < bound, "{clean:?} after a clean stop");
    assert!(killed < bound, "{killed:?} after SIGKILL");
    assert!(each <= bytes_each, "{each} bytes for each actor");
    platform.stop();
}

/// Is killed with so much KV in its store, and starts.
fn large(mib: u64, bound: Duration) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let actor = ActorId::from_entropy(entropy(1));
    let values = mib * 1024 * 1024 / KV_VALUE_BYTES_MAX as u64;
    let value = |number: u64| {
        let keys = vec![number.to_be_bytes().to_vec().into()];
        let request = KvRequestData::Put { keys, values: vec![vec![7; KV_VALUE_BYTES_MAX].into()] };
        Write::Kv { actor, request }
    };
    fill(folder.path(), std::iter::once(sleeper(1)).chain((0..values).map(value)));
    let mut platform = Platform::start_with(folder.path(), environment());
    healthy(&platform, runtime::now());
    let begun = runtime::now();
    platform.kill_and_start();
    let killed = healthy(&platform, begun);
    println!("{mib} MiB of KV: {killed:?} from SIGKILL to health");
    assert!(killed < bound, "{killed:?} with {mib} MiB");
    platform.stop();
}

#[test]
fn an_engine_with_sleeping_actors_is_soon_there() {
    // Few actors share what an engine takes anyway.
    sleepers(5_000, Duration::from_secs(10), 16 * 1024);
}

#[test]
#[ignore = "the full size takes a minute; its bounds are of a machine that does nothing else"]
fn a_hundred_thousand_sleeping_actors_are_there_within_two_seconds() {
    sleepers(100_000, Duration::from_secs(2), 2 * 1024);
}

#[test]
fn an_engine_that_is_killed_with_a_large_store_is_soon_healthy() {
    large(96, Duration::from_secs(5));
}

#[test]
#[ignore = "the full size takes a minute and two GiB of disk; its bounds are of a machine that does nothing else"]
fn an_engine_that_is_killed_with_a_gibibyte_is_healthy_within_half_a_second() {
    large(1024, Duration::from_millis(500));
}
