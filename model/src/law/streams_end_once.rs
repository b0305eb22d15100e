//! A serverless stream ends once, with one reason, after it was opened. Stream ids count within one boot.

use std::collections::BTreeMap;

use protocol::id::StreamId;
use protocol::view::Fact;

use crate::evidence::{Evidence, Place};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut ended: BTreeMap<(&Place, StreamId), Option<&'static str>> = BTreeMap::new();
    for told in &evidence.told {
        match told.fact {
            Fact::StreamOpened { stream } => {
                let before = ended.insert((&told.place, stream), None);
                if before.is_some() {
                    return Err(Breach::told(told, format!("{stream:?} is opened a second time")));
                }
            }
            Fact::StreamEnded { stream, reason } => match ended.insert((&told.place, stream), Some(reason)) {
                Some(None) => {}
                Some(Some(first)) => {
                    let text = format!("{stream:?} ends with {reason}, and had ended with {first} before");
                    return Err(Breach::told(told, text));
                }
                None => {
                    return Err(Breach::told(
                        told,
                        format!("{stream:?} ends with {reason} and was never opened"),
                    ));
                }
            },
            _ => {}
        }
    }
    Ok(())
}
