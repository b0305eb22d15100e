//! Of an actor that was destroyed nothing is heard any more.
//!
//! From the moment its client heard that it is, nobody who asks it from then on is answered, and nobody who asks for its
//! key is given it. From the moment the platform says so, it is neither placed nor started, and commits nothing. And
//! who is told that there is no such actor asked for one that somebody else was destroying by then at least: of one that
//! is destroyed twice, no engine says so that remembers it, and who hears so has not destroyed it.

use std::collections::BTreeMap;

use protocol::id::ActorId;
use protocol::time::Mono;
use protocol::view::Fact;

use crate::evidence::{Evidence, Told, Touch, TouchKind};

use super::Breach;

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    clients(&evidence.touches)?;
    platform(&evidence.told)
}

fn clients(touches: &[Touch]) -> Result<(), Breach> {
    let mut destroyed: BTreeMap<ActorId, Mono> = BTreeMap::new();
    let mut begun: BTreeMap<ActorId, Mono> = BTreeMap::new();
    for touch in touches.iter().filter(|touch| touch.what == TouchKind::Destroyed) {
        if touch.unknown.is_none() {
            let first = begun.entry(touch.actor).or_insert(touch.invoked);
            *first = (*first).min(touch.invoked);
        }
        if let Some(done) = touch.done {
            let first = destroyed.entry(touch.actor).or_insert(done);
            *first = (*first).min(done);
        }
    }
    for touch in touches {
        let Touch { actor, what, invoked, .. } = *touch;
        let gone = destroyed.get(&actor).filter(|at| **at < invoked);
        let lives = touch.done.is_some() && matches!(what, TouchKind::Made | TouchKind::Asked);
        if let (Some(at), true) = (gone, lives) {
            let text = format!("{actor:?} was destroyed at {at:?}, and is {what:?} at {invoked:?}");
            return Err(Breach::new(touch.done.unwrap_or(invoked), text));
        }
        let begun = begun.get(&actor);
        if let Some(heard) = touch.unknown.filter(|heard| begun.is_none_or(|begun| heard <= begun)) {
            let text = format!("{actor:?} is unknown at {heard:?}, and nobody has destroyed it");
            return Err(Breach::new(heard, text));
        }
    }
    Ok(())
}

fn platform(told: &[Told]) -> Result<(), Breach> {
    let mut destroyed: BTreeMap<ActorId, Mono> = BTreeMap::new();
    for told in told {
        let (actor, what) = match told.fact {
            Fact::Destroyed { actor } => {
                destroyed.insert(actor, told.at);
                continue;
            }
            Fact::Placed { actor, .. } => (actor, "placed"),
            Fact::Running { actor, .. } => (actor, "said to run"),
            Fact::InstanceStarted { actor, .. } => (actor, "started"),
            Fact::KvCommitted { actor, .. } => (actor, "allowed to commit"),
            _ => continue,
        };
        if let Some(at) = destroyed.get(&actor) {
            return Err(Breach::told(told, format!("{actor:?} was destroyed at {at:?}, and is {what}")));
        }
    }
    Ok(())
}
