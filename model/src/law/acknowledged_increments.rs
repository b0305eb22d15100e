//! No acknowledged increment is lost or repeated. The argument lies in [`crate::counter`].

use std::collections::BTreeMap;

use crate::counter;
use crate::evidence::Evidence;
use crate::history::Op;

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut keys: BTreeMap<&str, Vec<&Op>> = BTreeMap::new();
    for op in evidence.history.ops() {
        keys.entry(&op.key).or_default().push(op);
    }
    let mut breaches = Vec::new();
    for (key, ops) in keys {
        if let Err(falsehood) = counter::check(&ops) {
            let shown = &evidence.history.ops()[falsehood.shown_by().0 as usize];
            let at = shown.ended.unwrap_or(evidence.end);
            breaches.push(Breach::new(at, format!("count of {key:?}: {falsehood}")));
        }
    }
    match breaches.into_iter().min_by_key(|breach| breach.at) {
        Some(first) => Err(first),
        None => Ok(()),
    }
}
