//! The tokens there are: parsed, hashed, compared.

use std::fmt;

use protocol::tchar::is_tchar;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use super::{Scope, Scopes};

/// Bytes of a token. At least 16: what is shorter can be guessed. At most what a header in a runner configuration
/// could hold several times over.
const BYTES: std::ops::RangeInclusive<usize> = 16..=512;
/// Tokens in all. Ours: each request is compared with every one, and a rotation needs two of each.
const TOKENS_MAX: usize = 64;

/// Something that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The tokens an engine knows. Only their hashes are kept, and the one that is handed on to applications.
#[derive(Clone)]
pub struct Tokens {
    known: Vec<([u8; 32], Scope)>,
    runner: Option<Secret>,
}

/// What a token file says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(default)]
    admin: Vec<String>,
    #[serde(default)]
    runner: Vec<String>,
    #[serde(default)]
    gateway: Vec<String>,
}

/// Why a text holds no tokens. It never holds what the text did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokensInvalid {
    /// It is not what a token file is.
    #[error("line {line}: it must hold lists of strings, named admin, runner and gateway, and nothing else")]
    Malformed {
        /// The first line that is wrong.
        line: usize,
    },
    /// A token is too short to be one, or too long.
    #[error("{} token {position} has {length} bytes: it must have {} to {}", scope.name(), BYTES.start(), BYTES.end())]
    Length {
        /// Its scope.
        scope: Scope,
        /// Its place in the list of its scope, from 1.
        position: usize,
        /// Its bytes.
        length: usize,
    },
    /// A token has characters that not every place of a request can carry.
    #[error("{} token {position}: letters, digits and !#$%&'*+-.^_`|~ can be used", scope.name())]
    Characters {
        /// Its scope.
        scope: Scope,
        /// Its place in the list of its scope, from 1.
        position: usize,
    },
    /// Nobody could operate the engine.
    #[error("it lists no admin token")]
    NoAdmin,
    /// There are more than every request should be compared with.
    #[error("it lists {count} tokens: at most {TOKENS_MAX}")]
    TooMany {
        /// How many.
        count: usize,
    },
}

impl Tokens {
    /// Reads the text of a token file: TOML, with a list of tokens for each scope.
    ///
    /// # Errors
    /// [`TokensInvalid`].
    pub fn parse(text: &str) -> Result<Self, TokensInvalid> {
        let listed: Listed = toml::from_str(text).map_err(|error| {
            let end = error.span().map_or(0, |span| span.start);
            let before = text.get(..end).unwrap_or_default();
            TokensInvalid::Malformed { line: 1 + before.matches('\n').count() }
        })?;
        Self::listed(&[
            (Scope::Admin, listed.admin),
            (Scope::Runner, listed.runner),
            (Scope::Gateway, listed.gateway),
        ])
    }

    fn listed(lists: &[(Scope, Vec<String>)]) -> Result<Self, TokensInvalid> {
        let count = lists.iter().map(|(_, tokens)| tokens.len()).sum();
        if count > TOKENS_MAX {
            return Err(TokensInvalid::TooMany { count });
        }
        let (mut known, mut runner) = (Vec::new(), None);
        for (scope, tokens) in lists {
            for (index, token) in tokens.iter().enumerate() {
                let (scope, position, length) = (*scope, index + 1, token.len());
                if !BYTES.contains(&length) {
                    return Err(TokensInvalid::Length { scope, position, length });
                }
                // The narrowest place is the name of a WebSocket subprotocol.
                if !token.bytes().all(is_tchar) {
                    return Err(TokensInvalid::Characters { scope, position });
                }
                if scope == Scope::Runner && runner.is_none() {
                    runner = Some(Secret(token.clone()));
                }
                known.push((hash(token), scope));
            }
        }
        if !known.iter().any(|(_, scope)| *scope == Scope::Admin) {
            return Err(TokensInvalid::NoAdmin);
        }
        Ok(Self { known, runner })
    }

    /// What the bearer of this may do. It takes as long for a good guess as for a bad one: hashes have one length, each
    /// is compared whole, and all of them are.
    #[must_use]
    pub fn grant(&self, presented: &str) -> Scopes {
        let presented = hash(presented);
        let mut bits = 0;
        for (known, scope) in &self.known {
            bits |= u8::conditional_select(&0, &scope.bit(), known.ct_eq(&presented));
        }
        Scopes::from_bits(bits)
    }

    /// The token that serverless applications are started with: the first one for runners.
    #[must_use]
    pub fn runner(&self) -> Option<&Secret> {
        self.runner.as_ref()
    }

    fn count(&self, scope: Scope) -> usize {
        self.known.iter().filter(|(_, of)| *of == scope).count()
    }
}

impl Secret {
    /// What is not to be shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Scope::ALL.map(|scope| (scope.name(), self.count(scope)));
        out.debug_map().entries(counts).finish()
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
admin = ['admin-token-of-2026']
runner = ['runner-token-new-1', 'runner-token-old-0']
gateway = ['gateway-token-0001', 'runner-token-old-0']
";

    #[test]
    fn a_token_grants_what_it_is_listed_under() {
        let tokens = Tokens::parse(FILE).unwrap();
        let bits = |scopes: &[Scope]| Scopes::from_bits(scopes.iter().map(|scope| scope.bit()).sum());
        assert_eq!(tokens.grant("admin-token-of-2026"), bits(&[Scope::Admin]));
        assert_eq!(tokens.grant("runner-token-new-1"), bits(&[Scope::Runner]));
        assert_eq!(tokens.grant("runner-token-old-0"), bits(&[Scope::Runner, Scope::Gateway]));
        for wrong in ["", "admin-token-of-202", "admin-token-of-20266", "ADMIN-TOKEN-OF-2026"] {
            assert!(tokens.grant(wrong).is_empty(), "{wrong}");
        }
        assert_eq!(tokens.runner().unwrap().expose(), "runner-token-new-1", "applications get the first");
    }

    #[test]
    fn what_is_no_token_file_is_refused_without_repeating_it() {
        let refusal = |text: &str| Tokens::parse(text).unwrap_err();
        assert_eq!(refusal("runner = ['runner-token-new-1']"), TokensInvalid::NoAdmin);
        assert_eq!(refusal(""), TokensInvalid::NoAdmin);
        let admin = "admin = ['admin-token-of-2026']\n";
        assert_eq!(refusal(&format!("{admin}nope = ['s3cret']")), TokensInvalid::Malformed { line: 2 });
        assert_eq!(refusal("\n\nadmin = 's3cret-s3cret-s3cret'"), TokensInvalid::Malformed { line: 3 });
        let short = TokensInvalid::Length { scope: Scope::Runner, position: 1, length: 6 };
        assert_eq!(refusal(&format!("{admin}runner = ['s3cret']")), short);
        let odd = TokensInvalid::Characters { scope: Scope::Gateway, position: 1 };
        assert_eq!(refusal(&format!("{admin}gateway = ['s3cret s3cret s3cret']")), odd);
        let many = format!("admin = [{}]", "'s3cret-s3cret-s3cret',".repeat(65));
        assert_eq!(refusal(&many), TokensInvalid::TooMany { count: 65 });
        for error in [short, odd, TokensInvalid::Malformed { line: 2 }] {
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
        assert_eq!(
            TokensInvalid::Length { scope: Scope::Runner, position: 1, length: 6 }.to_string(),
            "runner token 1 has 6 bytes: it must have 16 to 512"
        );
    }

    #[test]
    fn nothing_shows_a_token() {
        let tokens = Tokens::parse(FILE).unwrap();
        let shown = format!("{tokens:?} {:?}", tokens.runner());
        assert_eq!(shown, r#"{"admin": 1, "runner": 2, "gateway": 2} Some(***)"#);
    }
}
