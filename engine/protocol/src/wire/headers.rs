//! Headers of a tunnelled request or response.
//!
//! The protocol carries them as a map, so a name comes once. HTTP lets a field come on several lines; [`append`]
//! joins them as RFC 9110 §5.3 allows. `set-cookie` is the exception it names, and the protocol has no room for a
//! second one: the last one stands.
//!
//! [`append`]: Headers::append

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::wire::map::{DoubledKey, Map};

/// Header fields in the order of the wire, each name once. Names are compared without case, and kept as they came.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(Map<String>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(Map::new())
    }

    /// The headers of these entries, in this order and spelling.
    ///
    /// # Errors
    /// When a name comes twice in the same spelling.
    pub fn from_entries(entries: Vec<(String, String)>) -> Result<Self, DoubledKey> {
        Map::from_entries(entries).map(Self)
    }

    /// The value of the first header of this name, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Puts this value under this name, in lower case, in place of what was there.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.find_mut(name) {
            Some(known) => *known = value,
            None => self.0.entries_mut().push((name.to_ascii_lowercase(), value)),
        }
    }

    /// Adds a field line. A second line of a name is joined to the first: cookies with `; ` (RFC 9113 §8.2.3), all
    /// others with `, `; a second `set-cookie` replaces the first.
    pub fn append(&mut self, name: &str, value: &str) {
        let lower = name.to_ascii_lowercase();
        match self.find_mut(&lower) {
            None => self.0.entries_mut().push((lower, value.to_owned())),
            Some(known) if lower == "set-cookie" => value.clone_into(known),
            Some(known) => {
                known.push_str(if lower == "cookie" { "; " } else { ", " });
                known.push_str(value);
            }
        }
    }

    /// Removes every header of this name, in any case.
    pub fn remove(&mut self, name: &str) {
        self.0.entries_mut().retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// The headers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// How many headers.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut String> {
        let entries = self.0.entries_mut().iter_mut();
        entries.into_iter().find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case() {
        let mut headers = Headers::from_entries(vec![("X-Echo".into(), "1".into())]).unwrap();
        assert_eq!(headers.get("x-echo"), Some("1"));
        headers.set("X-ECHO", "2");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("X-Echo", "2")]);
        headers.remove("x-eCHO");
        assert!(headers.is_empty());
    }

    #[test]
    fn lines_of_one_name_are_joined() {
        let mut headers = Headers::new();
        for (name, value) in
            [("Accept", "a"), ("accept", "b"), ("Cookie", "x=1"), ("cookie", "y=2"), ("Set-Cookie", "s=1")]
        {
            headers.append(name, value);
        }
        headers.append("set-cookie", "s=2");
        assert_eq!(headers.get("accept"), Some("a, b"));
        assert_eq!(headers.get("cookie"), Some("x=1; y=2"));
        assert_eq!(headers.get("set-cookie"), Some("s=2"));
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn a_name_that_comes_twice_is_refused() {
        let entries = vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "1".to_owned())];
        assert_eq!(Headers::from_entries(entries), Err(DoubledKey { key: "a".into() }));
    }
}
