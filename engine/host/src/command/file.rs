//! The configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use toml::{Table, Value};

use super::log::Format;

/// What the file may say; all of it can be said by flags and environment too.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) bind: Option<SocketAddr>,
    pub(super) public_url: Option<String>,
    pub(super) data: Option<PathBuf>,
    pub(super) insecure: Option<bool>,
    pub(super) tokens: Option<PathBuf>,
    pub(super) allow_private_targets: Option<bool>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<Format>,
    #[serde(default)]
    engine: Table,
    #[serde(default)]
    limits: Table,
    #[serde(default)]
    control: Table,
    #[serde(default)]
    gateway: Table,
    #[serde(default)]
    store: Table,
}

impl File {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in the configuration {}", path.display()))
    }

    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        // Its text has several lines, with a picture; one is wanted.
        toml::from_str(text).map_err(|error| anyhow::anyhow!(error.message().to_owned()))
    }

    /// What its sections say, by path and as text, or what is wrong with it.
    pub(super) fn settings(&self) -> impl Iterator<Item = Result<(String, String), String>> {
        let sections = [
            ("engine", &self.engine),
            ("limits", &self.limits),
            ("control", &self.control),
            ("gateway", &self.gateway),
            ("store", &self.store),
        ];
        sections.into_iter().flat_map(|(section, table)| {
            table.iter().map(move |(name, value)| {
                let path = format!("{section}.{name}");
                match value {
                    Value::String(text) => Ok((path, text.clone())),
                    Value::Integer(number) => Ok((path, number.to_string())),
                    Value::Float(_)
                    | Value::Boolean(_)
                    | Value::Datetime(_)
                    | Value::Array(_)
                    | Value::Table(_) => Err(format!("`{path}` is neither a text nor a whole number")),
                }
            })
        })
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

    #[test]
    fn sections_hold_texts_and_numbers() {
        let text = "[control]\ngrace = \"5s\"\n[limits]\nheaders-max = 50\nhead-timeout = true\n";
        let said: Vec<_> = File::parse(text).unwrap().settings().collect();
        let pair = |path: &str, value: &str| Ok((path.to_owned(), value.to_owned()));
        let wrong = Err("`limits.head-timeout` is neither a text nor a whole number".to_owned());
        assert_eq!(said, [wrong, pair("limits.headers-max", "50"), pair("control.grace", "5s")]);
        assert!(File::parse("[nope]\nx = 1").unwrap_err().to_string().contains("`nope`"));
    }
}
