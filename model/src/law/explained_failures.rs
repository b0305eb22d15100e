//! Every failure carries a code that a fault then active explains.
//!
//! A fault explains failures of operations that overlap it, and of those begun so long after its end as this code may
//! linger after a fault of that family: see [`Failure::lingers`]. One that is within some keys explains nobody else's.

use crate::code::Failure;
use crate::evidence::Evidence;
use crate::fault::Active;
use crate::history::{Op, Outcome};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    for op in evidence.history.ops() {
        let Outcome::Failed { code, executed } = &op.outcome else { continue };
        let at = op.ended.unwrap_or(evidence.end);
        let failure: Failure = code
            .parse()
            .map_err(|unknown| Breach::new(at, format!("{} of {:?}: {unknown}", op.id, op.key)))?;
        if *executed != failure.executed() {
            let text = format!("{} was recorded with executed {executed:?}, which {failure} is not", op.id);
            return Err(Breach::new(at, text));
        }
        let explained = evidence
            .faults
            .iter()
            .any(|fault| failure.causes().contains(&fault.family) && overlaps(fault, op, failure, evidence));
        if !explained {
            return Err(Breach::new(at, unexplained(op, failure, evidence)));
        }
    }
    Ok(())
}

fn overlaps(fault: &Active, op: &Op, failure: Failure, evidence: &Evidence) -> bool {
    let over = fault.until.map(|until| until + failure.lingers(fault.family, evidence.recovery));
    let begun = fault.from <= op.ended.unwrap_or(evidence.end);
    begun && over.is_none_or(|over| op.invoked <= over) && fault.concerns(&op.key)
}

fn unexplained(op: &Op, failure: Failure, evidence: &Evidence) -> String {
    let mut active: Vec<_> = evidence
        .faults
        .iter()
        .filter(|fault| overlaps(fault, op, failure, evidence))
        .map(|fault| fault.family.name())
        .collect();
    active.dedup();
    let active = if active.is_empty() {
        "no fault was on".to_owned()
    } else {
        format!("only {} was on", active.join(", "))
    };
    let causes: Vec<_> = failure.causes().iter().map(|family| family.name()).collect();
    let causes = if causes.is_empty() { "no fault".to_owned() } else { causes.join(", ") };
    format!(
        "{} of {:?} ({:?}, begun {:?}) failed with {failure}, which {causes} explains; {active}",
        op.id, op.key, op.kind, op.invoked
    )
}
