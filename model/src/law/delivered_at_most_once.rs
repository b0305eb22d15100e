//! A request that is not safe to repeat reaches user code at most once.
//!
//! The gateway tells which wire id belongs to a safe request. A wire id is drawn from entropy, so one that comes a
//! second time is the same request. A delivery of which the gateway told nothing counts as unsafe: to repeat a safe
//! one the gateway must have told of it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::RequestId;
use protocol::view::Fact;

use crate::evidence::Evidence;

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut safe: BTreeSet<RequestId> = BTreeSet::new();
    let mut delivered: BTreeMap<[u8; 8], &crate::evidence::Told> = BTreeMap::new();
    for told in &evidence.told {
        if let Fact::Forwarded { request, safe: is_safe, .. } = told.fact {
            match is_safe {
                true => safe.insert(request),
                false => safe.remove(&request),
            };
        }
        let Fact::Delivered { actor, generation, request } = told.fact else { continue };
        let Some(first) = delivered.insert(request, told) else { continue };
        let [.., a, b, c, d] = request;
        let request = RequestId([a, b, c, d]);
        if !safe.contains(&request) {
            let text = format!(
                "{request:?} reached {actor:?} {generation:?}, and had reached user code at {:?} on {} before",
                first.at, first.place
            );
            return Err(Breach::told(told, text));
        }
    }
    Ok(())
}
