//! The configuration file of `serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use super::log::Format;

/// What the file may say; all of it can be said by flags and environment too.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) bind: Option<SocketAddr>,
    pub(super) public_url: Option<String>,
    pub(super) data: Option<PathBuf>,
    pub(super) insecure: Option<bool>,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<Format>,
}

impl File {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in the configuration {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        // Its text has several lines, with a picture; one is wanted.
        toml::from_str(text).map_err(|error| anyhow::anyhow!(error.message().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_may_say_is_read_and_nothing_else() {
        let text = "bind = \"127.0.0.1:7000\"\npublic-url = \"http://a\"\nlog-format = \"json\"\n";
        let file = File::parse(text).unwrap();
        assert_eq!(file.bind, Some("127.0.0.1:7000".parse().unwrap()));
        assert_eq!((file.public_url.as_deref(), file.log_format), (Some("http://a"), Some(Format::Json)));
        assert_eq!(File::parse("").unwrap(), File::default());
        let error = File::parse("port = 1").unwrap_err().to_string();
        assert!(error.contains("unknown field `port`"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}
