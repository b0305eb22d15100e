//! A storage in memory that fails as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use parking_lot::Mutex;
use protocol::limits::{KV_KEYS_MAX, KV_PUT_BYTES_MAX, KV_VALUE_BYTES_MAX};
use tokio::sync::Semaphore;

use crate::actor::KvError;
use crate::sql::PREFIX;
use crate::sql::shelf::{Entries, Shelf};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    NotDone,
    /// Its answer is lost; whether it was carried out.
    Lost(bool),
}

/// An actor's storage.
#[derive(Debug)]
pub(super) struct Cupboard {
    stored: Mutex<BTreeMap<Bytes, Bytes>>,
    /// Of the next requests; what has none is answered.
    fates: Mutex<VecDeque<Fate>>,
    puts: Mutex<Vec<usize>>,
    /// Puts that were asked.
    pub(super) asked: Semaphore,
    /// Lets them be carried out.
    pub(super) gate: Semaphore,
}

impl Default for Cupboard {
    fn default() -> Self {
        Self::of(BTreeMap::new())
    }
}

impl Cupboard {
    fn of(stored: BTreeMap<Bytes, Bytes>) -> Self {
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        Self {
            stored: Mutex::new(stored),
            fates: Mutex::default(),
            puts: Mutex::default(),
            asked: Semaphore::new(0),
            gate,
        }
    }

    /// Another with the same in it: what whoever comes after a crash at this moment finds.
    pub(super) fn copy(&self) -> Arc<Self> {
        Arc::new(Self::of(self.stored()))
    }

    pub(super) fn stored(&self) -> BTreeMap<Bytes, Bytes> {
        self.stored.lock().clone()
    }

    pub(super) fn fates(&self, fates: impl IntoIterator<Item = Fate>) {
        *self.fates.lock() = fates.into_iter().collect();
    }

    /// Keys of each put since this was asked last.
    pub(super) fn puts(&self) -> Vec<usize> {
        std::mem::take(&mut self.puts.lock())
    }

    /// Something that is no database's doing.
    pub(super) fn spoil(&self, key: &[u8], value: Option<&[u8]>) {
        let mut stored = self.stored.lock();
        match value {
            Some(value) => stored.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)),
            None => stored.remove(key),
        };
    }

    /// Closes the gate, and waits until what `call` asks stands before it.
    pub(super) async fn stopped<T: std::fmt::Debug>(&self, call: impl Future<Output = T> + Unpin) {
        self.gate.forget_permits(usize::MAX);
        self.asked.forget_permits(usize::MAX);
        let asked = std::pin::pin!(self.asked.acquire());
        match futures_util::future::select(call, asked).await {
            Either::Left((ended, _)) => panic!("it ended: {ended:?}"),
            Either::Right((asked, _)) => drop(asked.expect("it is never closed")),
        }
    }

    fn request<T>(&self, carry_out: impl FnOnce(&mut BTreeMap<Bytes, Bytes>) -> T) -> Result<T, KvError> {
        let fate = self.fates.lock().pop_front().unwrap_or(Fate::Answered);
        match fate {
            Fate::Answered => Ok(carry_out(&mut self.stored.lock())),
            Fate::NotDone => Err(KvError::NotDone),
            Fate::Lost(done) => {
                if done {
                    carry_out(&mut self.stored.lock());
                }
                Err(KvError::Indeterminate)
            }
        }
    }
}

impl Shelf for Cupboard {
    fn get(&self, keys: Vec<Bytes>) -> BoxFuture<'_, Result<Entries, KvError>> {
        let get = |stored: &mut BTreeMap<Bytes, Bytes>| {
            keys.iter().filter_map(|key| Some((key.clone(), stored.get(key)?.clone()))).collect()
        };
        Box::pin(std::future::ready(self.request(get)))
    }

    fn list(&self, start: Bytes, end: Bytes, limit: usize) -> BoxFuture<'_, Result<Entries, KvError>> {
        let list = |stored: &mut BTreeMap<Bytes, Bytes>| {
            stored.range(start..end).take(limit).map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        Box::pin(std::future::ready(self.request(list)))
    }

    fn put(&self, entries: Entries) -> BoxFuture<'_, Result<(), KvError>> {
        assert!(entries.len() <= KV_KEYS_MAX);
        assert!(
            entries.iter().all(|(key, value)| key.starts_with(&PREFIX) && value.len() <= KV_VALUE_BYTES_MAX)
        );
        let bytes: usize = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        assert!(bytes <= KV_PUT_BYTES_MAX, "{bytes} bytes");
        Box::pin(async move {
            self.asked.add_permits(1);
            self.gate.acquire().await.expect("a gate is never closed").forget();
            self.puts.lock().push(entries.len());
            self.request(|stored| stored.extend(entries))
        })
    }

    fn delete(&self, keys: Vec<Bytes>) -> BoxFuture<'_, Result<(), KvError>> {
        assert!(keys.len() <= KV_KEYS_MAX);
        Box::pin(std::future::ready(self.request(|stored| stored.retain(|key, _| !keys.contains(key)))))
    }
}
