//! After healing, everybody is served again within the recovery bound.
//!
//! For every key that was ever used: somebody asks after healing and is answered with success in time, and nobody
//! who begins after that time fails. A key that nobody asks for after healing is not proven routable: the play must
//! probe each.

use std::collections::BTreeMap;

use crate::evidence::Evidence;
use crate::history::{Op, Outcome};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let Some(healed) = evidence.healed else { return Ok(()) };
    let due = healed + evidence.recovery;
    let mut keys: BTreeMap<&str, Vec<&Op>> = BTreeMap::new();
    for op in evidence.history.ops() {
        keys.entry(&op.key).or_default().push(op);
    }
    for (key, ops) in keys {
        let served = ops
            .iter()
            .any(|op| op.invoked >= healed && op.acknowledged() && op.ended.is_some_and(|at| at <= due));
        if !served {
            let asked = ops.iter().filter(|op| op.invoked >= healed).count();
            let text = format!(
                "{key:?} is not served within {:?} of healing at {healed:?}: of {asked} operations begun since then none was acknowledged in time",
                evidence.recovery
            );
            return Err(Breach::new(due, text));
        }
        let failed = ops.iter().find(|op| op.invoked >= due && matches!(op.outcome, Outcome::Failed { .. }));
        if let Some(op) = failed {
            let text = format!("{} of {key:?} failed although everything was healed at {healed:?}", op.id);
            return Err(Breach::new(op.ended.unwrap_or(evidence.end), text));
        }
    }
    Ok(())
}
