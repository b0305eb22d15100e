//! What an actor tells its connections by name.

use std::marker::PhantomData;

/// The name of an event, with the type of what is told: the same constant says how it is told and how it is heard.
pub struct Event<T> {
    name: &'static str,
    what: PhantomData<fn(T) -> T>,
}

impl<T> Event<T> {
    /// An event of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, what: PhantomData }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Event<T> {}

impl<T> std::fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Event").field(&self.name).finish()
    }
}
