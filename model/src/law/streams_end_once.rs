//! A serverless stream ends once, with one reason, after it was opened. Stream ids count within one boot.

use std::collections::BTreeMap;

use protocol::id::StreamId;
use protocol::view::Fact;

use crate::evidence::{Evidence, Place};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut ended: BTreeMap<(&Place, StreamId), Option<&'static str>> = BTreeMap::new();
    for told in &evidence.told {
        if let Fact::StreamOpened { stream } = told.fact
            && ended.insert((&told.place, stream), None).is_some()
        {
            return Err(Breach::told(told, format!("{stream:?} is opened a second time")));
        }
        let Fact::StreamEnded { stream, reason } = told.fact else { continue };
        let text = match ended.insert((&told.place, stream), Some(reason)) {
            Some(None) => continue,
            Some(Some(first)) => format!("{stream:?} ends with {reason}, and had ended with {first} before"),
            None => format!("{stream:?} ends with {reason} and was never opened"),
        };
        return Err(Breach::told(told, text));
    }
    Ok(())
}
