//! One child process: started, watched through its lines, killed at the latest when dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long a process may take to end. Ours: a graceful stop is bounded by seconds, on a loaded machine too.
pub const END: Duration = Duration::from_secs(60);

/// Lines that a process whose test fails is quoted with. Ours: what a reader of a log takes in.
const LAST_LINES: usize = 40;

/// A running child. Its standard output and error are read line by line.
pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    /// Starts a program with arguments and environment.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start(program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(environment.iter().copied());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let (sender, lines) = channel();
        read_lines(child.stdout.take().expect("stdout is piped"), sender.clone());
        read_lines(child.stderr.take().expect("stderr is piped"), sender);
        Self { name: program.display().to_string(), child, lines, seen: Vec::new() }
    }

    /// The first line that contains `text`, within `limit`.
    ///
    /// # Panics
    /// When it does not come; the message holds what came instead.
    pub fn line_with(&mut self, text: &str, limit: Duration) -> String {
        self.line(text, limit, |line| line.contains(text))
    }

    /// The first line that is as wanted, within `limit`; `wanted` says what that is.
    ///
    /// # Panics
    /// As [`Self::line_with`].
    pub fn line(&mut self, wanted: &str, limit: Duration, is: impl Fn(&str) -> bool) -> String {
        let begun = runtime::now();
        loop {
            match self.lines.recv_timeout(limit.saturating_sub(begun.elapsed())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if is(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    // Taken, so that it is not quoted once more when this is dropped.
                    let said = std::mem::take(&mut self.seen);
                    panic!("{}: no line with {wanted:?}; it said:\n{}", self.name, said.join("\n"))
                }
            }
        }
    }

    /// What it has said since somebody looked last.
    pub fn so_far(&mut self) -> Vec<String> {
        self.seen.extend(self.lines.try_iter());
        std::mem::take(&mut self.seen)
    }

    /// All lines, once it has ended.
    pub fn rest(&mut self) -> Vec<String> {
        self.seen.extend(self.lines.iter());
        std::mem::take(&mut self.seen)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits until the kernel has taken it away.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child that was not waited for can be killed");
        self.child.wait().expect("a killed child can be waited for");
    }

    /// SIGTERM; does not wait.
    ///
    /// # Panics
    /// When there is no `kill` program.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status().expect("`kill` is a POSIX program");
        assert!(status.success(), "cannot signal process {id}");
    }

    /// Waits for its end, which must come within [`END`].
    ///
    /// # Panics
    /// When it does not.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = runtime::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(begun.elapsed() < END, "{} does not end", self.name);
            pause();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Whose test fails tells what it said last: on a machine that is not ours there is nothing else to read.
        if std::thread::panicking() {
            let said = self.so_far();
            let last = &said[said.len().saturating_sub(LAST_LINES)..];
            eprintln!("{} said last:\n{}", self.name, last.join("\n"));
        }
        // It may have ended by itself: then there is nothing to kill.
        if self.child.kill().is_ok() {
            self.child.wait().expect("a killed child can be waited for");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a real process is waited for on a real thread")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

#[expect(clippy::disallowed_methods, reason = "a pipe of a real process is read on a real thread")]
fn read_lines(pipe: impl std::io::Read + Send + 'static, sender: std::sync::mpsc::Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

/// A port that was free a moment ago.
///
/// # Panics
/// When the kernel has none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}
