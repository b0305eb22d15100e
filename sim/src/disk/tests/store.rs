//! redb on this disk: each acknowledged commit survives any fall, whole; and a disk whose sync lies is caught.

use std::panic::catch_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

use super::super::{Disk, DiskFault, DiskOptions, Draw, FileHandle, Often};
use super::Chance;
use crate::options::Ratio;

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("table");
/// Keys that each commit writes: all or none may be there.
const KEYS: u64 = 3;

#[derive(Debug)]
struct State {
    disk: Disk,
    chance: u64,
}

impl State {
    fn with<T>(&mut self, f: impl FnOnce(&mut Disk, Draw<'_>) -> T) -> T {
        let mut chance = Chance(self.chance);
        let out = f(&mut self.disk, &mut chance.draw());
        self.chance = chance.0;
        out
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.with(|_, draw| draw("test", bound))
    }
}

#[derive(Clone, Debug)]
struct Backend {
    state: Arc<Mutex<State>>,
    file: FileHandle,
}

impl Backend {
    fn with<T>(
        &self,
        f: impl FnOnce(&mut Disk, FileHandle, Draw<'_>) -> Result<T, DiskFault>,
    ) -> std::io::Result<T> {
        let mut state = self.state.lock().expect("one thread");
        Ok(state.with(|disk, draw| f(disk, self.file, draw))?)
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> std::io::Result<u64> {
        self.with(|disk, file, _| disk.len(file))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.with(|disk, file, draw| disk.read(file, offset, out, draw))
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.with(|disk, file, draw| disk.set_len(file, len, draw))
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.with(|disk, file, draw| disk.sync(file, draw))
    }
    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.with(|disk, file, draw| disk.write(file, offset, data, draw))
    }
}

/// What is wrong with the store after a fall.
type Violation = String;

/// Opens the store. redb writes its magic number last, and from then on refuses a file without it: one whose creation
/// was cut short is never opened again. A second file, made once the first is complete, tells the two apart.
fn open(state: &Arc<Mutex<State>>) -> Result<Database, String> {
    let (store, complete) = (Path::new("redb"), Path::new("complete"));
    let file = state.lock().expect("one thread").with(|disk, draw| {
        let file = disk.open(store, draw)?;
        if !disk.exists(complete) {
            disk.set_len(file, 0, draw)?;
        }
        Ok(file)
    });
    let file = file.map_err(|fault: DiskFault| fault.to_string())?;
    let database = Database::builder()
        .create_with_backend(Backend { state: Arc::clone(state), file })
        .map_err(|error| error.to_string())?;
    let made = state.lock().expect("one thread").with(|disk, draw| disk.open(complete, draw));
    made.map_err(|fault| fault.to_string())?;
    Ok(database)
}

fn commit(store: &Database, number: u64) -> Result<(), redb::Error> {
    let mut transaction = store.begin_write()?;
    transaction.set_quick_repair(number.is_multiple_of(2));
    {
        let mut table = transaction.open_table(TABLE)?;
        for key in 0..KEYS {
            // Long enough to span sectors; each commit also overwrites what the one before wrote.
            table.insert(number * KEYS + key, number.to_le_bytes().repeat(200).as_slice())?;
            table.insert(u64::MAX - key, number.to_le_bytes().as_slice())?;
        }
    }
    Ok(transaction.commit()?)
}

/// All acknowledged commits are there, none in part, and at most one more.
fn check(store: &Database, acknowledged: u64) -> Result<u64, Violation> {
    let transaction = store.begin_read().map_err(|error| error.to_string())?;
    let table = match transaction.open_table(TABLE) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) if acknowledged == 0 => return Ok(0),
        Err(error) => return Err(error.to_string()),
    };
    let last = table.get(u64::MAX).map_err(|error| error.to_string())?;
    let last = last.ok_or("no last commit")?.value().try_into().map(u64::from_le_bytes);
    let count = last.map_err(|_| "a broken value")? + 1;
    if count != acknowledged && count != acknowledged + 1 {
        return Err(format!("{count} commits, {acknowledged} were acknowledged"));
    }
    for number in 0..count {
        for key in 0..KEYS {
            let value = table.get(number * KEYS + key).map_err(|error| error.to_string())?;
            if value.is_none_or(|value| value.value() != number.to_le_bytes().repeat(200)) {
                return Err(format!("commit {number} lacks key {key}"));
            }
        }
    }
    let total = table.iter().map_err(|error| error.to_string())?.count() as u64;
    if total != count * KEYS + KEYS {
        return Err(format!("{total} keys for {count} commits"));
    }
    Ok(count)
}

/// Lives of one store, each ended by a fall: power or process, between operations, inside one, or in the wait.
fn lives(seed: u64, lies: Often) -> Result<u64, Violation> {
    let mut disk = Disk::new(DiskOptions::default());
    disk.lie_in_syncs(lies);
    let state = Arc::new(Mutex::new(State { disk, chance: seed }));
    let (mut now, mut acknowledged) = (0, 0);
    for _ in 0..4 {
        let inside = {
            let mut state = state.lock().expect("one thread");
            state.disk.boot();
            state.disk.begin_section(now);
            let inside = state.below(2) == 0;
            if inside {
                let operation = state.below(200);
                state.disk.crash_at(operation);
            }
            inside
        };
        let store = open(&state);
        let crashed = |state: &Arc<Mutex<State>>| state.lock().expect("one thread").disk.has_crashed();
        let store = match store {
            Ok(store) => Some(store),
            Err(_) if crashed(&state) => None,
            Err(error) => return Err(format!("does not open: {error}")),
        };
        if let Some(store) = &store
            && !crashed(&state)
        {
            match check(store, acknowledged) {
                Ok(count) => acknowledged = count,
                Err(_) if crashed(&state) => {}
                Err(violation) => return Err(violation),
            }
            let commits = if inside { 40 } else { state.lock().expect("one thread").below(12) };
            for _ in 0..commits {
                // The wait of what went before is over.
                now = state.lock().expect("one thread").disk.end_section().max(now) + 1000;
                state.lock().expect("one thread").disk.begin_section(now);
                match commit(store, acknowledged) {
                    Ok(()) if !crashed(&state) => {
                        now = state.lock().expect("one thread").disk.end_section();
                        acknowledged += 1;
                    }
                    Ok(()) | Err(_) if crashed(&state) => break,
                    Ok(()) => unreachable!("acknowledged above"),
                    Err(error) => return Err(format!("does not commit: {error}")),
                }
            }
            if !crashed(&state) {
                // One more, and the fall comes somewhere in its wait: it is not acknowledged.
                state.lock().expect("one thread").disk.begin_section(now);
                commit(store, acknowledged).map_err(|error| format!("does not commit: {error}"))?;
                let mut state = state.lock().expect("one thread");
                let wait = state.disk.end_section() - now;
                now += state.below(wait + 1);
            }
        }
        {
            let mut state = state.lock().expect("one thread");
            let killed = state.below(4) == 0;
            state.with(|disk, draw| if killed { disk.kill(now, draw) } else { disk.lose_power(now, draw) });
        }
        // Only once the disk is fenced: redb writes when it is dropped.
        drop(store);
    }
    let mut state = state.lock().expect("one thread");
    state.disk.settle(now);
    Ok(state.disk.counts().sectors_lost)
}

#[test]
fn each_acknowledged_commit_survives_each_fall() {
    let mut lost = 0;
    for seed in 0..100 {
        lost += lives(seed, Often::Never).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
    assert!(lost > 1000, "the falls hurt: {lost} sectors were lost");
}

#[test]
fn a_sync_that_lies_is_caught() {
    // redb may also find out by an assertion of its own, when it opens what is left.
    let lives = |seed: u64| {
        catch_unwind(|| lives(seed, Ratio::new(1, 3).into())).unwrap_or_else(|_| Err("panic".to_owned()))
    };
    let caught = (0..100).filter(|seed| lives(*seed).is_err()).count();
    assert!(caught > 5, "{caught} of 100 seeds");
}
