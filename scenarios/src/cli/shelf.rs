//! The folder into which `explore --bundles` puts failures.

use std::path::PathBuf;

use crate::bundle::{Bundle, BundleError, DETERMINISM};
use crate::cli::report::replay_line;
use crate::cli::writable;
use crate::play::{Play, RunOptions, perform};
use crate::search::{Failed, Why};

/// A folder that takes bundles.
pub(super) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// Makes the folder, and sees that it can be written to: a search must not find that out at its first failure.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(folder: PathBuf) -> Result<Self, BundleError> {
        match std::fs::create_dir_all(&folder).and_then(|()| writable::folder(&folder)) {
            Ok(()) => Ok(Self { folder }),
            Err(source) => Err(BundleError::Io { path: folder, source }),
        }
    }

    /// Runs a failure once more, for its story, and writes its bundle. Returns where.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn keep(&self, plays: &[&dyn Play], failed: &Failed) -> Result<PathBuf, BundleError> {
        let play = plays.iter().find(|play| play.name() == failed.play).expect("it was searched");
        let bundle = bundle(*play, failed);
        let path = self.folder.join(bundle.file_name());
        bundle.write(&path)?;
        Ok(path)
    }
}

fn bundle(play: &dyn Play, failed: &Failed) -> Bundle {
    let options = RunOptions { record_streams: play.fault_streams(), ..failed.options.clone() };
    let report = perform(play, failed.seed, &options);
    let law = match &failed.why {
        Why::Law(broken) => broken.law,
        Why::Missed(_) | Why::Diverged(_) | Why::Fresh(_) => DETERMINISM,
    };
    let line = replay_line(failed);
    Bundle::new(failed.play, &failed.options, (law, failed.why.to_string()), &report, line)
}
