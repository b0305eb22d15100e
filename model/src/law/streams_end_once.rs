//! A serverless stream ends once, with one reason, after it was opened.
//!
//! Both of its sides are heard. The engine's counts streams within one boot; the application's knows the runner that
//! the stream holds open, which is one for each.

use std::collections::BTreeMap;

use protocol::id::{RunnerId, StreamId};
use protocol::view::Fact;

use crate::evidence::{Evidence, Place};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut ended: BTreeMap<(&Place, StreamId), Option<&'static str>> = BTreeMap::new();
    let mut held: BTreeMap<(&Place, RunnerId), &'static str> = BTreeMap::new();
    for told in &evidence.told {
        let text = match told.fact {
            Fact::StreamOpened { stream } => match ended.insert((&told.place, stream), None) {
                Some(_) => format!("{stream:?} is opened a second time"),
                None => continue,
            },
            Fact::StreamEnded { stream, reason } => match ended.insert((&told.place, stream), Some(reason)) {
                Some(None) => continue,
                Some(Some(first)) => {
                    format!("{stream:?} ends with {reason}, and had ended with {first} before")
                }
                None => format!("{stream:?} ends with {reason} and was never opened"),
            },
            Fact::EventStreamEnded { runner: Some(runner), reason } => {
                match held.insert((&told.place, runner), reason) {
                    Some(first) => format!(
                        "the stream of {runner:?} ends with {reason}, and had ended with {first} before"
                    ),
                    None => continue,
                }
            }
            _ => continue,
        };
        return Err(Breach::told(told, text));
    }
    Ok(())
}
