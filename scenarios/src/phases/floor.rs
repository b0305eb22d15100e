//! What every run must hold at least, so that one that tests nothing does not pass.

use std::time::Duration;

use model::Broken;
use model::code::ClientCode;
use model::evidence::Evidence;
use model::history::{Kind, Op, Outcome};
use protocol::time::Mono;

use super::{CLIENTS, OPERATIONS_MIN, SAFETY};

/// Operations that were acknowledged at least, of all clients together: half of them.
const ACKNOWLEDGED_MIN: usize = (CLIENTS * OPERATIONS_MIN / 2) as usize;

/// Looks at the control plane at least. Ours: one in two seconds of the shortest run in which an engine was away for the
/// whole safety phase.
const VIEWS_MIN: usize = 30;

/// A client asks a few polls after it is told to begin. On madsim polls take 50 to 100 ns, and each process that begins to
/// listen meanwhile lets a millisecond pass for everybody.
const BEGINNING: Duration = Duration::from_millis(10);

/// The operations of the load: increments and reads that clients ask from the beginning, and that somebody took.
fn load(evidence: &Evidence) -> impl Iterator<Item = &Op> {
    let counts = |op: &&Op| matches!(op.kind, Kind::Increment { .. } | Kind::Read) && op.client.0 < CLIENTS;
    evidence.history.ops().iter().filter(counts).filter(|op| is_heard(op))
}

fn is_heard(op: &Op) -> bool {
    !matches!(&op.outcome, Outcome::Failed { code, .. } if ClientCode::is_unheard(code))
}

/// How many operations the load had.
pub(crate) fn operations(evidence: &Evidence) -> u64 {
    load(evidence).count() as u64
}

/// What a run lacks, told like a broken law.
#[must_use]
pub fn shortfall(evidence: &Evidence) -> Option<Broken> {
    let first = evidence.history.ops().first().map_or(evidence.end, |op| op.invoked);
    let safety = evidence.healed.unwrap_or(Mono::ZERO);
    let safety = if safety > first { safety.since(first) } else { Duration::ZERO };
    let acknowledged = load(evidence).filter(|op| op.acknowledged()).count();
    let (operations, views) = (operations(evidence), evidence.views.len());
    let wanted = u64::from(CLIENTS * OPERATIONS_MIN);
    let text = if operations < wanted {
        format!("{operations} operations, fewer than {wanted}")
    } else if acknowledged < ACKNOWLEDGED_MIN {
        format!("{acknowledged} operations were acknowledged, fewer than {ACKNOWLEDGED_MIN}")
    } else if views < VIEWS_MIN {
        format!("the control plane was seen {views} times, fewer than {VIEWS_MIN}")
    } else if safety + BEGINNING < SAFETY {
        format!("things could break for {safety:?} under load, less than {SAFETY:?}")
    } else {
        return None;
    };
    Some(Broken { law: "enough_happens", at: evidence.end, place: None, text })
}
