//! What an engine would be started with, and where each value comes from.

use std::path::PathBuf;

use clap::ArgMatches;
use host::access::TokenSource;
use host::settings::{self, Origin, SETTINGS, Settings};
use host::{Options, masked};

use super::arguments::{self, Arguments};
use super::environment::Environment;
use super::file::File;
use super::log::Format;

/// The effective configuration.
pub(super) struct Effective {
    pub(super) options: Options,
    pub(super) log: String,
    pub(super) log_format: Format,
    /// Values outside of sections, as they are shown; none where nothing is the value.
    pub(super) plain: Vec<(&'static str, Option<Shown>, Origin)>,
    pub(super) settings: Settings,
    /// What is wrong, one line each.
    pub(super) wrong: Vec<String>,
    /// What nobody reads, one line each.
    pub(super) ignored: Vec<String>,
}

/// A value as TOML and JSON have it.
pub(super) enum Shown {
    Text(String),
    Bool(bool),
}

impl Effective {
    /// Puts all sources together: the first of flag, environment, file and default that has a value wins.
    ///
    /// # Errors
    /// When the file cannot be read, or holds what it may not. What is wrong with values is in the result.
    pub(super) fn of(
        arguments: Arguments,
        matches: &ArgMatches,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let file = arguments.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let (settings, mut wrong) = said(&arguments, &file, environment);
        let mut options = Options::new("./data");
        for (origin, error) in settings.apply(&mut options) {
            wrong.push(format!("{origin}: {error}"));
        }
        wrong.extend(settings::conflicts(&options).iter().map(ToString::to_string));
        let pick = Pick { matches, plain: Vec::new() };
        let effective = pick.all(arguments, file, options, settings, wrong, environment.get("RUST_LOG"));
        Ok(Self { ignored: environment.misspelt(), ..effective })
    }

    /// Tells on standard error what nobody reads.
    pub(super) fn warn(&self) {
        for ignored in &self.ignored {
            eprintln!("rehearsal-engine: warning: {ignored}");
        }
    }
}

/// What each source says of settings, and what is wrong with that.
fn said(arguments: &Arguments, file: &File, environment: &Environment) -> (Settings, Vec<String>) {
    let (mut settings, mut wrong) = (Settings::default(), Vec::new());
    let mut say = |origin: Origin, path: &str, value: &str| {
        if let Err(error) = settings.say(origin, path, value) {
            wrong.push(format!("{origin}: {error}"));
        }
    };
    let mut malformed = Vec::new();
    for line in file.settings() {
        match line {
            Ok((path, value)) => say(Origin::File, &path, &value),
            Err(error) => malformed.push(format!("{}: {error}", Origin::File)),
        }
    }
    for setting in SETTINGS {
        if let Some(value) = environment.get(&setting.variable()) {
            say(Origin::Environment, &setting.path(), value);
        }
    }
    for (path, value) in &arguments.set {
        say(Origin::Flag, path, value);
    }
    wrong.append(&mut malformed);
    (settings, wrong)
}

struct Pick<'a> {
    matches: &'a ArgMatches,
    plain: Vec<(&'static str, Option<Shown>, Origin)>,
}

impl Pick<'_> {
    fn all(
        mut self,
        arguments: Arguments,
        file: File,
        mut options: Options,
        settings: Settings,
        wrong: Vec<String>,
        rust_log: Option<&str>,
    ) -> Effective {
        let path = |path: &PathBuf| Shown::Text(path.display().to_string());
        let text = |text: &String| Shown::Text(text.clone());
        let data = self.pick("data", arguments.data, file.data, Some(options.data.clone()), path);
        options.data = data.expect("there is a default");
        let bind = Some(options.bind);
        let bind = self.pick("bind", arguments.bind, file.bind, bind, |it| Shown::Text(it.to_string()));
        options.bind = bind.expect("there is a default");
        let url = |url: &String| Shown::Text(masked(url));
        options.public_url = self.pick("public-url", arguments.public_url, file.public_url, None, url);
        let tokens = self.pick("tokens", arguments.tokens, file.tokens, None, path);
        options.tokens = tokens.map(TokenSource::File);
        let insecure = Some(options.insecure);
        let bool = |it: &bool| Shown::Bool(*it);
        let insecure = self.pick("insecure", arguments.insecure, file.insecure, insecure, bool);
        options.insecure = insecure.expect("there is a default");
        let loopback = Some(options.bind.ip().is_loopback());
        let (flag, said) = (arguments.allow_private_targets, file.allow_private_targets);
        options.private_targets = self.pick("allow-private-targets", flag, said, loopback, bool);
        options.ca_file = self.pick("ca-file", arguments.ca_file, file.ca_file, None, path);
        let rust_log = rust_log.map(ToOwned::to_owned);
        let from_rust = rust_log.clone().filter(|_| arguments.log.is_none() && file.log.is_none());
        let log = self.pick("log", arguments.log, file.log, rust_log.or_else(|| Some("info".into())), text);
        if let (Some(_), Some(last)) = (from_rust, self.plain.last_mut()) {
            last.2 = Origin::Environment;
        }
        let format = |format: &Format| Shown::Text(format.name().to_owned());
        let format =
            self.pick("log-format", arguments.log_format, file.log_format, Some(Format::default()), format);
        Effective {
            options,
            log: log.expect("there is a default"),
            log_format: format.expect("there is a default"),
            plain: self.plain,
            settings,
            wrong,
            ignored: Vec::new(),
        }
    }

    fn pick<T>(
        &mut self,
        name: &'static str,
        flag: Option<T>,
        file: Option<T>,
        default: Option<T>,
        show: impl Fn(&T) -> Shown,
    ) -> Option<T> {
        let said = arguments::origin(self.matches, &name.replace('-', "_"));
        let (value, origin) = match (flag, file) {
            (Some(value), _) => (Some(value), said.unwrap_or(Origin::Flag)),
            (None, Some(value)) => (Some(value), Origin::File),
            (None, None) => (default, Origin::Default),
        };
        self.plain.push((name, value.as_ref().map(show), origin));
        value
    }
}
