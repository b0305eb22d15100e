//! Processes beside this one. They are real ones: a world has none.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::world;

/// What to spawn.
#[derive(Clone, Debug)]
pub struct Command {
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where its output goes, both streams of it; thrown away if none. Appended to if it is there.
    pub log: Option<PathBuf>,
}

/// A process that was spawned. Dropping this ends nothing: it lives on until it is told to end.
#[derive(Debug)]
pub struct Child(tokio::process::Child);

impl Command {
    /// Spawns it, in a process group of its own, so that a Ctrl-C at the terminal is not for it.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::Unsupported`] in a world.
    pub fn spawn(&self) -> io::Result<Child> {
        if world::current().is_some() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let output = || match &self.log {
            Some(path) => File::options().create(true).append(true).open(path).map(Stdio::from),
            None => Ok(Stdio::null()),
        };
        let mut command = tokio::process::Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(output()?).stderr(output()?);
        command.process_group(0).kill_on_drop(false).spawn().map(Child)
    }
}

impl Child {
    /// Its process id; none once its end was seen.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.0.id()
    }

    /// Waits for its end. Again and again the same answer.
    ///
    /// # Errors
    /// What the system says.
    pub async fn exited(&mut self) -> io::Result<ExitStatus> {
        self.0.wait().await
    }

    /// Asks it to end (SIGTERM). One that has ended is left alone.
    ///
    /// # Errors
    /// What the system says.
    pub fn terminate(&self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Ends it (SIGKILL). One that has ended is left alone.
    ///
    /// # Errors
    /// What the system says.
    pub fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        // As long as its end was not seen, its id is nobody else's.
        let pid = self.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(pid.map_or(Ok(()), |pid| kill_process(pid, signal))?)
    }
}
