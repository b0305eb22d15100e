//! An actor's storage: ordered keys to values, written through the engine.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use machines::runner::effect::StoreFailure;
use protocol::limits::{KV_KEY_BYTES_MAX, KV_KEYS_MAX, KV_PUT_BYTES_MAX, KV_VALUE_BYTES_MAX};
use protocol::wire::{KvListQuery, KvRequestData, KvResponseData};

use crate::instance::Voice;

/// An actor's storage. A write resolves when the engine has committed it; from then on it survives every crash, and
/// no earlier generation of the actor can overwrite it.
#[derive(Clone, Debug)]
pub struct Kv {
    voice: Voice,
    /// What the keys of its user begin with in the storage of the actor.
    prefix: Option<u8>,
}

/// Why a storage request failed. After every one but [`KvError::Indeterminate`] the storage is as it was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KvError {
    /// The engine never had it, or the instance has no right to it any more.
    #[error("the storage request was not carried out")]
    NotDone,
    /// The engine refused it.
    #[error("the engine refused the storage request: {message}")]
    Refused {
        /// Why.
        message: String,
    },
    /// It goes beyond a bound of `protocol::limits`, and was not sent.
    #[error("a storage request beyond its bound: {bound}")]
    TooLarge {
        /// Which bound.
        bound: &'static str,
    },
    /// It was sent and its answer is lost: it may or may not have been carried out. Read before trusting any copy.
    #[error("the storage request may or may not have been carried out")]
    Indeterminate,
    /// The engine answered something else than was asked.
    #[error("the engine answered a storage request with something else")]
    Malformed,
}

impl KvError {
    /// Its stable name for clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotDone => "not_done",
            Self::Refused { .. } => "refused",
            Self::TooLarge { .. } => "too_large",
            Self::Indeterminate => "indeterminate",
            Self::Malformed => "malformed",
        }
    }
}

impl From<StoreFailure> for KvError {
    fn from(failure: StoreFailure) -> Self {
        match failure {
            StoreFailure::NotDone => Self::NotDone,
            StoreFailure::Indeterminate => Self::Indeterminate,
        }
    }
}

impl Kv {
    /// The part of the storage whose keys begin with this byte, which its user does not see.
    pub(crate) const fn below(prefix: u8, voice: Voice) -> Self {
        Self { voice, prefix: Some(prefix) }
    }

    /// All of the storage.
    pub(crate) const fn raw(voice: Voice) -> Self {
        Self { voice, prefix: None }
    }

    /// A key of its user's, as it is stored.
    fn inside(&self, key: Bytes) -> Bytes {
        match self.prefix {
            None => key,
            Some(prefix) => {
                let mut inside = BytesMut::with_capacity(key.len() + 1);
                inside.put_u8(prefix);
                inside.put_slice(&key);
                inside.freeze()
            }
        }
    }

    /// The same the other way.
    fn outside(&self, mut key: Bytes) -> Bytes {
        key.advance(usize::from(self.prefix.is_some()));
        key
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`KvError`]; a read is never indeterminate in its effect, since it has none.
    pub async fn get(&self, key: impl Into<Bytes>) -> Result<Option<Bytes>, KvError> {
        let key = self.inside(key.into());
        let keys = within_keys(vec![key.clone()])?;
        match self.ask(KvRequestData::Get { keys }).await? {
            KvResponseData::Get { keys, values, .. } if keys.len() == values.len() => {
                Ok(keys.into_iter().zip(values).find_map(|(found, value)| (found == key).then_some(value)))
            }
            KvResponseData::Get { .. }
            | KvResponseData::List { .. }
            | KvResponseData::Put
            | KvResponseData::Delete
            | KvResponseData::Drop
            | KvResponseData::Error { .. } => Err(KvError::Malformed),
        }
    }

    /// Writes one key.
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn put(&self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<(), KvError> {
        self.put_all([(key.into(), value.into())]).await
    }

    /// Writes several keys, all or nothing.
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn put_all(&self, entries: impl IntoIterator<Item = (Bytes, Bytes)>) -> Result<(), KvError> {
        let (keys, values): (Vec<_>, Vec<_>) =
            entries.into_iter().map(|(key, value)| (self.inside(key), value)).unzip();
        if values.iter().any(|value| value.len() > KV_VALUE_BYTES_MAX) {
            return Err(KvError::TooLarge { bound: "128 KiB a value" });
        }
        if keys.iter().chain(&values).map(Bytes::len).sum::<usize>() > KV_PUT_BYTES_MAX {
            return Err(KvError::TooLarge { bound: "976 KiB a put" });
        }
        let keys = within_keys(keys)?;
        match self.ask(KvRequestData::Put { keys, values }).await? {
            KvResponseData::Put => Ok(()),
            KvResponseData::Get { .. }
            | KvResponseData::List { .. }
            | KvResponseData::Delete
            | KvResponseData::Drop
            | KvResponseData::Error { .. } => Err(KvError::Malformed),
        }
    }

    /// Removes keys; those that do not exist are no error.
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn delete(&self, keys: impl IntoIterator<Item = Bytes>) -> Result<(), KvError> {
        let keys = within_keys(keys.into_iter().map(|key| self.inside(key)).collect())?;
        self.deleted(KvRequestData::Delete { keys }).await
    }

    /// Removes what lies from `start` to before `end`.
    pub(crate) async fn delete_range(&self, start: Bytes, end: Bytes) -> Result<(), KvError> {
        let (start, end) = (self.inside(start), self.inside(end));
        self.deleted(KvRequestData::DeleteRange { start, end }).await
    }

    async fn deleted(&self, data: KvRequestData) -> Result<(), KvError> {
        match self.ask(data).await? {
            KvResponseData::Delete => Ok(()),
            KvResponseData::Get { .. }
            | KvResponseData::List { .. }
            | KvResponseData::Put
            | KvResponseData::Drop
            | KvResponseData::Error { .. } => Err(KvError::Malformed),
        }
    }

    /// Keys that begin with `prefix` and their values, in order; at most `limit` (none: the engine's default, 16 384).
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn list(
        &self,
        prefix: impl Into<Bytes>,
        limit: Option<u64>,
    ) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        let key = self.inside(prefix.into());
        if key.len() > KV_KEY_BYTES_MAX {
            return Err(KvError::TooLarge { bound: "2 KiB a key" });
        }
        let query = if key.is_empty() { KvListQuery::All } else { KvListQuery::Prefix { key } };
        self.listed(query, limit).await
    }

    /// Keys from `start` to before `end` and their values, in order; at most `limit`.
    pub(crate) async fn range(
        &self,
        (start, end): (Bytes, Bytes),
        limit: u64,
    ) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        let (start, end) = (self.inside(start), self.inside(end));
        self.listed(KvListQuery::Range { start, end, exclusive: true }, Some(limit)).await
    }

    async fn listed(&self, query: KvListQuery, limit: Option<u64>) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        match self.ask(KvRequestData::List { query, reverse: None, limit }).await? {
            KvResponseData::List { keys, values, .. } if keys.len() == values.len() => {
                Ok(keys.into_iter().map(|key| self.outside(key)).zip(values).collect())
            }
            KvResponseData::List { .. }
            | KvResponseData::Get { .. }
            | KvResponseData::Put
            | KvResponseData::Delete
            | KvResponseData::Drop
            | KvResponseData::Error { .. } => Err(KvError::Malformed),
        }
    }

    async fn ask(&self, data: KvRequestData) -> Result<KvResponseData, KvError> {
        match self.voice.kv(data).await? {
            KvResponseData::Error { message } => Err(KvError::Refused { message }),
            answer @ (KvResponseData::Get { .. }
            | KvResponseData::List { .. }
            | KvResponseData::Put
            | KvResponseData::Delete
            | KvResponseData::Drop) => Ok(answer),
        }
    }
}

fn within_keys(keys: Vec<Bytes>) -> Result<Vec<Bytes>, KvError> {
    if keys.len() > KV_KEYS_MAX {
        return Err(KvError::TooLarge { bound: "128 keys a request" });
    }
    if keys.iter().any(|key| key.len() > KV_KEY_BYTES_MAX) {
        return Err(KvError::TooLarge { bound: "2 KiB a key" });
    }
    Ok(keys)
}
