//! What a lost runner hosted is never said to have ended in order: only its session could have said so.

use std::collections::BTreeMap;

use protocol::id::{ActorId, Generation, RunnerId};
use protocol::time::Mono;
use protocol::view::{Fact, GenerationEnd};

use crate::evidence::Evidence;

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut host: BTreeMap<(ActorId, Generation), RunnerId> = BTreeMap::new();
    let mut lost: BTreeMap<RunnerId, Mono> = BTreeMap::new();
    for told in &evidence.told {
        if let Fact::RunnerLost { runner } = told.fact {
            lost.insert(runner, told.at);
        }
        if let Fact::Placed { actor, generation, runner } = told.fact {
            if let Some(at) = lost.get(&runner) {
                let text = format!("{actor:?} {generation:?} is placed on {runner:?}, lost at {at:?}");
                return Err(Breach::told(told, text));
            }
            host.insert((actor, generation), runner);
        }
        let Fact::Ended { actor, generation, how } = told.fact else { continue };
        let in_order = match how {
            GenerationEnd::Stopped | GenerationEnd::Crashed => true,
            GenerationEnd::RunnerLost | GenerationEnd::NoResponse => false,
        };
        let gone = host.remove(&(actor, generation)).and_then(|runner| Some((runner, lost.get(&runner)?)));
        if let (true, Some((runner, at))) = (in_order, gone) {
            let text = format!(
                "{actor:?} {generation:?} is said to have ended as {how:?}, but {runner:?} was lost at {at:?}"
            );
            return Err(Breach::told(told, text));
        }
    }
    Ok(())
}
