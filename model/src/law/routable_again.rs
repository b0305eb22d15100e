//! After healing, everybody is served again within the recovery bound.
//!
//! For every key that was ever used: somebody asks after healing and is answered with success in time, by an increment
//! if the key was ever incremented (a read may be answered from memory), and nobody who begins after that time fails.
//! Of a key that nobody asks for after healing, or after that time, nothing is proven: the play must probe each, and go
//! on probing.

use std::collections::BTreeMap;

use protocol::time::Mono;

use crate::evidence::Evidence;
use crate::history::{Kind, Op, Outcome};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let Some(healed) = evidence.healed else { return Ok(()) };
    let due = healed + evidence.recovery;
    let mut keys: BTreeMap<&str, Vec<&Op>> = BTreeMap::new();
    for op in evidence.history.ops() {
        keys.entry(&op.key).or_default().push(op);
    }
    keys.into_iter().try_for_each(|(key, ops)| of_key(key, &ops, healed, due, evidence))
}

fn of_key(key: &str, ops: &[&Op], healed: Mono, due: Mono, evidence: &Evidence) -> Result<(), Breach> {
    let counted = ops.iter().any(|op| is_increment(op));
    let since: Vec<&Op> = ops.iter().copied().filter(|op| op.invoked >= healed).collect();
    let probes: Vec<&Op> = since.iter().copied().filter(|op| is_increment(op) || !counted).collect();
    let in_time = |op: &&Op| op.acknowledged() && op.ended.is_some_and(|at| at <= due);
    if !probes.iter().any(in_time) {
        let text = format!(
            "{key:?} is not served within {:?} of healing at {healed:?}: of {} {} begun since then none was acknowledged in time",
            evidence.recovery,
            probes.len(),
            if counted { "increments" } else { "operations" },
        );
        return Err(Breach::new(due, text));
    }
    let after: Vec<&Op> = since.into_iter().filter(|op| op.invoked >= due).collect();
    if after.is_empty() {
        return Err(Breach::new(evidence.end, format!("nobody asked for {key:?} after {due:?}")));
    }
    match after.into_iter().find(|op| matches!(op.outcome, Outcome::Failed { .. })) {
        Some(op) => {
            let text = format!("{} of {key:?} failed although everything was healed at {healed:?}", op.id);
            Err(Breach::new(op.ended.unwrap_or(evidence.end), text))
        }
        None => Ok(()),
    }
}

const fn is_increment(op: &Op) -> bool {
    matches!(op.kind, Kind::Increment { .. })
}
