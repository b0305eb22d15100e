//! Every operation ends within its stated bound, one that is open when the run ends included.
//!
//! A client that gave up was not answered, however early it did. Nobody answers while the engine is silent: an operation
//! that such a fault overlapped itself is not held against the platform.

use protocol::time::Mono;

use crate::code::{ClientCode, Failure};
use crate::evidence::Evidence;
use crate::history::{Op, Outcome};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let breaches = evidence.history.ops().iter().filter_map(|op| breach(op, evidence));
    match breaches.min_by_key(|breach| breach.at) {
        Some(first) => Err(first),
        None => Ok(()),
    }
}

fn breach(op: &Op, evidence: &Evidence) -> Option<Breach> {
    let due = op.invoked + op.bound;
    let until = op.ended.unwrap_or(evidence.end);
    let what = if gave_up(op) {
        "was given up, unanswered, after"
    } else if until <= due {
        return None;
    } else if op.ended.is_some() {
        "took"
    } else {
        "was never answered: open for"
    };
    if engine_was_silent(op.invoked, until, evidence) {
        return None;
    }
    let Op { id, key, kind, bound, .. } = op;
    let took = until.since(op.invoked);
    let text = format!("{id} of {key:?} ({kind:?}) {what} {took:?}, its bound is {bound:?}");
    Some(Breach::new(due.min(until), text))
}

/// Whether the client ended it by itself.
fn gave_up(op: &Op) -> bool {
    let Outcome::Failed { code, .. } = &op.outcome else { return false };
    [ClientCode::TimedOut, ClientCode::ConnectTimedOut].iter().any(|gave_up| gave_up.as_str() == code)
}

/// Whether a fault after which nothing comes from the engine was on at any moment of this stretch.
fn engine_was_silent(from: Mono, until: Mono, evidence: &Evidence) -> bool {
    let silencing = Failure::Client(ClientCode::TimedOut).causes();
    evidence.faults.iter().any(|fault| {
        let over = fault.until.is_none_or(|over| from <= over);
        silencing.contains(&fault.family) && fault.from <= until && over
    })
}
