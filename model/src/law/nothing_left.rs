//! At rest nothing of the load is left: each resource is counted as in a world that never had the load.

use std::collections::BTreeSet;

use crate::evidence::Evidence;

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let Some(rest) = &evidence.rest else { return Ok(()) };
    let names: BTreeSet<&String> = rest.loaded.keys().chain(rest.unloaded.keys()).collect();
    let count =
        |counts: &std::collections::BTreeMap<String, u64>, name| counts.get(name).copied().unwrap_or(0);
    let left: Vec<String> = names
        .into_iter()
        .map(|name| (name, count(&rest.loaded, name), count(&rest.unloaded, name)))
        .filter(|(_, loaded, unloaded)| loaded != unloaded)
        .map(|(name, loaded, unloaded)| format!("{name} {loaded} instead of {unloaded}"))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Breach::new(rest.at, format!("left at rest: {}", left.join(", "))))
}
