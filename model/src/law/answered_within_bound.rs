//! Every operation ends within its stated bound, one that is open when the run ends included.

use crate::evidence::Evidence;

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let late =
        evidence.history.ops().iter().filter(|op| op.invoked + op.bound < op.ended.unwrap_or(evidence.end));
    let first = late.min_by_key(|op| op.invoked + op.bound);
    let Some(op) = first else { return Ok(()) };
    let took = op.ended.unwrap_or(evidence.end).since(op.invoked);
    let so_far = if op.ended.is_some() { "took" } else { "was never answered: open for" };
    let text =
        format!("{} of {:?} ({:?}) {so_far} {took:?}, its bound is {:?}", op.id, op.key, op.kind, op.bound);
    Err(Breach::new(op.invoked + op.bound, text))
}
