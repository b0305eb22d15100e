//! redb in a world, on a disk that lies or rots: what it promised is there, or it says that it is not. Never wrong data.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use redb::{Builder, Database, ReadableDatabase, StorageBackend, TableDefinition};
use sim::{Effect, Node, Often, Options, Ratio, Sim, World};

use crate::support::{MILLISECOND, SECOND, process};

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("table");

#[derive(Debug)]
struct Backend(runtime::disk::File);

impl StorageBackend for Backend {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync()
    }
    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }
}

/// What a check of the store finds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// So many commits, all of them whole.
    Whole(u64),
    /// The store says that it is damaged.
    Refused(String),
    /// The store says nothing, and something is not as it was written.
    Wrong(String),
}

/// Opens the store and has it verify its checksums.
fn open() -> Result<Database, redb::Error> {
    let file = runtime::disk::open("store").expect("nobody else holds it");
    Ok(Builder::new().set_check_integrity_on_open(true).create_with_backend(Backend(file))?)
}

/// Commit `number` writes a value of its own, longer than a sector, and counts itself.
fn commit(store: &Database, number: u64) -> Result<(), redb::Error> {
    let transaction = store.begin_write()?;
    {
        let mut table = transaction.open_table(TABLE)?;
        table.insert(number, number.to_le_bytes().repeat(200).as_slice())?;
        table.insert(u64::MAX, (number + 1).to_le_bytes().as_slice())?;
    }
    Ok(transaction.commit()?)
}

fn count(store: &Database) -> Result<Found, redb::Error> {
    let transaction = store.begin_read()?;
    let table = match transaction.open_table(TABLE) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Found::Whole(0)),
        table => table?,
    };
    let Some(last) = table.get(u64::MAX)? else { return Ok(Found::Wrong("no count".to_owned())) };
    let Ok(count) = last.value().try_into().map(u64::from_le_bytes) else {
        return Ok(Found::Wrong("a count of another length".to_owned()));
    };
    for number in 0..count {
        let value = table.get(number)?;
        if value.is_none_or(|value| value.value() != number.to_le_bytes().repeat(200)) {
            return Ok(Found::Wrong(format!("commit {number} of {count}")));
        }
    }
    Ok(Found::Whole(count))
}

/// What a fresh process finds.
async fn check(node: &Node) -> Found {
    let look = || async {
        let found = runtime::disk::blocking(|| open().and_then(|store| count(&store))).await;
        found.unwrap_or_else(|error| Found::Refused(error.to_string()))
    };
    process(node, look).await
}

/// Commits from `first` on, for ever, and says how many are acknowledged.
fn write(node: &Node, first: u64) -> Rc<Cell<u64>> {
    let acknowledged = Rc::new(Cell::new(first));
    let told = Rc::clone(&acknowledged);
    node.boot(move || {
        let told = Rc::clone(&told);
        async move {
            let store = runtime::disk::blocking(|| open().map(Arc::new)).await.expect("it was checked");
            for number in told.get().. {
                let store = Arc::clone(&store);
                let done = runtime::disk::blocking(move || commit(&store, number)).await;
                done.expect("a disk that fails nothing");
                told.set(number + 1);
            }
        }
    });
    acknowledged
}

/// Lives of a store, each ended by a power loss. What the last check found, and what was acknowledged before it.
async fn lives(world: World, lies: Often) -> (Found, u64) {
    let node = world.node("store");
    let chance = world.stream("chance");
    assert_eq!(check(&node).await, Found::Whole(0));
    node.lie_in_syncs(lies);
    let mut first = 0;
    for _ in 0..4 {
        let acknowledged = write(&node, first);
        world.sleep(chance.span(5 * MILLISECOND..=60 * MILLISECOND)).await;
        node.power_off();
        let found = check(&node).await;
        match found {
            // What was under way may be there, or not.
            Found::Whole(count) if (acknowledged.get()..=acknowledged.get() + 1).contains(&count) => {
                first = count;
            }
            Found::Whole(_) | Found::Refused(_) | Found::Wrong(_) => return (found, acknowledged.get()),
        }
    }
    (Found::Whole(first), first)
}

/// Whether the check of a store whose disk lies so often is broken: something acknowledged is gone, something is there
/// that nobody committed, the store refuses, or it panics.
fn is_caught(seed: u64, lies: Often) -> bool {
    let report = Sim::new(Options::seed(seed)).run(async move |world| lives(world, lies).await);
    match report.outcome {
        Ok((Found::Whole(count), acknowledged)) => !(acknowledged..=acknowledged + 1).contains(&count),
        Ok((Found::Refused(_) | Found::Wrong(_), _)) | Err(_) => true,
    }
}

#[test]
fn a_disk_whose_syncs_lie_makes_the_check_of_the_store_fail() {
    assert!((0..20).all(|seed| !is_caught(seed, Often::Never)), "an honest disk passes");
    let caught = (0..20).filter(|seed| is_caught(*seed, Ratio::new(1, 3).into())).count();
    assert!(caught >= 3, "{caught} of 20 seeds");
}

/// Twenty commits, then so many flipped bits; what is found, and whether any of them was read.
fn rot(seed: u64, bits: u32) -> (Found, bool) {
    let script = async move |world: World| {
        let node = world.node("store");
        let acknowledged = write(&node, 0);
        while acknowledged.get() < 20 {
            world.sleep(MILLISECOND).await;
        }
        node.kill();
        world.sleep(SECOND).await;
        let before = check(&node).await;
        assert!(matches!(before, Found::Whole(20 | 21)), "{before:?}");
        node.flip_bits(bits);
        let after = check(&node).await;
        assert!(after == before || matches!(after, Found::Refused(_)), "{after:?} after {before:?}");
        (after, world.effects().contains_key(&Effect::FlippedBit))
    };
    Sim::new(Options::seed(seed)).run(script).expect_ok()
}

#[test]
fn bits_that_flip_at_rest_are_reported_and_never_accepted() {
    assert!(!rot(0, 0).1, "an intact disk shows nothing");
    let runs: Vec<_> =
        [1, 100, 1000].into_iter().flat_map(|bits| (0..12).map(move |seed| rot(seed, bits))).collect();
    let read = runs.iter().filter(|(_, read)| *read).count();
    let refused = runs.iter().filter(|(found, _)| matches!(found, Found::Refused(_))).count();
    assert!(read >= 20 && refused >= 12, "{read} read, {refused} refused");
}
