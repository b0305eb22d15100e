//! What becomes of a token file that was read again.

use std::sync::Arc;

use super::{Tokens, TokensError};

/// Keeps the tokens that count. A file that cannot be read, or holds none, changes nothing: an engine that locks
/// everybody out because of a slip of the pen helps nobody, and the file that removes a token must be right to do it.
#[derive(Debug)]
pub(super) struct Keeper {
    tokens: Arc<Tokens>,
    /// What the file held when it was last read in order.
    text: String,
    /// What was wrong at the last look.
    complaint: Option<String>,
}

/// What a look at the file led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing new.
    Same,
    /// From here on the tokens in the file count.
    Replaced,
    /// The file is wrong, and was not at the last look or in another way: those from before count.
    Kept {
        /// What is wrong.
        complaint: String,
    },
    /// The file is wrong as it was at the last look.
    StillKept,
}

impl Keeper {
    /// Begins with the tokens of this text.
    ///
    /// # Errors
    /// [`TokensError`], as for every file that holds none.
    pub(super) fn new(text: String) -> Result<Self, TokensError> {
        Ok(Self { tokens: Arc::new(Tokens::parse(&text)?), text, complaint: None })
    }

    /// The tokens that count.
    #[must_use]
    pub(super) fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens)
    }

    /// The file was read again.
    pub(super) fn look(&mut self, read: Result<String, TokensError>) -> Look {
        let parsed = read.and_then(|text| {
            let tokens = if text == self.text { None } else { Some(Tokens::parse(&text)?) };
            Ok((text, tokens))
        });
        match parsed {
            Ok((_, None)) => {
                self.complaint = None;
                Look::Same
            }
            Ok((text, Some(tokens))) => {
                *self = Self { tokens: Arc::new(tokens), text, complaint: None };
                Look::Replaced
            }
            Err(error) => {
                let complaint = error.to_string();
                if self.complaint.as_ref() == Some(&complaint) {
                    return Look::StillKept;
                }
                self.complaint = Some(complaint.clone());
                Look::Kept { complaint }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(admin: &str) -> String {
        format!("admin = ['{admin}']")
    }

    #[test]
    fn tokens_are_replaced_by_a_file_that_is_right_and_by_no_other() {
        let (old, new) = ("old-token-of-admin", "new-token-of-admin");
        let mut keeper = Keeper::new(file(old)).unwrap();
        let knows = |keeper: &Keeper, token: &str| !keeper.tokens().grant(token).is_empty();
        assert_eq!(keeper.look(Ok(file(old))), Look::Same);
        let Look::Kept { complaint } = keeper.look(Ok("admin = []".into())) else { panic!("it is wrong") };
        assert_eq!(complaint, "the token file lists none that can be used: it lists no admin token");
        assert_eq!(keeper.look(Ok("admin = []".into())), Look::StillKept, "it is told once");
        assert!(matches!(keeper.look(Ok("nope".into())), Look::Kept { .. }), "and again where it changes");
        assert!(knows(&keeper, old));
        assert_eq!(keeper.look(Ok(format!("admin = ['{old}', '{new}']"))), Look::Replaced);
        assert!(knows(&keeper, old) && knows(&keeper, new), "both count while a token is rotated");
        assert_eq!(keeper.look(Ok(file(new))), Look::Replaced);
        assert!(!knows(&keeper, old) && knows(&keeper, new));
        assert!(matches!(keeper.look(Ok("nope".into())), Look::Kept { .. }));
        assert_eq!(keeper.look(Ok(file(new))), Look::Same);
        assert!(matches!(keeper.look(Ok("nope".into())), Look::Kept { .. }), "it had been right in between");
        assert!(Keeper::new("nope".into()).is_err());
    }
}
