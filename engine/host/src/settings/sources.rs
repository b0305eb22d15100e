//! Where values come from: the first of flag, environment, file and default that has one.

use std::collections::BTreeMap;
use std::fmt;

use super::{SETTINGS, Setting, SettingError};
use crate::Options;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody said another.
    Default,
    /// The configuration file.
    File,
    /// An environment variable.
    Environment,
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        })
    }
}

/// Settings that somebody said, each by the source that wins.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, (Origin, String)>);

impl Settings {
    /// A source says that the setting of this path has this value. What a stronger source said stays.
    ///
    /// # Errors
    /// [`SettingError::Unknown`].
    pub fn say(&mut self, origin: Origin, path: &str, text: &str) -> Result<(), SettingError> {
        if Setting::by_path(path).is_none() {
            return Err(SettingError::Unknown { setting: path.to_owned(), similar: similar(path) });
        }
        let said = self.0.entry(path.to_owned()).or_insert((Origin::Default, String::new()));
        if said.0 <= origin {
            *said = (origin, text.to_owned());
        }
        Ok(())
    }

    /// Who said the value of this setting.
    #[must_use]
    pub fn origin(&self, setting: &Setting) -> Origin {
        self.0.get(&setting.path()).map_or(Origin::Default, |(origin, _)| *origin)
    }

    /// Puts all of them into the options; what is wrong is left as it was, and told.
    pub fn apply(&self, options: &mut Options) -> Vec<(Origin, SettingError)> {
        let mut wrong = Vec::new();
        for setting in SETTINGS {
            if let Some((origin, text)) = self.0.get(&setting.path())
                && let Err(error) = setting.set(options, text)
            {
                wrong.push((*origin, error));
            }
        }
        wrong
    }
}

/// The name of a setting that is the same elsewhere, or that begins or ends alike.
#[must_use]
pub fn similar(path: &str) -> Option<&'static str> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let alike = |known: &str| known.starts_with(name) || name.starts_with(known) || known.ends_with(name);
    let exact = SETTINGS.iter().find(|setting| setting.name == name);
    let found = exact.or_else(|| SETTINGS.iter().find(|setting| !name.is_empty() && alike(setting.name)));
    found.map(|setting| setting.name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Value;
    use super::*;

    #[test]
    fn the_strongest_source_wins_in_whatever_order_they_speak() {
        let path = "control.lost-threshold";
        let setting = Setting::by_path(path).unwrap();
        let mut settings = Settings::default();
        assert_eq!(settings.origin(setting), Origin::Default);
        settings.say(Origin::Environment, path, "20s").unwrap();
        settings.say(Origin::File, path, "30s").unwrap();
        assert_eq!(settings.origin(setting), Origin::Environment);
        settings.say(Origin::Flag, path, "40s").unwrap();
        let mut options = Options::new("");
        assert_eq!(settings.apply(&mut options), []);
        assert_eq!(options.control.lost_threshold, Duration::from_secs(40));
        assert_eq!(
            (settings.origin(setting), setting.get(&options).to_string()),
            (Origin::Flag, "40s".into())
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_what_would_be_right() {
        let mut settings = Settings::default();
        let unknown = settings.say(Origin::File, "gateway.grace", "3s").unwrap_err();
        assert_eq!(unknown.to_string(), "there is no setting `gateway.grace`: is `grace` meant?");
        assert!(
            settings
                .say(Origin::File, "control.zebra", "3s")
                .unwrap_err()
                .to_string()
                .ends_with("`control.zebra`")
        );
        for (path, text, expected) in [
            (
                "control.grace",
                "3",
                "`control.grace` is a time with its unit, such as \"250ms\", \"15s\" or \"5m\", not \"3\"",
            ),
            ("control.grace", "9h", "`control.grace` must be 0s to 1h, not 9h"),
            ("limits.headers-max", "many", "`limits.headers-max` is a whole number, not \"many\""),
            ("limits.headers-max", "0", "`limits.headers-max` must be 16 to 1000, not 0"),
        ] {
            settings.say(Origin::Flag, path, text).unwrap();
            let mut options = Options::new("");
            let wrong = settings.apply(&mut options);
            assert_eq!(wrong.last().map(|(_, error)| error.to_string()).as_deref(), Some(expected));
            let setting = Setting::by_path(path).unwrap();
            assert_eq!(setting.get(&options), setting.default(), "what is wrong changes nothing");
            settings = Settings::default();
        }
    }

    #[test]
    fn every_setting_takes_its_own_bounds_and_lands_in_its_own_place() {
        let mut places = BTreeMap::new();
        for setting in SETTINGS {
            let (least, most) = setting.bounds();
            let default = setting.default();
            assert!(least <= default && default <= most, "{} is within its bounds", setting.path());
            for value in [least, most] {
                let mut options = Options::new("");
                setting.set(&mut options, &value.to_string()).unwrap();
                assert_eq!(setting.get(&options), value, "{}", setting.path());
                let others = SETTINGS.iter().filter(|other| other.get(&options) != other.default());
                let touched: Vec<String> = others.map(Setting::path).collect();
                assert!(
                    touched.iter().all(|other| *other == setting.path()),
                    "{} touched {touched:?}",
                    setting.path()
                );
            }
            assert!(matches!(
                (least, most),
                (Value::Duration(_), Value::Duration(_)) | (Value::Number(_), Value::Number(_))
            ));
            assert_eq!(places.insert(setting.path(), ()), None, "{} is listed once", setting.path());
            assert!(places.len() <= SETTINGS.len());
        }
    }
}
