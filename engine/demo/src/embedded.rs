//! `rehearsal-demo` without a command: engine and runner in one process.

use sdk::Application;
use sdk::application::ConfigError;

use crate::args::Embedded;

pub(crate) fn application(args: Embedded) -> Result<Application, ConfigError> {
    let engine = sdk::application::Embedded::new(args.data).bind(args.bind);
    Application::builder(demo::registry()).embedded(engine).build()
}
