//! Dialling for hyper-util's pooling client.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper_util::rt::TokioIo;

use super::host_of;
use crate::tls::{Stream, Trust};
use crate::{TcpStream, connect_any, resolve};

/// Why a URI could not be dialled.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It names no host.
    #[error("the URI names no host")]
    NoHost,
    /// Its scheme is not `http`.
    #[error("the scheme {scheme:?} cannot be dialled, only http can")]
    Scheme {
        /// What it is.
        scheme: String,
    },
    /// Its host has no address.
    #[error("cannot resolve {host}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver says.
        #[source]
        source: io::Error,
    },
    /// None of its host's addresses accepted; the error is the last one's.
    #[error("cannot connect to {host}:{port}")]
    Connect {
        /// The name.
        host: String,
        /// The port.
        port: u16,
        /// What the last address said.
        #[source]
        source: io::Error,
    },
    /// The server is not trusted, or speaks no TLS.
    #[error("no secure connection to {host}")]
    Secure {
        /// The name.
        host: String,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
}

/// Dials plaintext `http` URIs: resolves the host, tries its addresses in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connector;

impl Connector {
    /// Dials what `uri` names; port 80 if it names none.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn dial(self, uri: &Uri) -> Result<TcpStream, ConnectError> {
        if let Some(scheme) = uri.scheme().filter(|scheme| **scheme != Scheme::HTTP) {
            return Err(ConnectError::Scheme { scheme: scheme.to_string() });
        }
        connect(uri, 80).await
    }
}

/// Dials `http` URIs as they are and `https` URIs with TLS: resolves the host, tries its addresses in order.
#[derive(Clone, Debug, Default)]
pub struct SecureConnector(
    /// Whom it trusts.
    pub Trust,
);

impl SecureConnector {
    /// Dials what `uri` names; port 80 or 443 if it names none.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn dial(&self, uri: &Uri) -> Result<Stream, ConnectError> {
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Connector.dial(uri).await.map(Stream::Plain);
        }
        let stream = connect(uri, 443).await?;
        let host = host_of(uri).ok_or(ConnectError::NoHost)?;
        let secured = self.0.client().await.connect(host, stream).await;
        secured.map_err(|source| ConnectError::Secure { host: host.to_owned(), source })
    }
}

async fn connect(uri: &Uri, port: u16) -> Result<TcpStream, ConnectError> {
    let host = host_of(uri).ok_or(ConnectError::NoHost)?;
    let port = uri.port_u16().unwrap_or(port);
    let addresses = resolve(host, port)
        .await
        .map_err(|source| ConnectError::Resolve { host: host.to_owned(), source })?;
    let connected = connect_any(addresses).await;
    connected.map_err(|source| ConnectError::Connect { host: host.to_owned(), port, source })
}

impl tower_service::Service<Uri> for Connector {
    type Response = TcpStream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<TcpStream, ConnectError>> + Send>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = *self;
        Box::pin(async move { connector.dial(&uri).await })
    }
}

impl tower_service::Service<Uri> for SecureConnector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, ConnectError>> + Send>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.dial(&uri).await.map(TokioIo::new) })
    }
}
