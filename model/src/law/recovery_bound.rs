//! A key that can recover from something answers within the bound of that.
//!
//! Who watches begins at the moment from which on recovery is possible, and asks until an answer comes. One that was
//! not answered counts for as long as it was asked: less than the bound proves nothing, since something else struck.

use crate::evidence::Evidence;

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    for recovery in &evidence.recoveries {
        let until = recovery.answered.unwrap_or(recovery.until);
        let took = until.since(recovery.from);
        if took <= recovery.bound {
            continue;
        }
        let what = if recovery.answered.is_some() { "answers after" } else { "does not answer for" };
        let (key, of, bound) = (&recovery.key, recovery.of, recovery.bound);
        let text = format!("{key:?} {what} {took:?} of {of}, its bound is {bound:?}");
        return Err(Breach::new(recovery.from + bound, text));
    }
    Ok(())
}
