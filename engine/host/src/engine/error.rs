//! Why an engine does not start, or ends.

use std::io;
use std::net::SocketAddr;

use machines::control::RestoreError;
use runtime::tls::RootsError;

use crate::access::TokensError;
use crate::store::StoreError;

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tokens cannot be used.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The certificates of the authorities to trust cannot be used.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// Nothing authenticates callers, so only this machine may be one.
    #[error(
        "refusing to listen on {bind}: nothing authenticates callers. Give a file of tokens with --tokens, or pass \
         --insecure to do it all the same"
    )]
    Insecure {
        /// The address.
        bind: SocketAddr,
    },
    /// The public URL is none that others could use.
    #[error("the public URL {text:?} cannot be used: {reason}")]
    PublicUrl {
        /// As it was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Runners would be told to dial an address that is none.
    #[error("{bind} is no address that others can dial: say with --public-url how they reach the engine")]
    NoPublicUrl {
        /// The address.
        bind: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {bind}: {source}")]
    Bind {
        /// The address.
        bind: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Why a running engine ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store cannot be used (any more).
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds what no engine has written.
    #[error("the store holds no state of an engine: {0}")]
    Restore(#[from] RestoreError),
}
