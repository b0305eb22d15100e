//! Tells the crate of which commit it is, for failure bundles: `REHEARSAL_COMMIT` if it is set (a tree without git), else
//! what git says, else `unknown`. Debug builds do not ask git: each commit would build the crate anew.

use std::path::Path;
use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn main() {
    println!("cargo::rerun-if-env-changed=REHEARSAL_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let told = std::env::var("REHEARSAL_COMMIT").ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let asked = || git(&["rev-parse", "HEAD"]).filter(|_| is_release);
    let commit = told.or_else(asked).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=REHEARSAL_COMMIT={commit}");
    if !is_release {
        return;
    }
    // Every commit and every checkout writes to this log; in a worktree it lies elsewhere.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
}
