//! The state of an instance, on its way from and to the engine.

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
    Stored(bytes::Bytes),
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
    Read(Read),
    Written(Saved),
}

pub(super) async fn read(voice: Voice) -> Way {
    Way::Read(match Kv::raw(voice).list(layout::state_prefix(), None).await {
        Ok(entries) => match state::restored(entries) {
            Ok(Some(stored)) if stored.begun => Read::Stored(stored.state),
            Ok(Some(_) | None) => Read::First,
            Err(error) => Read::Failed(error.to_string()),
        },
        Err(error) => Read::Failed(error.to_string()),
    })
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
    match Kv::raw(voice).list(layout::state_prefix(), None).await.map(state::restored) {
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
            Saved::Done => self.stored = written.or(self.stored.take()),
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
            Way::Read(Read::Nothing) => Input::Loaded { first: false },
            Way::Read(Read::First) => Input::Loaded { first: true },
            Way::Read(Read::Failed(error)) => Input::LoadFailed { error },
            Way::Read(Read::Stored(state)) => match self.subject.decode(&state) {
                Ok(()) => {
                    self.stored = Some(state::Stored { begun: true, state });
                    Input::Loaded { first: false }
                }
                Err(error) => {
                    Input::LoadFailed { error: format!("the stored state is none of this actor's: {error}") }
                }
            },
        };
        self.step(input);
    }
}
