//! The face over an ordered map: what the file is compared with.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::store::face::{Changes, Each, Face, Fault, Order, Range, Size, Snapshot, Space};

type Rows = BTreeMap<Space, BTreeMap<Vec<u8>, Bytes>>;

/// A database in memory.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Arc<Rows>>);

#[derive(Debug)]
struct Moment(Arc<Rows>);

impl Face for Memory {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Fault> {
        Ok(Arc::new(Moment(Arc::clone(&self.0.lock()))))
    }

    fn commit(&self, changes: Changes) -> Result<(), Fault> {
        let mut rows = self.0.lock();
        let found = |space: Space, key: &[u8]| rows.get(&space).and_then(|rows| rows.get(key)).cloned();
        if changes.expected.into_iter().any(|((space, key), value)| found(space, &key) != value) {
            return Err(Fault::Overtaken);
        }
        let rows = Arc::make_mut(&mut *rows);
        for (space, ranges) in changes.cleared {
            let rows = rows.entry(space).or_default();
            rows.retain(|key, _| !ranges.iter().any(|range| range.holds(key)));
        }
        for (space, entries) in changes.entries {
            let rows = rows.entry(space).or_default();
            for (key, value) in entries {
                match value {
                    Some(value) => drop(rows.insert(key, value)),
                    None => drop(rows.remove(&key)),
                }
            }
        }
        Ok(())
    }

    fn stored_bytes(&self) -> u64 {
        let rows = self.0.lock();
        let counted = rows.iter().filter(|(space, _)| **space != Space::Meta).flat_map(|(_, rows)| rows);
        counted.map(|(key, value)| (key.len() + value.len()) as u64).sum()
    }

    fn size(&self) -> Result<Size, Fault> {
        let stored_bytes = self.stored_bytes();
        let rows = self.0.lock();
        let count = |space| rows.get(&space).map_or(0, |rows| rows.len() as u64);
        Ok(Size {
            file_bytes: 0,
            stored_bytes,
            records: count(Space::Records),
            kv: count(Space::Kv),
            inputs: count(Space::Inputs),
        })
    }
}

impl Snapshot for Moment {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        Ok(self.0.get(&space).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(&self, space: Space, range: &Range, order: Order, each: &mut Each<'_>) -> Result<(), Fault> {
        let rows = self.0.get(&space).into_iter().flatten().filter(|(key, _)| range.holds(key));
        let mut rows: Vec<_> = rows.collect();
        if order == Order::Reverse {
            rows.reverse();
        }
        for (key, value) in rows {
            if let ControlFlow::Break(()) = each(key, value)? {
                break;
            }
        }
        Ok(())
    }

    fn count(&self, space: Space) -> Result<u64, Fault> {
        Ok(self.0.get(&space).map_or(0, |rows| rows.len() as u64))
    }
}
