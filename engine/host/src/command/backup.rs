//! `rehearsal-engine backup`: copy the store of a running engine into a file.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use host::store::backup::Reading;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, StatusCode, Uri};
use indicatif::{ProgressBar, ProgressStyle};
use runtime::http::Connector;
use url::Url;

/// How long the engine may send nothing. Ours: a disk that is busy answers within.
const SILENCE_MAX: &str = "60s";
/// Most of an error's text that is shown.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Copy the store of a running engine, as it is in one moment, into a file.
///
/// The engine works on meanwhile. Everything that it acknowledged before the backup began is in. The file appears under
/// its name only when all of it is there and was compared with the sum at its end; until then it is FILE.part.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rehearsal-engine backup --to rehearsal-2026-01-31.backup
  rehearsal-engine backup --url http://engine.example:6420 --to /backups/today

Exit codes: 0 the backup is there, 1 it is not (the line says why), 2 the command line is wrong.")]
pub(crate) struct Backup {
    /// The file to make; one that is there is replaced.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Where the engine listens; http only.
    #[arg(long, value_name = "URL", env = "REHEARSAL_URL", default_value = "http://127.0.0.1:6420")]
    url: Url,
    /// A token that may administer the engine; rather in the environment, where other users do not see it.
    #[arg(long, value_name = "TOKEN", env = "REHEARSAL_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// How long the engine may send nothing, from the dial on.
    #[arg(long, value_name = "TIME", default_value = SILENCE_MAX, value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut part = self.to.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let taken = runtime::process::block_on(None, self.take(&part))?;
        let checked = taken.and_then(|bytes| self.check(&part).map(|rows| (bytes, rows)));
        let (bytes, rows) = match checked {
            Ok(checked) => checked,
            Err(error) => {
                // Half a backup is none.
                fs::remove_file(&part).ok();
                return Err(error);
            }
        };
        self.keep(&part).with_context(|| format!("cannot keep {}", self.to.display()))?;
        if self.json {
            println!("{}", serde_json::json!({ "file": self.to, "bytes": bytes, "rows": rows }));
        } else {
            println!("{}: {rows} rows, {bytes} bytes", self.to.display());
        }
        Ok(())
    }

    /// Writes what the engine sends, and makes it durable.
    async fn take(&self, part: &Path) -> anyhow::Result<u64> {
        let cannot = || format!("cannot write {}", part.display());
        let most = self.timeout;
        let response = runtime::timeout(most, self.ask()).await;
        let mut response = response
            .map_err(|_| anyhow::anyhow!("the engine at {} did not answer within {most:?}", self.url))??;
        let mut file = private(part).with_context(cannot)?;
        let bar = bar("{elapsed_precise} {bytes} {bytes_per_sec} {spinner}");
        let mut bytes = 0;
        loop {
            let frame = runtime::timeout(most, response.frame()).await;
            let frame = frame.map_err(|_| anyhow::anyhow!("the engine sent nothing for {most:?}"))?;
            let Some(frame) = frame else { break };
            let frame = frame.context("the engine broke off")?;
            if let Ok(piece) = frame.into_data() {
                file.write_all(&piece).with_context(cannot)?;
                bytes += piece.len() as u64;
                bar.set_position(bytes);
            }
        }
        bar.finish_and_clear();
        file.sync_all().with_context(cannot)?;
        Ok(bytes)
    }

    async fn ask(&self) -> anyhow::Result<hyper::body::Incoming> {
        if self.url.scheme() != "http" {
            bail!("{}: only http is spoken here, run this where the engine is reached by it", self.url);
        }
        let cannot = || format!("cannot reach the engine at {}", self.url);
        let named: Uri = self.url.as_str().parse().with_context(cannot)?;
        let stream = Connector.dial(&named).await.with_context(cannot)?;
        let (mut sender, connection) = http1::handshake(stream).await?;
        drop(runtime::spawn("backup connection", connection));
        let path = format!("{}/admin/backup", self.url.path().trim_end_matches('/'));
        let mut request = Request::get(path).header(HOST, self.url.authority());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        let (head, body) = response.into_parts();
        if head.status != StatusCode::OK {
            let told = http_body_util::Limited::new(body, ERROR_BYTES_MAX).collect().await;
            let told = told.map(|told| told.to_bytes()).unwrap_or_default();
            bail!("the engine refused: {} {}", head.status, String::from_utf8_lossy(&told));
        }
        Ok(body)
    }

    /// Reads it once more, to its end.
    fn check(&self, part: &Path) -> anyhow::Result<u64> {
        let file = File::open(part).with_context(|| format!("cannot read {}", part.display()))?;
        let mut reading = Reading::open(BufReader::new(file)).context("what the engine sent")?;
        let rows = reading.header().rows;
        let bar = bar("{elapsed_precise} {bar:30} {pos}/{len} rows checked");
        bar.set_length(rows);
        while reading.next_row().context("what the engine sent")?.is_some() {
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(rows)
    }

    fn keep(&self, part: &Path) -> std::io::Result<()> {
        fs::rename(part, &self.to)?;
        let folder = self.to.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }
}

/// A new file that only its owner can read: all of the store is in it. What an earlier attempt left there goes.
fn private(path: &Path) -> std::io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A bar that only terminals see.
pub(super) fn bar(template: &str) -> ProgressBar {
    let bar = if stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    bar.with_style(ProgressStyle::with_template(template).expect("the template is well formed"))
}
