//! TLS towards others, on real sockets.
//!
//! In a world there is none: a stream of a world stays as it is, behind the same type, so that whoever dials need not
//! know where it runs. Nothing here listens with TLS; a proxy in front does that.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::{TcpStream, disk, world};

/// Whom to trust.
#[derive(Clone, Debug)]
pub struct Roots(RootCertStore);

/// Speaks TLS 1.2 and 1.3 with servers that the roots vouch for. Clones share their sessions.
#[derive(Clone)]
pub struct Client(TlsConnector);

/// Whom to trust beside those that this machine trusts; these are read when TLS is first spoken. Clones share it.
#[derive(Clone, Debug)]
pub struct Trust(Arc<Trusted>);

#[derive(Debug)]
struct Trusted {
    roots: Roots,
    client: OnceCell<Client>,
}

/// A connection to a server: plain, or with TLS.
#[derive(Debug)]
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Why there are no roots.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// A file cannot be read as certificates.
    #[error("cannot read certificates in {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file holds none.
    #[error("{path} holds no certificate in PEM")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Roots {
    /// No roots: nobody is trusted.
    #[must_use]
    pub fn none() -> Self {
        Self(RootCertStore::empty())
    }

    /// Trusts the certificates of a PEM file too.
    ///
    /// # Errors
    /// [`RootsError`].
    pub fn add_file(&mut self, path: &Path) -> Result<(), RootsError> {
        let failed = |reason: String| RootsError::File { path: path.to_owned(), reason };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
        let before = self.0.len();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            self.0.add(certificate).map_err(|error| failed(error.to_string()))?;
        }
        if self.0.len() == before { Err(RootsError::Empty { path: path.to_owned() }) } else { Ok(()) }
    }

    /// Trusts whom this machine trusts too; what it cannot read of that is left out. A world has no TLS, and the files of
    /// its host are none of its own: nobody is added there.
    #[must_use]
    pub async fn with_system(self) -> Self {
        if world::current().is_some() {
            return self;
        }
        disk::blocking(move || {
            let Self(mut roots) = self;
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Self(roots)
        })
        .await
    }
}

impl Client {
    /// Trusts these roots.
    ///
    /// # Panics
    /// Never: the provider knows the default versions.
    #[must_use]
    pub fn new(roots: Roots) -> Self {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the default versions")
            .with_root_certificates(roots.0)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Greets the server, which must have a certificate for `host` (a name, or an address without brackets). It takes as
    /// long as the server lets it: bound it with [`crate::timeout`].
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for what is no host, [`io::ErrorKind::InvalidData`] for a server that is not
    /// trusted or speaks no TLS, and what the connection says.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<Stream> {
        if world::current().is_some() {
            return Ok(Stream::Plain(stream));
        }
        let host = ServerName::try_from(host.to_owned());
        let host =
            host.map_err(|error: InvalidDnsNameError| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Stream::Tls(Box::new(self.0.connect(host, stream).await?)))
    }
}

impl Trust {
    /// Trusts these roots and the system's. Reads nothing yet.
    #[must_use]
    pub fn new(roots: Roots) -> Self {
        Self(Arc::new(Trusted { roots, client: OnceCell::new() }))
    }

    /// What speaks TLS with them.
    pub async fn client(&self) -> &Client {
        let Trusted { roots, client } = &*self.0;
        client.get_or_init(|| async { Client::new(roots.clone().with_system().await) }).await
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::new(Roots::none())
    }
}

/// So that hyper-util's pooling client can keep it.
impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Client").finish_non_exhaustive()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, out),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => AsyncWrite::poll_write(Pin::new(stream), context, data),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, data),
        }
    }
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => AsyncWrite::poll_flush(Pin::new(stream), context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => AsyncWrite::poll_shutdown(Pin::new(stream), context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
