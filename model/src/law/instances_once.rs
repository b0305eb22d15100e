//! Per generation, user code starts once and stops once, and is given nothing before its start or after its stop.
//!
//! A process that is booted again may be told to start the same generation again, since nobody heard that the first
//! start came about. So the count is per boot; on two nodes a generation is never started.

use std::collections::BTreeMap;

use protocol::id::{ActorId, Generation};
use protocol::view::Fact;

use crate::evidence::{Evidence, Place, Told};

use super::Breach;

type Life = (ActorId, Generation);

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    // Per life and boot: whether it was stopped.
    let mut stopped: BTreeMap<(Life, &Place), bool> = BTreeMap::new();
    let mut home: BTreeMap<Life, &Place> = BTreeMap::new();
    for told in &evidence.told {
        let place = &told.place;
        if let Fact::InstanceStarted { actor, generation } = told.fact {
            let life = (actor, generation);
            if let Some(first) = home.insert(life, place)
                && first.node != place.node
            {
                return breach(told, life, &format!("starts, and was started on {first} before"));
            }
            if stopped.insert((life, place), false).is_some() {
                return breach(told, life, "starts a second time");
            }
        }
        if let Fact::InstanceStopped { actor, generation } = told.fact {
            match stopped.insert(((actor, generation), place), true) {
                None => return breach(told, (actor, generation), "stops without having started"),
                Some(true) => return breach(told, (actor, generation), "stops a second time"),
                Some(false) => {}
            }
        }
        if let Fact::Delivered { actor, generation, request } = told.fact {
            let when = match stopped.get(&((actor, generation), place)) {
                None => "before its start",
                Some(true) => "after its stop",
                Some(false) => continue,
            };
            return breach(told, (actor, generation), &format!("is given {request:02x?} {when}"));
        }
    }
    Ok(())
}

fn breach(told: &Told, (actor, generation): Life, what: &str) -> Result<(), Breach> {
    Err(Breach::told(told, format!("{actor:?} {generation:?} {what}")))
}
