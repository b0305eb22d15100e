//! `rehearsal-engine openapi`: the API's description.

use clap::Args;

/// Print the description of the HTTP API (OpenAPI 3.1, JSON); a running engine serves it at /openapi.json.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rehearsal-engine openapi > openapi.json")]
pub(crate) struct Openapi {}

impl Openapi {
    pub(super) fn run(self) {
        let Self {} = self;
        print!("{}", host::openapi());
    }
}
