//! The environment variables that the command reads, and those that nobody does.

use std::collections::BTreeMap;

use host::settings::{SETTINGS, similar};

/// Environment variables, as the process was given them.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// That of this process, as far as it is text.
    pub(super) fn of_process() -> Self {
        let texts = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(texts).collect())
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// One line for each variable that looks like a setting and is none. They are not refused: others name variables too
    /// (a cluster may set `REHEARSAL_GATEWAY_PORT` for a service of that name).
    pub(super) fn misspelt(&self) -> Vec<String> {
        let is_setting = |name: &str| SETTINGS.iter().any(|setting| setting.variable() == name);
        let names = self.0.keys().filter(|name| !is_setting(name));
        names.filter_map(|name| Some(told(name, path_of(name)?))).collect()
    }
}

/// The path that a variable would set, if it names a section.
fn path_of(name: &str) -> Option<String> {
    let rest = name.strip_prefix("REHEARSAL_")?.to_lowercase();
    let section = SETTINGS.iter().map(|setting| setting.section).find(|section| {
        let begin = section.replace('-', "_");
        rest.strip_prefix(&begin).is_some_and(|name| name.starts_with('_'))
    })?;
    Some(format!("{section}.{}", rest[section.len() + 1..].replace('_', "-")))
}

fn told(name: &str, path: String) -> String {
    let meant = similar(&path).map(|name| format!(": is `{name}` meant?")).unwrap_or_default();
    format!("environment: `{name}` is set, and there is no setting `{path}`{meant}")
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_looks_like_a_setting_and_is_none_is_told() {
        let environment = Environment::from([
            ("HOME", "/"),
            ("REHEARSAL_CONTROL_GRACE", "8s"),
            ("REHEARSAL_CONTROL_HEADERS_MAX", "50"),
            ("REHEARSAL_CONTROLLER", "x"),
            ("REHEARSAL_LIMITS_ZEBRA", "3"),
            ("REHEARSAL_LOG_FORMAT", "json"),
        ]);
        assert_eq!(
            environment.misspelt(),
            [
                "environment: `REHEARSAL_CONTROL_HEADERS_MAX` is set, and there is no setting `control.headers-max`: is `headers-max` meant?",
                "environment: `REHEARSAL_LIMITS_ZEBRA` is set, and there is no setting `limits.zebra`",
            ]
        );
    }
}
