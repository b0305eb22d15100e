//! `rehearsal-engine config`, as a process.

use std::process::{Command, Output};

fn config(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal-engine"));
    command.arg("config").args(arguments).env_clear().envs(environment.iter().copied());
    command.output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn what_can_be_used_is_exit_code_0_and_what_cannot_is_1_with_every_reason() {
    let good = config(&["check"], &[]);
    assert_eq!(
        (good.status.code(), lines(&good.stdout)),
        (Some(0), vec!["the configuration can be used".into()])
    );
    let bad = config(
        &[
            "check",
            "--bind",
            "0.0.0.0:6420",
            "--tokens",
            "/nowhere",
            "--set",
            "control.grace=16s",
            "--set",
            "x.y=1",
        ],
        &[("REHEARSAL_GATEWAY_FAIL_FAST", "soon")],
    );
    let errors = lines(&bad.stderr);
    assert_eq!((bad.status.code(), errors.len()), (Some(1), 5), "{errors:#?}");
    assert!(errors.iter().all(|line| line.starts_with("rehearsal-engine: ")), "{errors:#?}");
    for part in [
        "no setting `x.y`",
        "`gateway.fail-fast`",
        "`control.grace` (16s)",
        "token file /nowhere",
        "--public-url",
    ] {
        assert!(errors.iter().any(|line| line.contains(part)), "{part}: {errors:#?}");
    }
    let file = config(&["check", "--config", "/nowhere"], &[]);
    assert_eq!((file.status.code(), lines(&file.stderr).len()), (Some(1), 1));
}

#[test]
fn the_effective_configuration_is_printed_for_people_and_for_scripts() {
    let environment = [("REHEARSAL_CONTROL_GRACE", "4s")];
    let printed = config(&["print", "--data", "/d"], &environment);
    let text = lines(&printed.stdout).join("\n");
    let table: toml::Table = text.parse().unwrap();
    assert_eq!((table["data"].as_str(), table["control"]["grace"].as_str()), (Some("/d"), Some("4s")));
    let printed = config(&["print", "--data", "/d", "--json"], &environment);
    let json: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(json["data"], serde_json::json!({"value": "/d", "origin": "flag"}));
    assert_eq!(json["control"]["grace"], serde_json::json!({"value": "4s", "origin": "environment"}));
}
