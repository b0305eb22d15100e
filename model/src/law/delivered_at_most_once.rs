//! A request that is not safe to repeat reaches user code at most once.
//!
//! Each attempt of a request may go under another wire id; its ticket is one within the gateway's boot, and the gateway
//! tells which wire id is an attempt of which ticket, before it can be delivered. Wire ids are drawn from entropy, so
//! two boots never share one. A delivery of which the gateway told nothing counts as unsafe and as a request of its
//! own: to repeat a safe one the gateway must have told of it.

use std::collections::BTreeMap;

use protocol::id::{RequestId, Ticket};
use protocol::view::Fact;

use crate::evidence::{Evidence, Place, Told};

use super::Breach;

/// A client's request, however often it was forwarded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Request<'told> {
    /// As the gateway knows it.
    Ticket(&'told Place, Ticket),
    /// One the gateway told nothing of: gateway id, then wire id.
    Unknown([u8; 8]),
}

/// What the gateway told of a wire id.
struct Attempt<'told> {
    of: Request<'told>,
    safe: bool,
}

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut attempts: BTreeMap<RequestId, Attempt<'_>> = BTreeMap::new();
    let mut delivered: BTreeMap<Request<'_>, &Told> = BTreeMap::new();
    for told in &evidence.told {
        if let Fact::Forwarded { ticket, request, safe, .. } = told.fact {
            attempts.insert(request, Attempt { of: Request::Ticket(&told.place, ticket), safe });
        }
        let Fact::Delivered { actor, generation, request } = told.fact else { continue };
        let [.., a, b, c, d] = request;
        let wire = RequestId([a, b, c, d]);
        let (of, safe) = match attempts.get(&wire) {
            Some(attempt) => (attempt.of, attempt.safe),
            None => (Request::Unknown(request), false),
        };
        if let (false, Some(first)) = (safe, delivered.insert(of, told)) {
            let text = format!(
                "{wire:?} reached {actor:?} {generation:?}, and its request had reached user code at {:?} on {} before",
                first.at, first.place
            );
            return Err(Breach::told(told, text));
        }
    }
    Ok(())
}
