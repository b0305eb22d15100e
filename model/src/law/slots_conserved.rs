//! A runner's slots in use are the actors assigned to it and the ended generations that linger there, and never more
//! than it has.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::RunnerId;
use protocol::time::Mono;
use protocol::view::ControlView;

use crate::evidence::Evidence;

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    evidence.views.iter().try_for_each(|(at, view)| in_view(*at, view))
}

fn in_view(at: Mono, view: &ControlView) -> Result<(), Breach> {
    let mut assigned: BTreeMap<RunnerId, u32> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for actor in &view.actors {
        if !seen.insert(actor.actor) {
            return Err(Breach::new(at, format!("{:?} is there twice", actor.actor)));
        }
        if let Some(runner) = actor.runner {
            *assigned.entry(runner).or_default() += 1;
        }
    }
    for runner in &view.runners {
        let id = runner.runner;
        let actors = assigned.remove(&id).unwrap_or(0);
        let lingering = runner.lingering_slots;
        if runner.used_slots != actors + lingering {
            let used = runner.used_slots;
            let text =
                format!("{id:?} uses {used} slots, hosts {actors} actors, and {lingering} linger there");
            return Err(Breach::new(at, text));
        }
        if runner.used_slots > runner.total_slots {
            let text = format!("{id:?} uses {} of its {} slots", runner.used_slots, runner.total_slots);
            return Err(Breach::new(at, text));
        }
    }
    match assigned.into_iter().next() {
        Some((runner, actors)) => {
            Err(Breach::new(at, format!("{actors} actors are assigned to {runner:?}, which does not exist")))
        }
        None => Ok(()),
    }
}
