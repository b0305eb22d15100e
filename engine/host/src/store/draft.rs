//! A transaction while it is put together: a snapshot, and over it the changes so far, so that each step of a batch sees
//! the steps before it.

use std::iter::Peekable;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use bytes::Bytes;

use super::face::{Changes, Each, Fault, Order, Range, Snapshot, Space};

/// Reads what the changes would leave.
#[derive(Debug)]
pub(super) struct Draft {
    snapshot: Arc<dyn Snapshot>,
    changes: Changes,
}

impl Draft {
    pub(super) fn new(snapshot: Arc<dyn Snapshot>) -> Self {
        Self { snapshot, changes: Changes::default() }
    }

    /// The changes; the snapshot is given up.
    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }

    pub(super) fn put(&mut self, space: Space, key: Vec<u8>, value: impl Into<Bytes>) {
        self.changes.put(space, key, value.into());
    }

    pub(super) fn remove(&mut self, space: Space, key: Vec<u8>) {
        self.changes.remove(space, key);
    }

    pub(super) fn clear(&mut self, space: Space, range: Range) {
        self.changes.clear(space, range);
    }

    pub(super) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        match self.changes.entries.get(&space).and_then(|entries| entries.get(key)) {
            Some(changed) => Ok(changed.clone()),
            None if self.is_cleared(space, key) => Ok(None),
            None => self.snapshot.get(space, key),
        }
    }

    /// As [`Snapshot::scan`], over what the changes would leave.
    pub(super) fn scan(
        &self,
        space: Space,
        range: &Range,
        order: Order,
        each: &mut Each<'_>,
    ) -> Result<(), Fault> {
        if range.is_empty() {
            return Ok(());
        }
        let changed = self.changes.entries.get(&space).into_iter().flat_map(|entries| {
            let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            entries.range::<[u8], _>((Bound::Included(range.start.as_slice()), end))
        });
        let changed: Box<dyn Iterator<Item = Entry<'_>>> = match order {
            Order::Forward => Box::new(changed),
            // A range is at most as long as the batch.
            Order::Reverse => Box::new(changed.collect::<Vec<_>>().into_iter().rev()),
        };
        let mut changed = changed.peekable();
        let mut broken = false;
        self.snapshot.scan(space, range, order, &mut |key, value| {
            if give_before(&mut changed, order, Some(key), each)?.is_break() {
                broken = true;
                return Ok(ControlFlow::Break(()));
            }
            let flow = match changed.next_if(|(other, _)| other.as_slice() == key) {
                Some((_, Some(value))) => each(key, value)?,
                Some((_, None)) => ControlFlow::Continue(()),
                None if self.is_cleared(space, key) => ControlFlow::Continue(()),
                None => each(key, value)?,
            };
            broken = flow.is_break();
            Ok(flow)
        })?;
        if broken {
            return Ok(());
        }
        give_before(&mut changed, order, None, each).map(drop)
    }

    fn is_cleared(&self, space: Space, key: &[u8]) -> bool {
        self.changes.cleared.get(&space).is_some_and(|ranges| ranges.iter().any(|range| range.holds(key)))
    }
}

type Entry<'a> = (&'a Vec<u8>, &'a Option<Bytes>);

/// Gives the new rows that come before `key`; all that are left without one.
fn give_before<'a>(
    changed: &mut Peekable<impl Iterator<Item = Entry<'a>>>,
    order: Order,
    key: Option<&[u8]>,
    each: &mut Each<'_>,
) -> Result<ControlFlow<()>, Fault> {
    let comes_first = |(other, _): &Entry<'_>| match (key, order) {
        (None, _) => true,
        (Some(key), Order::Forward) => other.as_slice() < key,
        (Some(key), Order::Reverse) => other.as_slice() > key,
    };
    while let Some((key, value)) = changed.next_if(comes_first) {
        if let Some(value) = value
            && each(key, value)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
