//! A run that failed, as a report has it, and the line that shows it again.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::bundle::DETERMINISM;
use crate::cli::told::flags;
use crate::play::RunOptions;
use crate::search::tally::Name;
use crate::search::twice::IN_A_FRESH_PROCESS;
use crate::search::{Failed, Why};

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Failure {
    /// Its number in the search.
    pub(in crate::cli) run: u64,
    pub(in crate::cli) scenario: Name,
    pub(in crate::cli) seed: u64,
    /// The law it broke, or `determinism`.
    pub(in crate::cli) law: Name,
    /// Virtual time of the breach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) at_seconds: Option<f64>,
    pub(in crate::cli) text: String,
    pub(in crate::cli) digest: String,
    pub(in crate::cli) replay: String,
}

impl Failure {
    /// Of what a search found.
    pub(super) fn of(failed: &Failed) -> Self {
        let determinism = |text| (Cow::Borrowed(DETERMINISM), None, text);
        let (law, at_seconds, text) = match &failed.why {
            Why::Law(broken) => {
                (Cow::Borrowed(broken.law), Some(broken.at.0 as f64 / 1e9), broken.text.clone())
            }
            Why::Diverged(divergence) => determinism(divergence.to_string()),
            Why::Fresh(error) => determinism(error.to_string()),
            Why::Missed(_) => determinism(failed.why.to_string()),
        };
        Self {
            run: failed.index,
            scenario: Cow::Borrowed(failed.play),
            seed: failed.seed,
            law,
            at_seconds,
            text,
            digest: format!("{:032x}", failed.digest),
            replay: replay_line(failed),
        }
    }
}

/// The one line that shows a failure again. One between processes does not show where there is only one.
pub(in crate::cli) fn replay_line(failed: &Failed) -> String {
    let Failed { play, seed, options, why, .. } = failed;
    let between = match why {
        Why::Law(_) | Why::Missed(_) => false,
        Why::Diverged(divergence) => divergence.others == IN_A_FRESH_PROCESS,
        Why::Fresh(_) => true,
    };
    let plain = RunOptions { swarm: options.swarm, world: options.world, ..RunOptions::default() };
    if between && *options == plain {
        // The run by itself is one of a search of its seed alone.
        let strategy = if options.swarm { " --strategy swarm" } else { "" };
        let world = flags(&RunOptions { swarm: false, ..plain });
        return format!("cargo explore --scenario {play} --start {seed} --seeds 1{strategy}{world} --verify");
    }
    format!("cargo replay {play}:{seed}{}", flags(options))
}
