//! What `serve` and `config` can be told, and who said it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use host::settings::Origin;

use super::log::Format;

/// Flags, each of them also an environment variable and a line of the configuration file.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// A TOML file with any of the values below.
    #[arg(long, value_name = "FILE", env = "REHEARSAL_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// The folder of the store; made if it is missing [default: ./data].
    #[arg(long, value_name = "DIR", env = "REHEARSAL_DATA")]
    pub(super) data: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:6420].
    #[arg(long, value_name = "ADDRESS", env = "REHEARSAL_BIND")]
    pub(super) bind: Option<SocketAddr>,
    /// The URL under which applications and clients reach the engine; needed where the address is none they could
    /// dial, such as 0.0.0.0 [default: http:// and the address].
    #[arg(long, value_name = "URL", env = "REHEARSAL_PUBLIC_URL")]
    pub(super) public_url: Option<String>,
    /// A TOML file of tokens: lists `admin`, `runner` and `gateway`. With it every call needs one. It is read again
    /// while the engine runs, and only its owner may have access to it [default: none, and everything is open].
    #[arg(long, value_name = "FILE", env = "REHEARSAL_TOKENS")]
    pub(super) tokens: Option<PathBuf>,
    /// Listen beyond loopback although nothing authenticates callers [default: false].
    #[arg(long, value_name = "BOOL", env = "REHEARSAL_INSECURE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub(super) insecure: Option<bool>,
    /// Let pools have URLs that lead to this machine or into private networks [default: true if the engine listens on
    /// loopback, else false].
    #[arg(long, value_name = "BOOL", env = "REHEARSAL_ALLOW_PRIVATE_TARGETS", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub(super) allow_private_targets: Option<bool>,
    /// Certificates, in PEM, of authorities that vouch for https applications, beside those that this machine trusts
    /// [default: none].
    #[arg(long, value_name = "FILE", env = "REHEARSAL_CA_FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// What to log: a level, or targets with levels as in RUST_LOG [default: $RUST_LOG, or info].
    #[arg(long, value_name = "FILTER", env = "REHEARSAL_LOG")]
    pub(super) log: Option<String>,
    /// How a log line looks [default: text].
    #[arg(long, value_name = "FORMAT", env = "REHEARSAL_LOG_FORMAT")]
    pub(super) log_format: Option<Format>,
    /// Any timing or bound, such as control.grace=5s; `config print` lists them all. Can be given many times. In the
    /// environment: REHEARSAL_CONTROL_GRACE=5s, in the file: grace = "5s" in the section control.
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(super) set: Vec<(String, String)>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is given as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Who said the value of an argument; `None` if nobody did.
pub(super) fn origin(matches: &ArgMatches, id: &str) -> Option<Origin> {
    match matches.value_source(id)? {
        ValueSource::CommandLine => Some(Origin::Flag),
        ValueSource::EnvVariable => Some(Origin::Environment),
        // Of clap's kinds only the default is left: ours are not clap's.
        _ => None,
    }
}
