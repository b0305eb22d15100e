//! `rehearsal-demo normal`.

use sdk::Application;
use sdk::application::{Builder, ConfigError};

use crate::args::Engine;

pub(crate) fn application(engine: Engine) -> Result<Application, ConfigError> {
    builder(engine).build()
}

/// An application of this engine.
pub(crate) fn builder(engine: Engine) -> Builder {
    let mut builder = Application::builder(demo::registry()).endpoint(engine.endpoint).pool(engine.pool);
    if let Some(namespace) = engine.namespace {
        builder = builder.namespace(namespace);
    }
    if let Some(token) = engine.token {
        builder = builder.token(token);
    }
    builder
}
