//! Between two nodes of a simulated world.

use sim::{Network, Options, Sim};

use super::Outcome;
use crate::scripts::{Place, Script};
use crate::worlds::kernel::settings;

pub(crate) fn run(script: Script, seed: u64) -> Outcome {
    let net = match script.place {
        Place::Loopback => Network::default(),
        Place::Namespace => {
            Network { backlog: settings::BACKLOG, syn_retries: settings::SYN_RETRIES, ..Network::default() }
        }
    };
    let options = Options { net, ..Options::seed(seed) };
    let run = Sim::new(options).run(move |world| async move { between_two_nodes!(world, script) });
    run.outcome.map_err(|failure| failure.to_string())
}
