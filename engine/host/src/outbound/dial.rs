//! Dialling an application: resolved once, judged, connected to what was judged.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::Uri;
use hyper::http::uri::Scheme;
use runtime::tls::{Client, Roots, RootsError, Stream};
use runtime::{TcpStream, connect_any, resolve};
use tokio::sync::OnceCell;

use super::guard::{self, Forbidden};

/// Why an application could not be dialled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// The URL cannot be dialled at all.
    #[error("the url of the pool cannot be requested: {0}")]
    Url(&'static str),
    /// Its name has no address.
    #[error("cannot resolve {host}: {source}")]
    Resolve { host: String, source: io::Error },
    /// The engine does not dial there.
    #[error("the engine does not dial {host}: {reason}")]
    Forbidden { host: String, reason: Forbidden },
    /// No address accepts; the error is the last one's.
    #[error("cannot connect to {host}: {source}")]
    Connect { host: String, source: io::Error },
    /// The server is not trusted, or speaks no TLS.
    #[error("no secure connection to {host}: {source}")]
    Secure { host: String, source: io::Error },
}

/// What the engine dials with. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Dialler(Arc<Means>);

#[derive(Debug)]
struct Means {
    private: bool,
    /// Those of the operator's file; the system's are added when they are first needed.
    roots: Roots,
    tls: OnceCell<Client>,
}

impl Dialler {
    /// Dials private targets only if allowed; trusts the authorities of this file beside the system's.
    pub(crate) async fn new(private: bool, ca_file: Option<&Path>) -> Result<Self, RootsError> {
        let mut roots = Roots::none();
        if let Some(path) = ca_file {
            roots = with_file(roots, path.to_owned()).await?;
        }
        Ok(Self(Arc::new(Means { private, roots, tls: OnceCell::new() })))
    }

    /// Connects to the server that the URI names.
    pub(crate) async fn dial(&self, uri: &Uri) -> Result<Stream, DialError> {
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(DialError::Url("its scheme is neither http nor https")),
        };
        let host = runtime::http::host_of(uri).ok_or(DialError::Url("it names no host"))?;
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = self.connect(host, port).await?;
        if !secure {
            return Ok(Stream::Plain(stream));
        }
        let secured = self.tls().await.connect(host, stream).await;
        secured.map_err(|source| DialError::Secure { host: host.to_owned(), source })
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        let named = || host.to_owned();
        let addresses =
            resolve(host, port).await.map_err(|source| DialError::Resolve { host: named(), source })?;
        let addresses = guard::allowed(addresses, self.0.private).map_err(|reason| {
            protocol::mark!("target_forbidden");
            DialError::Forbidden { host: named(), reason }
        })?;
        connect_any(addresses).await.map_err(|source| DialError::Connect { host: named(), source })
    }

    async fn tls(&self) -> &Client {
        let roots = &self.0.roots;
        self.0.tls.get_or_init(|| async move { Client::new(roots.clone().with_system().await) }).await
    }
}

async fn with_file(mut roots: Roots, path: PathBuf) -> Result<Roots, RootsError> {
    runtime::disk::blocking(move || roots.add_file(&path).map(|()| roots)).await
}
