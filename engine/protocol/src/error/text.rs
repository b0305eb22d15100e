//! User text that the platform repeats: error bodies, crash messages.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::USER_TEXT_BYTES_MAX;

/// The longest beginning of the text that has at most `bytes` bytes and ends between characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Text of an application, cut to [`USER_TEXT_BYTES_MAX`] bytes: enough to know it by, too little to leak a page.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UserText(String);

crate::api::schema::text!(UserText, "text of an application, cut to 512 bytes", None);

impl UserText {
    /// Takes the beginning of the text.
    pub fn new(text: &str) -> Self {
        Self(cut(text, USER_TEXT_BYTES_MAX).to_owned())
    }

    /// What was taken.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for UserText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for UserText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UserText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for UserText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("boom", 10), "boom");
        assert_eq!(cut("boom", 0), "");
        assert_eq!(cut("aüb", 2), "a");
        assert_eq!(cut("aüb", 3), "aü");
        let text = "ü".repeat(USER_TEXT_BYTES_MAX);
        assert_eq!(UserText::new(&text).as_str().len(), USER_TEXT_BYTES_MAX);
        let odd = format!("a{text}");
        assert_eq!(UserText::new(&odd).as_str().len(), USER_TEXT_BYTES_MAX - 1);
    }

    #[test]
    fn text_from_outside_is_cut_too() {
        let json = serde_json::to_string(&"x".repeat(600)).unwrap();
        assert_eq!(serde_json::from_str::<UserText>(&json).unwrap().as_str().len(), USER_TEXT_BYTES_MAX);
    }
}
