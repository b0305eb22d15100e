//! The binaries under test: what `cargo build --profile production` makes, in a target folder of their own, so that
//! neither the profile nor the features of the test build leak into them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binaries, built at the first call of each test process. Cargo's own lock lets test processes wait for one
/// another, and a second build finds nothing to do.
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Builds them if they are not there.
    ///
    /// # Panics
    /// When the build fails: its output stands above.
    pub fn built() -> &'static Self {
        static BUILT: OnceLock<Binaries> = OnceLock::new();
        BUILT.get_or_init(|| {
            let root = workspace();
            let target = target_folder().join("gate");
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut command = Command::new(cargo);
            // Build scripts that look at what cargo tells of this package would think that everything has changed.
            let of_this_package = |name: &str| {
                ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"]
                    .iter()
                    .any(|it| name.starts_with(it))
            };
            for (name, _) in
                std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_this_package))
            {
                command.env_remove(name);
            }
            let status = command
                .current_dir(root)
                .args(["build", "--quiet", "--profile", "production"])
                .args(["-p", "rehearsal-host", "-p", "rehearsal-demo", "--bins", "--target-dir"])
                .arg(&target)
                .status()
                .expect("cargo runs, since it runs this test");
            assert!(status.success(), "the production build failed: {status}");
            Self { folder: target.join("production") }
        })
    }

    /// `rehearsal-engine`.
    pub fn engine(&self) -> PathBuf {
        self.folder.join("rehearsal-engine")
    }

    /// `rehearsal-demo`.
    pub fn demo(&self) -> PathBuf {
        self.folder.join("rehearsal-demo")
    }
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the gates lie one folder below the workspace")
}

/// Where cargo builds.
pub fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}
