//! Nobody is drained for a newer version that is not there, and whoever is drained is given nothing new.
//!
//! When a runner is overtaken, one of the newest version has a session in the same pool and was not overtaken itself. So
//! the last version that is well is never taken away for one that is not.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::RunnerId;
use protocol::view::Fact;

use crate::evidence::{Evidence, Place, Told};

use super::Breach;

#[derive(Default)]
struct Bench<'told> {
    /// Each runner's pool and version, and the life of the engine in which it has a session.
    runners: BTreeMap<RunnerId, (&'told str, u32, Option<&'told Place>)>,
    overtaken: BTreeSet<RunnerId>,
}

pub(super) fn check(evidence: &Evidence) -> Result<(), Breach> {
    let mut bench = Bench::default();
    evidence.told.iter().try_for_each(|told| bench.hear(told))
}

impl<'told> Bench<'told> {
    fn hear(&mut self, told: &'told Told) -> Result<(), Breach> {
        match &told.fact {
            Fact::RunnerConnected { runner, pool, version, .. } => {
                self.runners.insert(*runner, (pool, *version, Some(&told.place)));
                Ok(())
            }
            Fact::RunnerDisconnected { runner } | Fact::RunnerLost { runner } => {
                if let Some((_, _, session)) = self.runners.get_mut(runner) {
                    *session = None;
                }
                Ok(())
            }
            Fact::RunnerOvertaken { runner, newest } => self.overtake(told, *runner, *newest),
            Fact::Placed { actor, generation, runner } if self.overtaken.contains(runner) => {
                let text = format!("{actor:?} {generation:?} is placed on {runner:?}, which was overtaken");
                Err(Breach::told(told, text))
            }
            _ => Ok(()),
        }
    }

    fn overtake(&mut self, told: &'told Told, runner: RunnerId, newest: u32) -> Result<(), Breach> {
        let refuse = |why: String| Err(Breach::told(told, format!("{runner:?} is drained {why}")));
        let Some((pool, version, _)) = self.runners.get(&runner).copied() else {
            // It was connected before anybody listened.
            self.overtaken.insert(runner);
            return Ok(());
        };
        if newest <= version {
            return refuse(format!("for version {newest}, and is of version {version}"));
        }
        let is_there = self.runners.iter().any(|(other, (its, of, session))| {
            *its == pool && *of == newest && *session == Some(&told.place) && !self.overtaken.contains(other)
        });
        if !is_there {
            return refuse(format!("for version {newest}, of which no runner of {pool:?} has a session"));
        }
        self.overtaken.insert(runner);
        Ok(())
    }
}
