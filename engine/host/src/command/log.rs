//! Logs: to standard error, without bodies or secrets.

use std::io::{IsTerminal, stderr};

use anyhow::Context as _;
use clap::ValueEnum;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// As it is written.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Begins logging what `filter` lets through.
pub(super) fn begin(filter: &str, format: Format) -> anyhow::Result<()> {
    let filter: EnvFilter = filter.parse().with_context(|| format!("the log filter {filter:?}"))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // Colours for people only. On a terminal the subscriber itself heeds `NO_COLOR`.
    let subscriber = if stderr().is_terminal() { subscriber } else { subscriber.with_ansi(false) };
    let begun = match format {
        Format::Text => subscriber.try_init(),
        Format::Json => subscriber.json().try_init(),
    };
    begun.map_err(|error| anyhow::anyhow!("cannot begin logging: {error}"))
}
