//! A store whose bits flip at rest: refused with a typed error, or intact. Never other than what was written.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use host::store::{Batch, Outcome, Store, StoreError, Write};
use protocol::id::ActorId;
use protocol::wire::{KvRequestData, KvResponseData};
use sim::{Effect, Node, Sim};

/// Values that the store is given, each longer than a sector of the disk.
const VALUES: u64 = 20;

fn batch(request: KvRequestData) -> Batch {
    let mut batch = Batch::new();
    batch.push(Write::Kv { actor: ActorId::from_entropy([1; 16]), request });
    batch
}

fn value(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(200)
}

fn key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// What a process does with the store, and what it says of it.
async fn process<Fut>(node: &Node, main: fn() -> Fut) -> Result<Vec<Vec<u8>>, StoreError>
where
    Fut: Future<Output = Result<Vec<Vec<u8>>, StoreError>> + 'static,
{
    let place = Arc::new(Mutex::new(None));
    let told = Arc::clone(&place);
    node.boot(move || {
        let told = Arc::clone(&told);
        async move {
            let said = main().await;
            *told.lock().unwrap() = Some(said);
        }
    });
    node.ended().await;
    place.lock().unwrap().take().expect("it ended by itself")
}

async fn fill() -> Result<Vec<Vec<u8>>, StoreError> {
    let mut store = Store::open("data").await?;
    for number in 0..VALUES {
        let put = KvRequestData::Put { keys: vec![key(number).into()], values: vec![value(number).into()] };
        store.commit(batch(put)).await?;
    }
    store.close().await;
    Ok(Vec::new())
}

async fn read() -> Result<Vec<Vec<u8>>, StoreError> {
    let mut store = Store::open("data").await?;
    store.load().await?;
    let mut all = Vec::new();
    for number in 0..VALUES {
        let get = KvRequestData::Get { keys: vec![key(number).into()] };
        let outcomes = store.commit(batch(get)).await?;
        let [Outcome::Kv(KvResponseData::Get { values, .. })] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        all.extend(values.iter().map(|value| value.to_vec()));
    }
    Ok(all)
}

/// Whether a store of which so many bits flipped was refused, and whether one of them was read.
fn rot(seed: u64, bits: u32) -> (bool, bool) {
    Sim::seed(seed)
        .run(move |world| async move {
            let node = world.node("store");
            process(&node, fill).await.expect("a disk that works");
            node.flip_bits(bits);
            let refused = match process(&node, read).await {
                Ok(all) => {
                    assert!(all == (0..VALUES).map(value).collect::<Vec<_>>(), "wrong data was accepted");
                    false
                }
                Err(StoreError::Damaged { .. } | StoreError::Foreign { .. } | StoreError::Format { .. }) => {
                    true
                }
                Err(error) => panic!("it says something else: {error}"),
            };
            runtime::sleep(Duration::from_secs(1)).await;
            (refused, world.effects().contains_key(&Effect::FlippedBit))
        })
        .expect_ok()
}

#[test]
fn a_store_whose_bits_flip_is_refused_or_intact() {
    assert_eq!(rot(0, 0), (false, false));
    let seeds = [1, 30, 1000].into_iter().flat_map(|bits| (0..20).map(move |seed| rot(seed, bits)));
    let runs: Vec<_> = seeds.collect();
    let refused = runs.iter().filter(|(refused, _)| *refused).count();
    assert!(refused >= 20, "{refused} of {} were refused", runs.len());
    assert!(runs.iter().all(|(refused, read)| !refused || *read), "who refuses has read one");
}
