//! `rehearsal-engine config print`: the effective configuration.

use std::fmt::Write as _;

use clap::{ArgMatches, Args};
use host::settings::{SETTINGS, Value};
use serde_json::{Map, json};

use super::super::arguments::Arguments;
use super::super::effective::{Effective, Shown};
use super::super::environment::Environment;

/// Column in which the origin of a value is said.
const ORIGIN_COLUMN: usize = 44;

/// Print every value with where it comes from: a flag, the environment, the file, or the default.
///
/// The output is a configuration file. No secret is in it: tokens are in a file of their own, which is named only.
#[derive(Debug, Args)]
pub(super) struct Print {
    /// As JSON: each value an object of `value` and `origin`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    arguments: Arguments,
}

impl Print {
    pub(super) fn run(self, matches: &ArgMatches) -> anyhow::Result<()> {
        let effective = Effective::of(self.arguments, matches, &Environment::of_process())?;
        effective.warn();
        for error in &effective.wrong {
            eprintln!("rehearsal-engine: {error}");
        }
        if self.json {
            println!("{:#}", as_json(&effective));
        } else {
            print!("{}", as_toml(&effective));
        }
        Ok(())
    }
}

fn as_toml(effective: &Effective) -> String {
    let mut text = String::new();
    let mut line = |value: String, origin: &dyn std::fmt::Display| {
        writeln!(text, "{value:<ORIGIN_COLUMN$} # {origin}").expect("a string takes everything");
    };
    for (name, value, origin) in &effective.plain {
        match value {
            Some(Shown::Text(value)) => {
                line(format!("{name} = {}", toml::Value::from(value.as_str())), origin)
            }
            Some(Shown::Bool(value)) => line(format!("{name} = {value}"), origin),
            None => line(format!("# {name}"), &"not set"),
        }
    }
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            writeln!(text, "\n[{section}]").expect("a string takes everything");
        }
        let value = match setting.get(&effective.options) {
            value @ Value::Duration(_) => format!("\"{value}\""),
            value @ Value::Number(_) => value.to_string(),
        };
        let origin = effective.settings.origin(setting);
        writeln!(text, "{:<ORIGIN_COLUMN$} # {origin}", format!("{} = {value}", setting.name))
            .expect("a string takes everything");
    }
    text
}

fn as_json(effective: &Effective) -> serde_json::Value {
    let mut all = Map::new();
    for (name, value, origin) in &effective.plain {
        let value = match value {
            Some(Shown::Text(value)) => json!(value),
            Some(Shown::Bool(value)) => json!(value),
            None => json!(null),
        };
        all.insert((*name).to_owned(), json!({"value": value, "origin": origin.to_string()}));
    }
    for setting in SETTINGS {
        let value = match setting.get(&effective.options) {
            value @ Value::Duration(_) => json!(value.to_string()),
            Value::Number(value) => json!(value),
        };
        let origin = effective.settings.origin(setting).to_string();
        let section = all.entry(setting.section).or_insert_with(|| json!({}));
        section[setting.name] = json!({"value": value, "origin": origin});
    }
    all.into()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::super::super::file::File;
    use super::super::super::{Command, leaf};
    use super::*;

    /// The configuration that `serve` would have with these arguments, environment and file.
    fn effective<const N: usize>(
        arguments: &[&str],
        environment: [(&str, &str); N],
        file: &str,
    ) -> Effective {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.toml");
        std::fs::write(&path, file).unwrap();
        let begin = ["rehearsal-engine", "config", "print", "--config", path.to_str().unwrap()];
        let matches = Command::command().try_get_matches_from(begin.iter().chain(arguments)).unwrap();
        let leaf = leaf(&matches);
        let arguments = Arguments::from_arg_matches(leaf).unwrap();
        Effective::of(arguments, leaf, &Environment::from(environment)).unwrap()
    }

    #[test]
    fn each_value_is_shown_with_where_it_comes_from() {
        let file = "data = '/file'\ninsecure = true\n[control]\ngrace = '7s'\nping-interval = '4s'\n";
        let environment =
            [("REHEARSAL_CONTROL_GRACE", "8s"), ("REHEARSAL_LIMITS_HEADERS_MAX", "50"), ("RUST_LOG", "warn")];
        let arguments =
            ["--data", "/flag", "--set", "limits.headers-max=60", "--set", "gateway.fail-fast=1s 500ms"];
        let shown = effective(&arguments, environment, file);
        assert_eq!(shown.wrong, Vec::<String>::new());
        let text = as_toml(&shown);
        for (value, origin) in [
            ("data = \"/flag\"", "flag"),
            ("insecure = true", "file"),
            ("bind = \"127.0.0.1:6420\"", "default"),
            ("# tokens", "not set"),
            ("log = \"warn\"", "environment"),
            ("log-format = \"text\"", "default"),
            ("grace = \"8s\"", "environment"),
            ("ping-interval = \"4s\"", "file"),
            ("headers-max = 60", "flag"),
            ("fail-fast = \"1s 500ms\"", "flag"),
            ("lost-threshold = \"15s\"", "default"),
        ] {
            let line = format!("{value:<44} # {origin}");
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        let json = as_json(&shown);
        assert_eq!(json["control"]["grace"], json!({"value": "8s", "origin": "environment"}));
        assert_eq!(json["limits"]["headers-max"], json!({"value": 60, "origin": "flag"}));
        assert_eq!(json["tokens"], json!({"value": null, "origin": "default"}));
        // What is printed is a file that says the same.
        let again = effective(&[], [], &text);
        assert_eq!(again.wrong, Vec::<String>::new());
        assert!(SETTINGS.iter().all(|it| it.get(&again.options) == it.get(&shown.options)));
        File::parse(&text).unwrap();
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_who_said_it() {
        let file = "[control]\ngrace = '20s'\nnope = 1\n[limits]\nheaders-max = true\n";
        let shown =
            effective(&["--set", "gateway.attempts-max=0"], [("REHEARSAL_CONTROL_INIT_TIMEOUT", "5")], file);
        let mut wrong = shown.wrong;
        wrong.sort();
        assert_eq!(wrong.len(), 5, "{wrong:#?}");
        assert!(
            wrong[0].starts_with("`control.grace` (20s) must be less than `control.lost-threshold` (15s)")
        );
        assert!(wrong[1].starts_with("environment: `control.init-timeout` is a time with its unit"));
        assert_eq!(wrong[2], "file: `limits.headers-max` is neither a text nor a whole number");
        assert_eq!(wrong[3], "file: there is no setting `control.nope`");
        assert_eq!(wrong[4], "flag: `gateway.attempts-max` must be 1 to 100, not 0");
    }

    #[test]
    fn no_password_is_shown() {
        let shown = effective(&["--public-url", "http://me:s3cret@engine"], [], "");
        let text = as_toml(&shown) + &as_json(&shown).to_string();
        assert!(text.contains("http://***@engine") && !text.contains("s3cret"), "{text}");
    }
}
