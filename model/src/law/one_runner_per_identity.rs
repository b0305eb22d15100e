//! Of the processes that were started with one identity, one speaks for it.
//!
//! Two may believe so while one of them cannot be told, but not for longer than a silence goes unnoticed. Once everything
//! was healed and is due, exactly one is left, and speaks: the older one was evicted and has ended, so that they do not
//! evict each other for ever, and nobody evicts the last.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::id::RunnerId;
use protocol::time::Mono;

use crate::evidence::{Evidence, Sight};

use super::Breach;

/// How long two may be connected as they see it: the lost threshold of 15 s, a ping of 3 s, and from one look to the
/// next.
const OVERLAP: Duration = Duration::from_secs(21);

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let due = evidence.healed.map(|healed| healed + evidence.recovery);
    let mut doubled: BTreeMap<&str, (Mono, Vec<Speaker<'_>>)> = BTreeMap::new();
    for (at, sights) in &evidence.sights {
        for (identity, speakers) in connected(sights) {
            let names = speakers.iter().map(|(node, _)| *node).collect::<Vec<_>>().join(", ");
            let count = speakers.len();
            if count < 2 {
                doubled.remove(identity);
            } else {
                // Between two looks one may have ended and another begun, or have been away and come back as another
                // runner. Whoever comes back as the same one was never taken over from, and counts on.
                let same = doubled.get(identity).filter(|(_, before)| *before == speakers);
                let since = same.map_or(*at, |(since, _)| *since);
                if at.since(since) > OVERLAP {
                    let text = format!("{names} speak for {identity:?} since {since:?}");
                    return Err(Breach::new(*at, text));
                }
                doubled.insert(identity, (since, speakers));
            }
            if due.is_some_and(|due| due <= *at) {
                let left = sights.iter().filter(|sight| sight.identity == identity && sight.alive).count();
                if (left, count) != (1, 1) {
                    let text = format!("{count} processes speak for {identity:?} ({names}), {left} are left");
                    return Err(Breach::new(*at, text));
                }
            }
        }
    }
    Ok(())
}

/// A process: its node, and the runner that it is.
type Speaker<'a> = (&'a str, Option<RunnerId>);

/// Who is connected, by identity; an identity of which nobody is, is there too.
fn connected(sights: &[Sight]) -> BTreeMap<&str, Vec<Speaker<'_>>> {
    let mut connected: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for sight in sights {
        let speakers = connected.entry(&sight.identity).or_default();
        speakers.extend(sight.connected.then_some((sight.node.as_str(), sight.runner)));
    }
    connected
}
