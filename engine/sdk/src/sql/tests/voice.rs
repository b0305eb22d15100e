//! What a database says to its actor's session, and what it makes of the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::id::{ActorId, Generation};
use protocol::wire::{KvListQuery, KvMetadata, KvRequestData, KvResponseData};
use tokio::sync::{Semaphore, mpsc};

use super::{insert, run, texts};
use crate::actor::KvError;
use crate::instance::{Said, Voice};
use crate::session::Event;
use crate::sql::{Database, SqlError};

type Stored = BTreeMap<Bytes, Bytes>;

/// What an engine would answer.
fn answer(stored: &mut Stored, request: KvRequestData) -> KvResponseData {
    let found = |entries: Vec<(Bytes, Bytes)>| {
        let metadata = entries.iter().map(|_| KvMetadata { version: Bytes::new(), update_ts: 0 }).collect();
        let (keys, values) = entries.into_iter().unzip();
        (keys, values, metadata)
    };
    match request {
        KvRequestData::Get { keys } => {
            // In no order.
            let entries =
                keys.into_iter().rev().filter_map(|key| stored.get(&key).cloned().map(|value| (key, value)));
            let (keys, values, metadata) = found(entries.collect());
            KvResponseData::Get { keys, values, metadata }
        }
        KvRequestData::List {
            query: KvListQuery::Range { start, end, exclusive: true },
            reverse: None,
            limit,
        } => {
            let limit = usize::try_from(limit.expect("a bounded list")).unwrap();
            let entries =
                stored.range(start..end).take(limit).map(|(key, value)| (key.clone(), value.clone()));
            let (keys, values, metadata) = found(entries.collect());
            KvResponseData::List { keys, values, metadata }
        }
        KvRequestData::Put { keys, values } => {
            stored.extend(keys.into_iter().zip(values));
            KvResponseData::Put
        }
        KvRequestData::Delete { keys } => {
            stored.retain(|key, _| !keys.contains(key));
            KvResponseData::Delete
        }
        request @ (KvRequestData::List { .. } | KvRequestData::DeleteRange { .. } | KvRequestData::Drop) => {
            panic!("a database does not ask that: {request:?}")
        }
    }
}

/// A database whose session `answer` plays.
fn open(mut answer: impl FnMut(KvRequestData) -> KvResponseData + Send + 'static) -> Database {
    let (say, mut said) = mpsc::unbounded_channel();
    let (actor, generation) = (ActorId::from_entropy([7; 16]), Generation::FIRST);
    let voice = Voice::new(actor, generation, say, Arc::new(Semaphore::new(4096)));
    drop(runtime::spawn("session", async move {
        while let Some(Event::Said { said: Said::Kv { data, answer: told, hold }, .. }) = said.recv().await {
            told.send(Ok(answer(data))).expect("a database waits for its answers");
            drop(hold);
        }
    }));
    Database::open(voice)
}

#[test]
fn a_database_is_found_again_by_what_its_session_stored() {
    run(async {
        let stored = Arc::new(parking_lot::Mutex::new(Stored::new()));
        for process in 0..3 {
            let session = Arc::clone(&stored);
            let db = open(move |request| answer(&mut session.lock(), request));
            db.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT)", ())
                .await
                .unwrap();
            assert_eq!(texts(&db).await.len(), process);
            // More than one put and one list take.
            db.execute("INSERT INTO note (text) SELECT hex(zeroblob(2000000))", ()).await.unwrap();
            assert_eq!(texts(&db).await.len(), process + 1);
        }
        assert!(stored.lock().keys().all(|key| key.starts_with(&[8, 2])));
    });
}

#[test]
fn what_an_engine_says_of_a_put_is_told() {
    run(async {
        let refused = KvResponseData::Error { message: "no".to_owned() };
        let cause = KvError::Refused { message: "no".to_owned() };
        for (says, told) in [
            (refused, SqlError::NotCommitted { cause }),
            // It was taken, or not.
            (KvResponseData::Drop, SqlError::Indeterminate),
        ] {
            let mut stored = Stored::new();
            let db = open(move |request| match request {
                KvRequestData::Put { .. } => says.clone(),
                request => answer(&mut stored, request),
            });
            assert_eq!(insert(&db, "a").await.unwrap_err().code(), "sqlite", "nothing was made yet");
            assert_eq!(db.execute("CREATE TABLE note (text)", ()).await, Err(told));
        }
    });
}
