//! `rehearsal-engine serve`: run the engine.

use std::net::SocketAddr;
use std::panic;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use host::{Engine, OpenError, Options};
use runtime::signals::Signals;

use super::file::File;
use super::log::{self, Format};

/// Run the engine until SIGTERM or Ctrl-C; a second signal ends it at once.
///
/// A value is taken from the first of these that has it: the flag, the environment variable, the file given with
/// --config, the default. When it listens, one line with its URL is printed to standard output. Everything it knows is
/// in the data folder, and is there again after any kind of death.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rehearsal-engine serve
  rehearsal-engine serve --data /var/lib/rehearsal --bind 127.0.0.1:6420
  rehearsal-engine serve --insecure --bind 0.0.0.0:6420 --public-url http://engine.example:6420

The file holds the same names without dashes in front, as TOML:
  bind = \"127.0.0.1:6420\"
  data = \"/var/lib/rehearsal\"
  log-format = \"json\"")]
pub(crate) struct Serve {
    /// A TOML file with any of the values below.
    #[arg(long, value_name = "FILE", env = "REHEARSAL_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of the store; made if it is missing [default: ./data].
    #[arg(long, value_name = "DIR", env = "REHEARSAL_DATA")]
    data: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:6420].
    #[arg(long, value_name = "ADDRESS", env = "REHEARSAL_BIND")]
    bind: Option<SocketAddr>,
    /// The URL under which applications and clients reach the engine; needed where the address is none they could
    /// dial, such as 0.0.0.0 [default: http:// and the address].
    #[arg(long, value_name = "URL", env = "REHEARSAL_PUBLIC_URL")]
    public_url: Option<String>,
    /// Listen beyond loopback although nothing authenticates callers [default: false].
    #[arg(long, value_name = "BOOL", env = "REHEARSAL_INSECURE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_parser = BoolishValueParser::new())]
    insecure: Option<bool>,
    /// What to log: a level, or targets with levels as in RUST_LOG [default: $RUST_LOG, or info].
    #[arg(long, value_name = "FILTER", env = "REHEARSAL_LOG")]
    log: Option<String>,
    /// How a log line looks [default: text].
    #[arg(long, value_name = "FORMAT", env = "REHEARSAL_LOG_FORMAT")]
    log_format: Option<Format>,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let file = self.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let filter = self.log.clone().or_else(|| file.log.clone()).or_else(|| std::env::var("RUST_LOG").ok());
        let format = self.log_format.or(file.log_format).unwrap_or_default();
        log::begin(filter.as_deref().unwrap_or("info"), format)?;
        let options = self.options(file);
        runtime::process::block_on(None, serve(options))?
    }

    fn options(self, file: File) -> Options {
        let data = self.data.or(file.data).unwrap_or_else(|| PathBuf::from("./data"));
        let mut options = Options::new(data);
        options.bind = self.bind.or(file.bind).unwrap_or(options.bind);
        options.public_url = self.public_url.or(file.public_url);
        options.insecure = self.insecure.or(file.insecure).unwrap_or(false);
        options
    }
}

async fn serve(options: Options) -> anyhow::Result<()> {
    let engine = open(options).await?;
    // Not before: until there is an engine to stop in order, a signal ends the process by itself.
    let mut signals = Signals::new()?;
    let (address, public_url) = (format!("http://{}", engine.local_addr()), engine.public_url());
    // Whoever started us waits for this line.
    println!("rehearsal-engine listening on {address}");
    if public_url != address {
        println!("rehearsal-engine reached by others under {public_url}");
    }
    tracing::info!(%address, %public_url, version = env!("CARGO_PKG_VERSION"), "listening");
    let (asked, stop) = tokio::sync::oneshot::channel::<()>();
    let running = engine.run(async {
        // A sender that is gone asks too.
        stop.await.ok();
    });
    let mut running = std::pin::pin!(running);
    runtime::select! {
        ended = running.as_mut() => return Ok(ended?),
        () = signals.terminate() => {}
    }
    tracing::info!("stopping; a second signal ends it at once");
    drop(asked);
    runtime::select! {
        ended = running => Ok(ended?),
        () = signals.terminate() => anyhow::bail!("ended by a second signal"),
    }
}

/// Opens the engine. On a damaged store that is too large to be verified the database may panic: that too is one line,
/// and exit code 1.
#[expect(clippy::disallowed_methods, reason = "nothing is open that a destructor would have to close")]
async fn open(options: Options) -> Result<Engine, OpenError> {
    let data = options.data.clone();
    let former = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().and_then(|text| text.lines().next()).unwrap_or_default();
        eprintln!("rehearsal-engine: the store in {} may be damaged, see `check`: {said}", data.display());
        std::process::exit(1);
    }));
    let engine = Engine::open(options).await;
    panic::set_hook(former);
    engine
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Command, What};
    use super::*;

    fn parse(arguments: &[&str]) -> Serve {
        let command = Command::parse_from([&["rehearsal-engine", "serve"], arguments].concat());
        match command.what {
            What::Serve(serve) => serve,
            What::Check(_) => unreachable!("serve was asked for"),
        }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = || File {
            data: Some("/file".into()),
            public_url: Some("http://file".to_owned()),
            ..File::default()
        };
        let options = parse(&["--data", "/flag"]).options(file());
        assert_eq!(options.data, PathBuf::from("/flag"));
        assert_eq!(options.public_url.as_deref(), Some("http://file"));
        assert_eq!(options.bind, "127.0.0.1:6420".parse().unwrap());
        assert!(!options.insecure);
        assert!(parse(&["--insecure"]).options(file()).insecure);
        let insecure = || File { insecure: Some(true), ..File::default() };
        assert!(parse(&[]).options(insecure()).insecure);
        for no in ["--insecure=false", "--insecure=0"] {
            assert!(!parse(&[no]).options(insecure()).insecure, "{no} wins over the file");
        }
        assert!(parse(&["--insecure=1"]).options(File::default()).insecure);
    }
}
