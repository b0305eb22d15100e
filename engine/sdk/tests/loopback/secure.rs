//! An engine behind TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use runtime::tls::Roots;
use runtime::{TcpListener, TcpStream};
use sdk::{Client, ClientError, Endpoint, RunEnd, RunnerOptions};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::actors::Probe;
use crate::engine::Engine;
use crate::session::run_with;
use crate::test;

/// A server that vouches for itself under `localhost`, and its certificate in a file.
fn server(folder: &Path) -> (PathBuf, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let path = folder.join("server.pem");
    std::fs::write(&path, certificate.pem()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (path, TlsAcceptor::from(Arc::new(config)))
}

/// Takes TLS off in front of an engine. Returns the port.
async fn terminate(acceptor: TlsAcceptor, engine: Endpoint) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = engine.to_string().strip_prefix("http://").unwrap().parse().unwrap();
    drop(runtime::spawn("tls proxy", async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            drop(runtime::spawn("tls connection", async move {
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = TcpStream::connect(address).await.unwrap();
                tokio::io::copy_bidirectional(&mut outer, &mut inner).await.ok();
            }));
        }
    }));
    port
}

#[test]
fn a_runner_and_a_client_reach_an_engine_they_trust() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, acceptor) = server(folder.path());
        let engine = Engine::listen().await;
        let port = terminate(acceptor, engine.endpoint()).await;
        let wary: Endpoint = format!("wss://localhost:{port}").parse().unwrap();
        let mut roots = Roots::none();
        roots.add_file(&certificate).unwrap();
        let trusting = wary.clone().trusting(roots);

        let run = run_with(RunnerOptions::new(trusting.clone()), &Probe::new());
        let mut socket = engine.accept().await;
        socket.hello().await;
        run.stop.now();
        drop(socket);
        assert_eq!(run.task.await.unwrap(), Ok(RunEnd::Stopped));

        // Whatever the engine says, it was reached; who does not trust it sends nothing.
        let refused = Client::new(wary, "default", None).health().await.unwrap_err();
        assert!(matches!(refused, ClientError::Unreachable { .. }), "{refused:?}");
        let health =
            runtime::spawn("client", async move { Client::new(trusting, "default", None).health().await });
        drop(engine.accept_raw().await);
        let broken = health.await.unwrap().unwrap_err();
        assert!(matches!(broken, ClientError::Broken { .. }), "{broken:?}");
    });
}
