//! `rehearsal-demo serverless`.

use sdk::Application;
use sdk::application::ConfigError;

use crate::args::Serverless;
use crate::normal::builder;

pub(crate) fn application(args: Serverless) -> Result<Application, ConfigError> {
    builder(args.engine)
        .with(|options| {
            options.serving.listen = Some(args.listen);
            options.serving.url = args.url;
            options.serving.configure = !args.no_configure;
        })
        .build()
}
