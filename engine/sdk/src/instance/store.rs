//! The state of an instance, on its way from and to the engine; what it has scheduled is read with it.

use bytes::Bytes;
use machines::instance::{Input, Saved};
use machines::runner::effect::StoreFailure;

use super::{Driver, Voice};
use crate::actor::subject::Boxed;
use crate::actor::{Kv, KvError, layout, state};

/// What is to be known of a state that is read.
pub(super) enum Read {
    /// It keeps none.
    Nothing,
    /// There is none, or none of an actor that has begun.
    First,
    /// This.
    Stored(Bytes),
    Failed(String),
}

/// Waits for the state that is on its way; for ever if none is.
pub(super) async fn next(store: &mut Option<Boxed<Way>>) -> Way {
    match store {
        Some(way) => {
            let arrived = way.await;
            *store = None;
            arrived
        }
        None => std::future::pending().await,
    }
}

/// A state that has arrived.
pub(super) enum Way {
    /// With what it has scheduled.
    Read(Read, Vec<(Bytes, Bytes)>),
    Written(Saved),
}

/// Entries of one list: 8 MiB of them at most, so that a start holds up nobody else's frames for long. Ours. Most actors
/// have fewer, and one request reads them.
const LIST_MAX: u64 = 64;

/// Reads what an actor has stored, its state only if it keeps any.
pub(super) async fn read(voice: Voice, keeps: bool) -> Way {
    let entries = match listed(&Kv::raw(voice)).await {
        Ok(entries) => entries,
        Err(error) => return Way::Read(Read::Failed(error.to_string()), Vec::new()),
    };
    let (pieces, rows) = entries.into_iter().partition(|(key, _)| layout::is_of_state(key));
    let read = match state::restored(pieces) {
        _ if !keeps => Read::Nothing,
        Ok(Some(stored)) if stored.begun => Read::Stored(stored.state),
        Ok(Some(_) | None) => Read::First,
        Err(error) => Read::Failed(error.to_string()),
    };
    Way::Read(read, rows)
}

async fn listed(kv: &Kv) -> Result<Vec<(Bytes, Bytes)>, KvError> {
    let (mut start, end) = layout::start();
    let mut entries: Vec<(Bytes, Bytes)> = Vec::new();
    loop {
        let found = kv.range((start, end.clone()), LIST_MAX).await?;
        let more = u64::try_from(found.len()).is_ok_and(|found| found >= LIST_MAX);
        entries.extend(found);
        let Some((last, _)) = entries.last().filter(|_| more) else { return Ok(entries) };
        protocol::mark!("sdk_start_reads_more");
        start = [last, &[0][..]].concat().into();
    }
}

pub(super) async fn write(voice: Voice, stored: state::Stored) -> Way {
    let Some(entries) = state::entries(&stored) else {
        return Way::Written(Saved::Unfit);
    };
    Way::Written(match Kv::raw(voice.clone()).put_all(entries).await {
        Ok(()) => Saved::Done,
        Err(KvError::TooLarge { .. }) => Saved::Unfit,
        Err(KvError::NotDone | KvError::Refused { .. }) => Saved::Failed(StoreFailure::NotDone),
        Err(KvError::Indeterminate | KvError::Malformed) => looked_up(voice, &stored).await,
    })
}

/// What became of a write whose answer is lost. The engine carries out what a session asks in its order, and nothing of a
/// session that was replaced: what is read after the write is not changed by it any more.
async fn looked_up(voice: Voice, stored: &state::Stored) -> Saved {
    match Kv::raw(voice).range(layout::state(), LIST_MAX).await.map(state::restored) {
        Ok(Ok(Some(found))) if found == *stored => {
            protocol::mark!("sdk_state_was_stored");
            Saved::Done
        }
        Ok(Ok(_)) => {
            protocol::mark!("sdk_state_was_not_stored");
            Saved::Failed(StoreFailure::NotDone)
        }
        Ok(Err(_)) | Err(_) => Saved::Failed(StoreFailure::Indeterminate),
    }
}

impl Driver {
    /// Keeps in mind what is stored now, as far as anybody knows.
    fn remember(&mut self, outcome: Saved) {
        let written = self.writing.take();
        match outcome {
            Saved::Done => self.stored = written.or_else(|| self.stored.take()),
            Saved::Failed(StoreFailure::Indeterminate) => self.stored = None,
            Saved::Failed(StoreFailure::NotDone) | Saved::Unfit => {}
        }
    }

    pub(super) fn arrived(&mut self, way: Way) {
        let input = match way {
            Way::Written(outcome) => {
                self.remember(outcome);
                Input::Saved { outcome, jitter: runtime::entropy::u64("actor/save") }
            }
            Way::Read(read, rows) => match self.schedules.restore(rows) {
                Ok(()) => self.loaded(read),
                Err(error) => Input::LoadFailed { error: error.to_string() },
            },
        };
        self.step(input);
    }

    fn loaded(&mut self, read: Read) -> Input {
        match read {
            Read::Nothing => Input::Loaded { first: false },
            Read::First => Input::Loaded { first: true },
            Read::Failed(error) => Input::LoadFailed { error },
            Read::Stored(state) => match self.subject.decode(&state) {
                Ok(()) => {
                    self.stored = Some(state::Stored { begun: true, state });
                    Input::Loaded { first: false }
                }
                Err(error) => {
                    Input::LoadFailed { error: format!("the stored state is none of this actor's: {error}") }
                }
            },
        }
    }
}
