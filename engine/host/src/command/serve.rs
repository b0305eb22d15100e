//! `rehearsal-engine serve`: run the engine.

use std::panic;

use clap::{ArgMatches, Args};
use host::{Engine, OpenError, Options};
use runtime::signals::Signals;

use super::arguments::Arguments;
use super::effective::Effective;
use super::environment::Environment;
use super::log;

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
  rehearsal-engine serve --tokens /etc/rehearsal/tokens.toml --bind 0.0.0.0:6420 --public-url http://engine.example:6420

The file holds the same names without dashes in front, as TOML:
  bind = \"127.0.0.1:6420\"
  data = \"/var/lib/rehearsal\"
  log-format = \"json\"")]
pub(crate) struct Serve {
    #[command(flatten)]
    arguments: Arguments,
}

impl Serve {
    pub(super) fn run(self, matches: &ArgMatches) -> anyhow::Result<()> {
        let effective = Effective::of(self.arguments, matches, &Environment::of_process())?;
        if !effective.wrong.is_empty() {
            anyhow::bail!("{}", effective.wrong.join("; "));
        }
        log::begin(&effective.log, effective.log_format)?;
        for ignored in &effective.ignored {
            tracing::warn!("{ignored}");
        }
        runtime::process::block_on(None, serve(effective.options))?
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
    use std::path::PathBuf;

    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::super::{Command, leaf};
    use super::*;

    fn options(arguments: &[&str], file: &str) -> Options {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.toml");
        std::fs::write(&path, file).unwrap();
        let begin = ["rehearsal-engine", "serve", "--config", path.to_str().unwrap()];
        let matches = Command::command().try_get_matches_from(begin.iter().chain(arguments)).unwrap();
        let arguments = Arguments::from_arg_matches(leaf(&matches)).unwrap();
        let effective = Effective::of(arguments, leaf(&matches), &Environment::default()).unwrap();
        assert_eq!(effective.wrong, Vec::<String>::new());
        effective.options
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = "data = '/file'\npublic-url = 'http://file'\n";
        let given = options(&["--data", "/flag"], file);
        assert_eq!(given.data, PathBuf::from("/flag"));
        assert_eq!(given.public_url.as_deref(), Some("http://file"));
        assert_eq!(given.bind, "127.0.0.1:6420".parse().unwrap());
        assert!(!given.insecure);
        assert!(options(&["--insecure"], file).insecure);
        let insecure = "insecure = true";
        assert!(options(&[], insecure).insecure);
        for no in ["--insecure=false", "--insecure=0"] {
            assert!(!options(&[no], insecure).insecure, "{no} wins over the file");
        }
        assert!(options(&["--insecure=1"], "").insecure);
    }
}
