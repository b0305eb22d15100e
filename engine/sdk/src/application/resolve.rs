//! Where an application's options come from: what its code says, then its environment, then the defaults.
//!
//! Nothing here does IO. The environment is a value; a binary reads its own with [`Environment::of_process`].

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Application, ApplicationOptions, EngineChoice, Mode, SpawnOptions};
use crate::endpoint::{EndpointError, Located};
use crate::registry::Registry;

#[cfg(feature = "embedded")]
use super::Embedded;

/// The variables of a process that an application heeds. Where two names are given, the first one wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

/// Why there are no options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Two engines were chosen.
    #[error("{first} and {second} exclude each other: an application has one engine")]
    Exclusive {
        /// The key of one.
        first: &'static str,
        /// The key of the other.
        second: &'static str,
    },
    /// One thing was said twice, differently: in the endpoint and beside it.
    #[error("the endpoint and {key} name different ones")]
    Contradiction {
        /// The key beside it.
        key: &'static str,
    },
    /// The engine's URL is none.
    #[error("{key}: {source}")]
    Endpoint {
        /// Where it was given.
        key: &'static str,
        /// What is wrong.
        source: EndpointError,
    },
    /// A port is none: 1 to 65535, in digits.
    #[error("{key} is no port from 1 to 65535: {text:?}")]
    Port {
        /// Where it was given.
        key: &'static str,
        /// The text.
        text: String,
    },
    /// A time is none: milliseconds, in digits.
    #[error("{key} is no number of milliseconds: {text:?}")]
    Milliseconds {
        /// Where it was given.
        key: &'static str,
        /// The text.
        text: String,
    },
    /// A mode is none.
    #[error("{key} is neither unset, runner nor serverless: {text:?}")]
    Mode {
        /// Where it was given.
        key: &'static str,
        /// The text.
        text: String,
    },
}

const ENDPOINT: &[&str] = &["REHEARSAL_ENDPOINT"];
const NAMESPACE: &[&str] = &["REHEARSAL_NAMESPACE"];
const TOKEN: &[&str] = &["REHEARSAL_TOKEN"];
const POOL: &[&str] = &["REHEARSAL_POOL"];
/// Upstream's names beside ours from here on.
const PORT: &[&str] = &["REHEARSAL_PORT", "RIVET_PORT"];
const BINARY: &[&str] = &["REHEARSAL_ENGINE_BINARY", "RIVET_ENGINE_BINARY_PATH"];
const CONFIGURE: &[&str] =
    &["REHEARSAL_SERVERLESS_CONFIGURE_TIMEOUT_MS", "RIVET_SERVERLESS_CONFIGURE_TIMEOUT_MS"];
const MODE: &[&str] = &["REHEARSAL_MODE", "RIVETKIT_RUNTIME_MODE"];

impl Environment {
    /// That of this process. Values that are no text count as unset.
    #[must_use]
    pub fn of_process() -> Self {
        let known = [ENDPOINT, NAMESPACE, TOKEN, POOL, PORT, BINARY, CONFIGURE, MODE].concat();
        let value = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        Self(known.into_iter().filter_map(value).collect())
    }

    /// The mode it asks for: that of a runner if it asks for none.
    ///
    /// # Errors
    /// [`ConfigError::Mode`].
    pub fn mode(&self) -> Result<Mode, ConfigError> {
        match self.0.get_key_value(MODE[0]).or_else(|| self.0.get_key_value(MODE[1])) {
            None => Ok(Mode::Runner),
            Some((_, text)) if text == "runner" => Ok(Mode::Runner),
            Some((_, text)) if text == "serverless" => Ok(Mode::Serverless),
            Some((_, text)) => Err(ConfigError::Mode { key: MODE[0], text: text.clone() }),
        }
    }

    /// The first of these that is set, and its name. Empty counts as unset.
    fn get(&self, names: &'static [&'static str]) -> Option<(&'static str, &str)> {
        let set = |name: &&'static str| Some((*name, self.0.get(*name)?.as_str()));
        names.iter().filter_map(set).find(|(_, value)| !value.is_empty())
    }

    fn port(&self) -> Result<Option<u16>, ConfigError> {
        let Some((key, text)) = self.get(PORT) else { return Ok(None) };
        let port = digits::<u16>(text).filter(|port| *port > 0);
        port.map(Some).ok_or_else(|| ConfigError::Port { key, text: text.to_owned() })
    }

    fn configure_timeout(&self) -> Result<Option<Duration>, ConfigError> {
        let Some((key, text)) = self.get(CONFIGURE) else { return Ok(None) };
        let millis = digits(text).map(Duration::from_millis);
        millis.map(Some).ok_or_else(|| ConfigError::Milliseconds { key, text: text.to_owned() })
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A number in digits and nothing else: no sign, no blanks.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Collects what an application is made with.
#[derive(Clone)]
pub struct Builder {
    registry: Registry,
    environment: Environment,
    endpoint: Option<String>,
    spawn: Option<SpawnOptions>,
    #[cfg(feature = "embedded")]
    embedded: Option<Embedded>,
    namespace: Option<String>,
    pool: Option<String>,
    token: Option<String>,
    options: ApplicationOptions,
}

impl Builder {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            registry,
            environment: Environment::default(),
            endpoint: None,
            spawn: None,
            #[cfg(feature = "embedded")]
            embedded: None,
            namespace: None,
            pool: None,
            token: None,
            options: ApplicationOptions::default(),
        }
    }

    /// What is not said here is taken from these variables: the endpoint, namespace, pool and token, the port of the
    /// serverless endpoint, the engine's binary, and how long the pool's configuration is waited for.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Connects to the engine at this URL, which may carry the namespace and the token: `http://namespace:token@host`.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Spawns the engine, unless one runs already.
    #[must_use]
    pub fn spawn(mut self, options: SpawnOptions) -> Self {
        self.spawn = Some(options);
        self
    }

    /// Runs the engine in this process.
    #[cfg(feature = "embedded")]
    #[must_use]
    pub fn embedded(mut self, options: Embedded) -> Self {
        self.embedded = Some(options);
        self
    }

    /// Works in this namespace.
    #[must_use]
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = Some(name.into());
        self
    }

    /// Belongs to this pool.
    #[must_use]
    pub fn pool(mut self, name: impl Into<String>) -> Self {
        self.pool = Some(name.into());
        self
    }

    /// Shows this token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Everything else.
    #[must_use]
    pub fn with(mut self, edit: impl FnOnce(&mut ApplicationOptions)) -> Self {
        edit(&mut self.options);
        self
    }

    /// The application. Nothing has happened yet.
    ///
    /// # Errors
    /// [`ConfigError`], the first of them.
    pub fn build(self) -> Result<Application, ConfigError> {
        let registry = self.registry.clone();
        Ok(Application::new(registry, self.options()?))
    }

    /// What it would be made with.
    ///
    /// # Errors
    /// [`ConfigError`], the first of them.
    pub fn options(mut self) -> Result<ApplicationOptions, ConfigError> {
        let mut options = self.options.clone();
        let located = self.choose(&mut options)?;
        let environment = &self.environment;
        let set = |names| environment.get(names).map(|(_, value)| value.to_owned());
        let (namespace, token) = located.map_or((None, None), |located| (located.namespace, located.token));
        // What the environment says beside an endpoint of its own is said as plainly.
        let namespace = agreed("namespace", self.namespace.or_else(|| set(NAMESPACE)), namespace)?;
        let token = agreed("token", self.token.or_else(|| set(TOKEN)), token)?;
        options.namespace = namespace.unwrap_or(options.namespace);
        options.token = token.or(options.token);
        options.pool = self.pool.or_else(|| set(POOL)).unwrap_or(options.pool);
        if let (None, Some(port)) = (options.serving.listen, environment.port()?) {
            options.serving.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        }
        if let Some(deadline) = environment.configure_timeout()? {
            let before = options.tune_pool.take();
            options.tune_pool = Some(std::sync::Arc::new(move |pool| {
                pool.timings.deadline = deadline;
                if let Some(before) = &before {
                    before(pool);
                }
            }));
        }
        Ok(options)
    }

    /// The engine: what was said here, then the environment's endpoint, then the default.
    fn choose(&mut self, options: &mut ApplicationOptions) -> Result<Option<Located>, ConfigError> {
        let embedded = self.take_embedded();
        let said = [
            self.endpoint.is_some().then_some("endpoint"),
            embedded.is_some().then_some("embedded"),
            self.spawn.is_some().then_some("spawn"),
        ];
        let mut said = said.into_iter().flatten();
        if let (Some(first), Some(second)) = (said.next(), said.next()) {
            return Err(ConfigError::Exclusive { first, second });
        }
        if let Some(engine) = embedded {
            options.engine = engine;
        } else if let Some(mut spawn) = self.spawn.take() {
            let binary = self.environment.get(BINARY).map(|(_, path)| path.into());
            spawn.binary = spawn.binary.or(binary);
            options.engine = EngineChoice::Spawn(spawn);
        } else {
            let said = self.endpoint.as_deref().map(|url| ("endpoint", url));
            if let Some((key, url)) = said.or_else(|| self.environment.get(ENDPOINT)) {
                let located: Located = url.parse().map_err(|source| ConfigError::Endpoint { key, source })?;
                options.engine = EngineChoice::Connect(located.endpoint.clone());
                return Ok(Some(located));
            }
        }
        Ok(None)
    }

    #[cfg(feature = "embedded")]
    fn take_embedded(&mut self) -> Option<EngineChoice> {
        self.embedded.take().map(|embedded| EngineChoice::Embedded(Box::new(embedded)))
    }

    #[cfg(not(feature = "embedded"))]
    const fn take_embedded(&mut self) -> Option<EngineChoice> {
        None
    }
}

/// What was said in the endpoint and beside it, if that is one thing.
fn agreed(
    key: &'static str,
    beside: Option<String>,
    inside: Option<String>,
) -> Result<Option<String>, ConfigError> {
    match (beside, inside) {
        (Some(beside), Some(inside)) if beside != inside => Err(ConfigError::Contradiction { key }),
        (beside, inside) => Ok(beside.or(inside)),
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("registry", &self.registry).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
