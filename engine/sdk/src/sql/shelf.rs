//! Where a database's pages are kept: an actor's storage, by whole keys.

use std::fmt::Debug;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use protocol::wire::{KvListQuery, KvRequestData, KvResponseData};

use crate::actor::KvError;
use crate::instance::Voice;

/// Keys and their values.
pub(super) type Entries = Vec<(Bytes, Bytes)>;

/// An actor's storage as a database needs it. Requests are carried out in the order they were asked, also one whose
/// outcome got lost: it has had its effect before the next one, or never has.
pub(super) trait Shelf: Debug + Send + Sync {
    /// Those of these keys that exist.
    fn get(&self, keys: Vec<Bytes>) -> BoxFuture<'_, Result<Entries, KvError>>;
    /// Keys from `start` to before `end`, in order, at most `limit`.
    fn list(&self, start: Bytes, end: Bytes, limit: usize) -> BoxFuture<'_, Result<Entries, KvError>>;
    /// Writes, all or nothing.
    fn put(&self, entries: Entries) -> BoxFuture<'_, Result<(), KvError>>;
    /// Removes; what is not there is no failure.
    fn delete(&self, keys: Vec<Bytes>) -> BoxFuture<'_, Result<(), KvError>>;
}

impl Shelf for Voice {
    fn get(&self, keys: Vec<Bytes>) -> BoxFuture<'_, Result<Entries, KvError>> {
        Box::pin(async move { entries(self.kv(KvRequestData::Get { keys }).await?) })
    }

    fn list(&self, start: Bytes, end: Bytes, limit: usize) -> BoxFuture<'_, Result<Entries, KvError>> {
        let query = KvListQuery::Range { start, end, exclusive: true };
        let limit = Some(u64::try_from(limit).expect("a bound on lists fits"));
        Box::pin(async move { entries(self.kv(KvRequestData::List { query, reverse: None, limit }).await?) })
    }

    fn put(&self, entries: Entries) -> BoxFuture<'_, Result<(), KvError>> {
        let (keys, values) = entries.into_iter().unzip();
        Box::pin(async move { written(self.kv(KvRequestData::Put { keys, values }).await?) })
    }

    fn delete(&self, keys: Vec<Bytes>) -> BoxFuture<'_, Result<(), KvError>> {
        Box::pin(async move { written(self.kv(KvRequestData::Delete { keys }).await?) })
    }
}

fn entries(answer: KvResponseData) -> Result<Entries, KvError> {
    match answer {
        KvResponseData::Get { keys, values, .. } | KvResponseData::List { keys, values, .. }
            if keys.len() == values.len() =>
        {
            Ok(keys.into_iter().zip(values).collect())
        }
        KvResponseData::Error { message } => Err(KvError::Refused { message }),
        KvResponseData::Get { .. }
        | KvResponseData::List { .. }
        | KvResponseData::Put
        | KvResponseData::Delete
        | KvResponseData::Drop => Err(KvError::Malformed),
    }
}

fn written(answer: KvResponseData) -> Result<(), KvError> {
    match answer {
        KvResponseData::Put | KvResponseData::Delete => Ok(()),
        KvResponseData::Error { message } => Err(KvError::Refused { message }),
        KvResponseData::Get { .. } | KvResponseData::List { .. } | KvResponseData::Drop => {
            Err(KvError::Malformed)
        }
    }
}
