//! The store's transactions, and actor KV against a model.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use host::store::{Batch, Location, Outcome, Store, Write};
use machines::control::Record;
use machines::control::record::Key;
use proptest::prelude::*;
use protocol::id::{ActorId, NamespaceId};
use protocol::limits::{KV_KEY_BYTES_MAX, KV_PUT_BYTES_MAX, KV_VALUE_BYTES_MAX};
use protocol::wire::{KvListQuery, KvRequestData, KvResponseData};

use crate::support::run;

fn actor(number: u8) -> ActorId {
    ActorId::from_entropy([number; 16])
}

fn batch(writes: impl IntoIterator<Item = Write>) -> Batch {
    let mut batch = Batch::new();
    writes.into_iter().for_each(|write| batch.push(write));
    batch
}

fn name(number: u8, text: &str) -> (Key, Box<Record>) {
    let key = Key::ActorName(NamespaceId::from_entropy([number; 16]), format!("name{number}"));
    (key, Box::new(Record::ActorName(text.to_owned())))
}

#[test]
fn what_was_committed_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let mut store = Store::open(folder.path()).await.unwrap();
        let ((one, first), (two, second)) = (name(1, "{}"), name(2, "{}"));
        let input = Bytes::from_static(b"input");
        let put = |key: &Key, record: &Record| Write::Put(key.clone(), Box::new(record.clone()));
        let outcomes = store.commit(batch([
            put(&one, &first),
            put(&two, &second),
            Write::KeepInput { actor: actor(1), input: input.clone() },
            Write::ReadInput { actor: actor(1) },
            Write::ReadInput { actor: actor(2) },
        ]));
        let outcomes = outcomes.await.unwrap();
        assert_eq!(outcomes, [Outcome::Input(Some(input.clone())), Outcome::Input(None)]);
        let (_, changed) = name(2, "[]");
        store.commit(batch([Write::Delete(one), put(&two, &changed)])).await.unwrap();
        store.close().await;

        let mut store = Store::open(folder.path()).await.unwrap();
        assert_eq!(store.load().await.unwrap(), [(two, *changed)]);
        let outcomes = store.commit(batch([
            Write::ReadInput { actor: actor(1) },
            Write::Erase { actor: actor(1) },
            Write::ReadInput { actor: actor(1) },
        ]));
        assert_eq!(outcomes.await.unwrap(), [Outcome::Input(Some(input)), Outcome::Input(None)]);
        assert_eq!(store.size().await.unwrap().inputs, 0);
        store.close().await;
    });
}

#[test]
fn every_bound_of_kv_is_kept_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |len: usize| Bytes::from(vec![b'k'; len]);
    let put = |keys: Vec<Bytes>, values: Vec<Bytes>| KvRequestData::Put { keys, values };
    let many = |count: usize, len: usize| -> (Vec<Bytes>, Vec<Bytes>) {
        (0..count).map(|at| (Bytes::from(vec![u8::try_from(at).unwrap(); 2]), bytes(len))).unzip()
    };
    let (keys, values) = many(128, 4);
    let (over, over_values) = many(129, 4);
    let (full, full_values) = many(8, KV_VALUE_BYTES_MAX - 6144);
    let cases = [
        (put(vec![bytes(KV_KEY_BYTES_MAX)], vec![bytes(KV_VALUE_BYTES_MAX)]), None),
        (put(keys, values), None),
        (put(vec![bytes(KV_KEY_BYTES_MAX + 1)], vec![bytes(1)]), Some("key is too long (max 2048 bytes)")),
        (put(vec![bytes(1)], vec![bytes(KV_VALUE_BYTES_MAX + 1)]), Some("value is too large (max 128 KiB)")),
        (put(over.clone(), over_values), Some("a maximum of 128 key-value entries is allowed")),
        (put(full, full_values), Some("total payload is too large (max 976 KiB)")),
        (put(vec![bytes(1)], vec![]), Some("there must be as many values as keys")),
        (KvRequestData::Get { keys: over.clone() }, Some("a maximum of 128 keys is allowed")),
        (KvRequestData::Delete { keys: over }, Some("a maximum of 128 keys is allowed")),
        (
            KvRequestData::DeleteRange { start: bytes(1), end: bytes(KV_KEY_BYTES_MAX + 1) },
            Some("key is too long (max 2048 bytes)"),
        ),
    ];
    assert_eq!(
        KV_PUT_BYTES_MAX,
        8 * (KV_VALUE_BYTES_MAX - 6144),
        "the payload case is one key above its bound"
    );
    run(async {
        let mut store = Store::open(folder.path()).await.unwrap();
        for (request, refusal) in cases {
            let shown = format!("{request:?}").chars().take(80).collect::<String>();
            let outcomes = store.commit(batch([Write::Kv { actor: actor(1), request }])).await.unwrap();
            let said = match outcomes.as_slice() {
                [Outcome::Kv(KvResponseData::Error { message })] => Some(message.as_str()),
                [Outcome::Kv(_)] => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(said, refusal, "{shown}");
        }
        assert_eq!(store.size().await.unwrap().kv, 129, "what was refused had no effect");
        store.close().await;
    });
}

#[test]
#[should_panic(expected = "a store that is open to read is given no changes")]
fn a_store_that_is_open_to_read_acknowledges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::new(folder.path());
    run(async {
        location.open().await.unwrap().close().await;
        let mut store = location.open_to_read().await.unwrap();
        let read = Write::ReadInput { actor: actor(1) };
        assert_eq!(store.commit(batch([read])).await.unwrap(), [Outcome::Input(None)]);
        store.commit(batch([Write::Erase { actor: actor(1) }])).await.ok();
    });
}

/// What an operation answers: its kind, and the entries it found.
type Answer = (&'static str, Vec<(Vec<u8>, Vec<u8>)>);

/// One actor's KV, written the obvious way.
type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn expect(model: &mut Model, request: &KvRequestData) -> Answer {
    let row = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
    match request {
        KvRequestData::Get { keys } => {
            ("get", keys.iter().filter_map(|key| model.get_key_value(&key[..]).map(row)).collect())
        }
        KvRequestData::List { query, reverse, limit } => {
            let inside = |key: &Vec<u8>| match query {
                KvListQuery::All => true,
                KvListQuery::Prefix { key: prefix } => key.starts_with(prefix),
                KvListQuery::Range { start, end, exclusive } => {
                    key[..] >= start[..] && if *exclusive { key[..] < end[..] } else { key[..] <= end[..] }
                }
            };
            let mut rows: Vec<_> = model.iter().filter(|(key, _)| inside(key)).map(row).collect();
            if *reverse == Some(true) {
                rows.reverse();
            }
            rows.truncate(limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap()));
            ("list", rows)
        }
        KvRequestData::Put { keys, values } => {
            model.extend(keys.iter().map(|key| key.to_vec()).zip(values.iter().map(|value| value.to_vec())));
            ("put", vec![])
        }
        KvRequestData::Delete { keys } => {
            keys.iter().for_each(|key| drop(model.remove(&key[..])));
            ("delete", vec![])
        }
        KvRequestData::DeleteRange { start, end } => {
            if start < end {
                let range = (Bound::Included(start.to_vec()), Bound::Excluded(end.to_vec()));
                let gone: Vec<_> = model.range(range).map(|(key, _)| key.clone()).collect();
                gone.iter().for_each(|key| drop(model.remove(key)));
            }
            ("delete", vec![])
        }
        KvRequestData::Drop => {
            model.clear();
            ("drop", vec![])
        }
    }
}

fn found(answer: KvResponseData) -> Answer {
    let rows = |keys: Vec<Bytes>, values: Vec<Bytes>| {
        keys.iter().map(|key| key.to_vec()).zip(values.iter().map(|value| value.to_vec())).collect()
    };
    match answer {
        KvResponseData::Get { keys, values, metadata } => {
            assert_eq!(keys.len(), metadata.len());
            assert!(metadata.iter().all(|row| row.version == host::store::kv::VERSION && row.update_ts > 0));
            ("get", rows(keys, values))
        }
        KvResponseData::List { keys, values, .. } => ("list", rows(keys, values)),
        KvResponseData::Put => ("put", vec![]),
        KvResponseData::Delete => ("delete", vec![]),
        KvResponseData::Drop => ("drop", vec![]),
        KvResponseData::Error { message } => panic!("{message}"),
    }
}

fn key() -> impl Strategy<Value = Bytes> {
    // Few bytes, so that keys meet, and those at the ends of a range of bytes.
    let byte = prop_oneof![Just(0u8), Just(b'a'), Just(0xfe), Just(0xff)];
    prop::collection::vec(byte, 0..4).prop_map(Bytes::from)
}

fn request() -> impl Strategy<Value = KvRequestData> {
    let keys = || prop::collection::vec(key(), 0..4);
    let entries = prop::collection::vec((key(), prop::collection::vec(any::<u8>(), 0..4)), 0..5);
    let query = prop_oneof![
        Just(KvListQuery::All),
        key().prop_map(|key| KvListQuery::Prefix { key }),
        (key(), key(), any::<bool>()).prop_map(|(start, end, exclusive)| KvListQuery::Range {
            start,
            end,
            exclusive
        }),
    ];
    prop_oneof![
        4 => entries.prop_map(|entries| {
            let (keys, values) = entries.into_iter().map(|(key, value)| (key, Bytes::from(value))).unzip();
            KvRequestData::Put { keys, values }
        }),
        2 => keys().prop_map(|keys| KvRequestData::Get { keys }),
        4 => (query, any::<Option<bool>>(), prop::option::of(0u64..4))
            .prop_map(|(query, reverse, limit)| KvRequestData::List { query, reverse, limit }),
        1 => keys().prop_map(|keys| KvRequestData::Delete { keys }),
        1 => (key(), key()).prop_map(|(start, end)| KvRequestData::DeleteRange { start, end }),
        1 => Just(KvRequestData::Drop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two actors side by side, several requests a transaction, the store opened anew in between.
    #[test]
    fn kv_is_as_the_model_says(
        batches in prop::collection::vec(prop::collection::vec((0u8..2, request()), 1..8), 1..5),
    ) {
        let folder = tempfile::tempdir().unwrap();
        run(async {
            let mut models = [Model::new(), Model::new()];
            for requests in batches {
                let mut store = Store::open(folder.path()).await.unwrap();
                let writes: Vec<_> = requests
                    .iter()
                    .map(|(who, request)| Write::Kv { actor: actor(*who), request: request.clone() })
                    .collect();
                let outcomes = store.commit(batch(writes)).await.unwrap();
                prop_assert_eq!(outcomes.len(), requests.len());
                for ((who, request), outcome) in requests.iter().zip(outcomes) {
                    let Outcome::Kv(answer) = outcome else { panic!("{outcome:?}") };
                    prop_assert_eq!(found(answer), expect(&mut models[usize::from(*who)], request), "{:?}", request);
                }
                store.close().await;
            }
            Ok(())
        })?;
    }
}
