//! An engine as a process, on a data folder that outlives it.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sdk::{Client, Endpoint};
use tempfile::TempDir;

use crate::binaries::Binaries;
use crate::process::{END, Process, free_port};

/// How long a process may take until it says that it is ready. Ours: seconds on a loaded machine.
pub const READY: Duration = Duration::from_secs(30);

/// An engine on a port and a folder of its own.
pub struct Platform {
    /// Removed with the platform, if it is its own.
    _own: Option<TempDir>,
    data: PathBuf,
    port: u16,
    environment: Vec<(&'static str, String)>,
    process: Process,
}

impl Platform {
    /// Starts one on an empty folder.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start() -> Self {
        Self::start_logging("info")
    }

    /// As [`Self::start`], with this filter of the log.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_logging(filter: &str) -> Self {
        let own = TempDir::new().expect("the temporary folder is writable");
        let platform = Self::start_with(own.path(), vec![("REHEARSAL_LOG", filter.to_owned())]);
        Self { _own: Some(own), ..platform }
    }

    /// Starts one on a folder of the caller's.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_on(data: &Path) -> Self {
        Self::start_with(data, Vec::new())
    }

    /// The same, with these variables in its environment.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_with(data: &Path, environment: Vec<(&'static str, String)>) -> Self {
        let port = free_port();
        let process = serve(data, port, &environment);
        Self { _own: None, data: data.to_owned(), port, environment, process }
    }

    /// Memory it has in RAM, in bytes, as Linux tells it.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    pub fn resident_bytes(&self) -> u64 {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).expect("Linux tells it");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        let kib = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of KiB");
        kib * 1024
    }

    /// SIGKILL, and starts it again on the same folder and port.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn kill_and_start(&mut self) {
        self.process.kill();
        self.process = serve(&self.data, self.port, &self.environment);
    }

    /// Waits until the engine says a line that is as wanted, which [`Self::so_far`] then has.
    ///
    /// # Panics
    /// When it does not, within a minute.
    pub fn wait_for_line(&mut self, wanted: &str, is: impl Fn(&str) -> bool) {
        self.process.line(wanted, END, is);
    }

    /// What the engine has said since somebody looked last.
    pub fn so_far(&mut self) -> Vec<String> {
        self.process.so_far()
    }

    /// Starts one that has ended again, on the same folder and port.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn start_again(&mut self) {
        self.process = serve(&self.data, self.port, &self.environment);
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Panics
    /// When it does not end in order.
    pub fn stop(&mut self) {
        self.process.terminate();
        let status = self.process.wait();
        assert!(
            status.success(),
            "a graceful stop ends with success: {status}\n{}",
            self.process.rest().join("\n")
        );
    }

    /// Its folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        let endpoint = Endpoint::from_str(&self.url()).expect("a valid URL");
        Client::new(endpoint, "default", None)
    }
}

fn serve(data: &Path, port: u16, environment: &[(&'static str, String)]) -> Process {
    let bind = format!("127.0.0.1:{port}");
    let folder = data.display().to_string();
    let arguments = ["serve", "--bind", &bind, "--data", &folder];
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut process = Process::start(&Binaries::built().engine(), &arguments, &environment);
    process.line_with("listening", READY);
    process
}
