//! After a failed commit: the store is opened anew, to be written if the disk takes it, else to be read.

use machines::durability::{Durability, Effect, Input, Note};

use crate::clock;
use crate::store::{Batch, Location, Store, StoreError};

/// Finds a store to begin anew with, whatever time that takes. Whether it may be written, the machine knows.
///
/// # Errors
/// What no waiting heals.
pub(super) async fn recover(
    location: &Location,
    durability: &mut Durability,
    error: StoreError,
) -> Result<Store, StoreError> {
    let mut wanted = Vec::new();
    fail(durability, error, &mut wanted)?;
    loop {
        if told(&mut wanted).contains(&Effect::Probe) {
            match probe(location, durability, Batch::new(), &mut wanted).await {
                Ok(store) => {
                    told(&mut wanted);
                    return Ok(store);
                }
                // It can neither be written nor read.
                Err(error) => fail(durability, error, &mut wanted)?,
            }
        } else {
            clock::until(durability.next_deadline().map(|(due, _)| due)).await;
            durability.handle(clock::now(), Input::Tick, &mut wanted);
        }
    }
}

/// Tries to commit `batch` and a row besides, and gives the store back: as it can be written, or else read. Nobody else
/// has it open. None is made: where the disk is gone, an empty store would be taken for it.
///
/// # Errors
/// What no waiting heals, and what the disk says if the store cannot even be read.
pub(crate) async fn probe(
    location: &Location,
    durability: &mut Durability,
    mut batch: Batch,
    wanted: &mut Vec<Effect>,
) -> Result<Store, StoreError> {
    batch.probe();
    let tried = async {
        let mut store = location.reopen().await?;
        match store.commit(batch).await {
            Ok(_) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    };
    match tried.await {
        Ok(store) => {
            durability.handle(clock::now(), Input::Probed(Ok(())), wanted);
            Ok(store)
        }
        Err(error) if error.may_pass() => {
            durability.handle(clock::now(), Input::Probed(Err(error.reason())), wanted);
            location.open_to_read().await
        }
        Err(error) => Err(error),
    }
}

fn fail(durability: &mut Durability, error: StoreError, wanted: &mut Vec<Effect>) -> Result<(), StoreError> {
    if !error.may_pass() {
        return Err(error);
    }
    durability.handle(clock::now(), Input::Failed { reason: error.reason() }, wanted);
    Ok(())
}

/// Takes what is wanted, and tells people what is for them.
pub(crate) fn told(wanted: &mut Vec<Effect>) -> Vec<Effect> {
    let wanted = std::mem::take(wanted);
    for effect in &wanted {
        match effect {
            Effect::Note(note) => tell(*note),
            Effect::Probe => {}
        }
    }
    wanted
}

fn tell(note: Note) {
    match note {
        Note::ReadOnly => tracing::error!("the store cannot be written: nothing is, until it can"),
        Note::Writable => tracing::info!("the store can be written"),
        Note::NearlyFull => tracing::warn!("nine tenths of the disk budget are used"),
        Note::Full => tracing::error!("the disk budget is used up: what would take more is refused"),
        Note::Roomy => tracing::info!("less than nine tenths of the disk budget are used"),
    }
}

#[cfg(test)]
mod tests {
    use machines::durability::Options;

    use super::*;
    use crate::store::FILE_NAME;

    #[test]
    fn a_store_that_is_gone_is_missed_and_none_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let location = Location::new(&data);
        let probed = || async {
            let (mut durability, mut wanted) = (Durability::new(Options::default()), Vec::new());
            durability.handle(clock::now(), Input::Failed { reason: "gone".to_owned() }, &mut wanted);
            probe(&location, &mut durability, Batch::new(), &mut wanted).await
        };
        runtime::process::block_on(None, async {
            location.open().await.unwrap().close().await;
            probed().await.unwrap().close().await;
            // What is mounted there vanishes: first its files, then the place itself.
            std::fs::remove_file(data.join(FILE_NAME)).unwrap();
            let error = probed().await.unwrap_err();
            assert!(matches!(error, StoreError::Missing { .. }) && !error.may_pass(), "{error}");
            assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0, "none is made");
            std::fs::remove_dir(&data).unwrap();
            let error = probed().await.unwrap_err();
            assert!(matches!(error, StoreError::Missing { .. }), "{error}");
            assert!(!data.exists(), "none is made");
        })
        .unwrap();
    }
}
