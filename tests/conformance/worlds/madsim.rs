//! Between two nodes on madsim.

use sim::second::{Second, World};

use super::Outcome;
use crate::scripts::Script;

pub(crate) fn run(script: Script, seed: u64) -> Outcome {
    let run = Second::seed(seed).run(move |world: World| async move { between_two_nodes!(world, script) });
    run.map_err(|failed| failed.to_string())
}
