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
        match told.fact {
            Fact::InstanceStarted { actor, generation } => {
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
            Fact::InstanceStopped { actor, generation } => {
                match stopped.insert(((actor, generation), place), true) {
                    None => return breach(told, (actor, generation), "stops without having started"),
                    Some(true) => return breach(told, (actor, generation), "stops a second time"),
                    Some(false) => {}
                }
            }
            Fact::Delivered { actor, generation, request } => {
                match stopped.get(&((actor, generation), place)) {
                    None => {
                        return breach(
                            told,
                            (actor, generation),
                            &format!("is given {request:02x?} before its start"),
                        );
                    }
                    Some(true) => {
                        return breach(
                            told,
                            (actor, generation),
                            &format!("is given {request:02x?} after its stop"),
                        );
                    }
                    Some(false) => {}
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn breach(told: &Told, (actor, generation): Life, what: &str) -> Result<(), Breach> {
    Err(Breach::told(told, format!("{actor:?} {generation:?} {what}")))
}
