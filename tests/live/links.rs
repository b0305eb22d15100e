//! What the production binaries are made of.

use std::process::Command;

use gates::binaries::workspace;

/// Names of the packages that `package`'s binary links, as cargo resolves them without development dependencies.
fn linked(package: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["tree", "--package", package, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let output = Command::new(cargo).current_dir(workspace()).args(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("package names are text");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn production_links_nothing_of_the_testbed() {
    const TESTBED: [&str; 5] =
        ["rehearsal-sim", "rehearsal-sim-macros", "madsim", "rehearsal-model", "rehearsal-scenarios"];
    for package in ["rehearsal-host", "rehearsal-demo", "rehearsal-sdk"] {
        let linked = linked(package);
        assert!(linked.iter().any(|name| name == "tokio"), "the listing of {package} is one: {linked:?}");
        for name in TESTBED {
            assert!(!linked.iter().any(|other| other == name), "{package} links {name}");
        }
    }
    // The question can be answered with yes.
    assert!(linked("rehearsal-scenarios").iter().any(|name| name == "madsim"));
}
