//! `rehearsal-engine config check`: whether an engine would start with a configuration.

use clap::{ArgMatches, Args};

use super::super::arguments::Arguments;
use super::super::effective::Effective;
use super::super::environment::Environment;

/// Check the effective configuration: exit code 0 if an engine could be started with it, 1 with one line for each
/// thing that is wrong. Environment variables that look like a setting and are none are told as warnings.
///
/// Checked are every value and bound, values that make no sense together, the public URL, and the token file with its
/// permissions. Whether the port is free and the store is sound is told by `serve` and by `check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    arguments: Arguments,
}

impl Check {
    pub(super) fn run(self, matches: &ArgMatches) -> anyhow::Result<()> {
        let effective = Effective::of(self.arguments, matches, &Environment::of_process())?;
        effective.warn();
        let Effective { options, wrong, .. } = effective;
        let unfit = runtime::process::block_on(None, host::examine(&options))?;
        let all: Vec<String> = wrong.into_iter().chain(unfit.iter().map(ToString::to_string)).collect();
        let Some((last, others)) = all.split_last() else {
            println!("the configuration can be used");
            return Ok(());
        };
        for error in others {
            eprintln!("rehearsal-engine: {error}");
        }
        anyhow::bail!("{last}")
    }
}
