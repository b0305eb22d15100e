//! What HTTP libraries ask of a runtime: hyper's executor and timer, and a connector for hyper-util's pooling client.
//!
//! ```
//! use hyper_util::client::legacy::Client;
//! let client = Client::builder(runtime::http::Executor("http client"))
//!     .pool_timer(runtime::http::Timer)
//!     .build::<_, String>(runtime::http::Connector);
//! ```
//!
//! Two traps that this cannot close: give every hyper connection builder [`Timer`] (its default reads the host's
//! clock), and turn hyper's own `Date` header off (`auto_date_header(false)`; it comes from the host's clock).

mod connector;
mod timer;

pub use connector::{ConnectError, Connector, SecureConnector};
pub use timer::Timer;

use std::future::Future;

use hyper::Uri;

/// The host that a URI names, as resolvers and certificates take it: an IPv6 literal stands in brackets in a URI
/// (RFC 3986 §3.2.2), and without them everywhere else.
pub fn host_of(uri: &Uri) -> Option<&str> {
    let host = uri.host().filter(|host| !host.is_empty())?;
    Some(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
}

/// Spawns what hyper wants spawned, under the name it holds.
#[derive(Clone, Copy, Debug)]
pub struct Executor(
    /// The name of the tasks.
    pub &'static str,
);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        drop(crate::spawn(self.0, future));
    }
}
