//! Which actors an application can host.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use protocol::limits::NAME_BYTES_MAX;
use protocol::wire::{ActorName, Map};

use crate::actor::Actor;
use crate::actor::subject::{Kind, Made};

/// The actors of an application, by name. Clones share it; making one starts nothing.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    actors: BTreeMap<String, Arc<dyn Kind>>,
    /// Whether clients are told what fails inside an actor.
    exposes: bool,
}

/// Collects actors for a [`Registry`].
#[derive(Default)]
pub struct Builder {
    actors: BTreeMap<String, Arc<dyn Kind>>,
    exposes: Option<bool>,
    error: Option<RegistryError>,
}

/// Why a registry cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It has no actor.
    #[error("a registry without actors")]
    Empty,
    /// Two actors have one name.
    #[error("two actors are named {name:?}")]
    Twice {
        /// The name.
        name: String,
    },
    /// A name is empty or longer than [`NAME_BYTES_MAX`] bytes.
    #[error("the actor name {name:?} is empty or longer than {NAME_BYTES_MAX} bytes")]
    Name {
        /// The name.
        name: String,
    },
}

impl Registry {
    /// Begins a registry.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The names of its actors, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.actors.keys().map(String::as_str)
    }

    /// The actors of this name.
    pub(crate) fn kind(&self, name: &str) -> Option<Arc<dyn Kind>> {
        self.0.actors.get(name).cloned()
    }

    /// Whether clients are told what fails inside an actor.
    pub(crate) fn exposes(&self) -> bool {
        self.0.exposes
    }

    /// Its names as a runner tells them to the engine.
    pub(crate) fn wire_names(&self) -> Map<ActorName> {
        let names = self.names().map(|name| (name.to_owned(), ActorName { metadata: "{}".to_owned() }));
        Map::from_entries(names.collect()).expect("the keys of a map are distinct")
    }
}

impl Builder {
    /// Adds an actor: `make` is called for each start of each instance.
    #[must_use]
    pub fn actor<A: Actor>(
        mut self,
        name: impl Into<String>,
        make: impl Fn() -> A + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            self.error.get_or_insert(RegistryError::Name { name });
            return self;
        }
        if self.actors.insert(name.clone(), Arc::new(Made::new(make))).is_some() {
            self.error.get_or_insert(RegistryError::Twice { name });
        }
        self
    }

    /// Whether clients are told what fails inside an actor, instead of "an internal error occurred": for development.
    /// Default: whether `REHEARSAL_EXPOSE_ERRORS` (or upstream's `RIVET_EXPOSE_ERRORS`) is `1`.
    #[must_use]
    pub const fn expose_errors(mut self, exposes: bool) -> Self {
        self.exposes = Some(exposes);
        self
    }

    /// The registry.
    ///
    /// # Errors
    /// [`RegistryError`], the first of them.
    pub fn build(self) -> Result<Registry, RegistryError> {
        match self.error {
            Some(error) => Err(error),
            None if self.actors.is_empty() => Err(RegistryError::Empty),
            None => Ok(Registry(Arc::new(Inner {
                actors: self.actors,
                exposes: self.exposes.unwrap_or_else(exposes_by_environment),
            }))),
        }
    }
}

/// What the environment says of errors inside an actor.
fn exposes_by_environment() -> bool {
    ["REHEARSAL_EXPOSE_ERRORS", "RIVET_EXPOSE_ERRORS"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| value == "1"))
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.actors.keys()).finish()
    }
}
