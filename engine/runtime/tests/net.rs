//! TCP on the kernel's loopback.

use std::future::Future;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn run<F: Future>(future: F) -> F::Output {
    runtime::process::block_on(None, future).expect("a runtime")
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let client = TcpStream::connect(address).await.expect("accepted");
    let (server, peer) = listener.accept().await.expect("a connection");
    assert_eq!(client.local_addr().expect("connected"), peer);
    assert_eq!(server.peer_addr().expect("connected"), peer);
    assert_eq!(client.peer_addr().expect("connected"), address);
    (client, server)
}

#[test]
fn bytes_come_back() {
    run(async {
        let (mut client, mut server) = pair().await;
        let echo = runtime::spawn("echo", async move {
            let (mut read, mut write) = tokio::io::split(&mut server);
            tokio::io::copy(&mut read, &mut write).await.expect("echoed")
        });
        let sent: Vec<u8> = (0..100_000).map(|at: u32| at.to_le_bytes()[0]).collect();
        let mut got = vec![0; sent.len()];
        let (mut read, mut write) = tokio::io::split(&mut client);
        let (written, filled) = tokio::join!(write.write_all(&sent), read.read_exact(&mut got));
        written.expect("written");
        filled.expect("read");
        assert!(got == sent);
        client.shutdown().await.expect("closed");
        assert_eq!(echo.await, Ok(100_000));
    });
}

#[test]
fn a_half_closed_stream_still_receives() {
    run(async {
        let (mut client, mut server) = pair().await;
        client.write_all(b"question").await.expect("written");
        client.shutdown().await.expect("half closed");
        let mut question = Vec::new();
        server.read_to_end(&mut question).await.expect("read to the FIN");
        server.write_all(b"answer").await.expect("the other half is open");
        drop(server);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.expect("read to the FIN");
        assert_eq!((question.as_slice(), answer.as_slice()), (&b"question"[..], &b"answer"[..]));
        assert_eq!(
            client.write_all(b"x").await.expect_err("our half is closed").kind(),
            ErrorKind::BrokenPipe
        );
    });
}

#[test]
fn zero_linger_resets() {
    run(async {
        let (client, mut server) = pair().await;
        client.set_linger(Some(Duration::ZERO)).expect("set");
        drop(client);
        let error = server.read(&mut [0; 1]).await.expect_err("a reset, not an end");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);

        let (client, mut server) = pair().await;
        client.set_linger(Some(Duration::ZERO)).expect("set");
        client.set_linger(None).expect("set back");
        drop(client);
        assert_eq!(server.read(&mut [0; 1]).await.expect("an end, not a reset"), 0);
    });
}

/// What the kernel has running for the socket at that port: `tr` and `tm->when` of `/proc/net/tcp`.
#[cfg(target_os = "linux")]
fn timer_of(port: u16) -> String {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let local = format!(":{port:04X}");
    let mut rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row[1].ends_with(&local) && row[3] == "01").expect("it is established");
    row[5].to_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn keep_alive_is_the_kernels() {
    run(async {
        let (client, _server) = pair().await;
        let port = client.local_addr().expect("connected").port();
        assert!(timer_of(port).starts_with("00:"), "none is running");
        let terms = runtime::KeepAlive { idle: Duration::from_secs(1000), ..runtime::KeepAlive::default() };
        client.set_keep_alive(Some(terms)).expect("set");
        let (kind, ticks) = (timer_of(port)[..3].to_owned(), timer_of(port)[3..].to_owned());
        let ticks = u32::from_str_radix(&ticks, 16).expect("a number");
        assert_eq!(kind, "02:", "a keep-alive timer");
        assert!((99_000..=100_000).contains(&ticks), "hundredths of a second: {ticks}");
        client.set_keep_alive(None).expect("set back");
        assert!(timer_of(port).starts_with("00:"), "none is running");
        let refused = client.set_keep_alive(Some(runtime::KeepAlive { count: 0, ..terms }));
        assert_eq!(refused.expect_err("asking never is not keep-alive").kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn nobody_listening_refuses() {
    run(async {
        let listener =
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let taken = TcpListener::bind(address).await.expect_err("taken");
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        drop(listener);
        let refused = TcpStream::connect(address).await.expect_err("nobody is there");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn names_resolve() {
    run(async {
        let local = runtime::resolve("localhost", 80).await.expect("every host knows itself");
        assert!(local.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
        assert_eq!(
            runtime::resolve("127.0.0.9", 1).await.expect("a literal"),
            ["127.0.0.9:1".parse().expect("one")]
        );
    });
}

#[test]
fn hypers_client_and_server_live_on_it() {
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use hyper_util::client::legacy::Client;
    use std::convert::Infallible;

    run(async {
        let listener =
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        drop(runtime::spawn("server", async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let service = service_fn(async |request: hyper::Request<Incoming>| {
                    Ok::<_, Infallible>(hyper::Response::new(request.uri().path().to_owned()))
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(runtime::http::Timer)
                    .serve_connection(stream, service);
                drop(runtime::spawn("connection", async move { connection.await.expect("served") }));
            }
        }));
        let client = Client::builder(runtime::http::Executor("http client"))
            .pool_timer(runtime::http::Timer)
            .build::<_, String>(runtime::http::Connector);
        for _ in 0..2 {
            // The second request takes the first one's connection, or a new one: whether the first is back in the
            // pool by then is up to the threads.
            let uri = format!("http://localhost:{port}/path").parse().expect("a URI");
            let mut response = client.get(uri).await.expect("answered");
            let frame = std::future::poll_fn(|context| {
                hyper::body::Body::poll_frame(std::pin::Pin::new(response.body_mut()), context)
            });
            let frame = frame.await.expect("a body").expect("whole");
            assert_eq!(frame.into_data().expect("data"), "/path");
        }
        let tls = client.get("https://localhost/".parse().expect("a URI")).await.expect_err("no TLS here");
        assert!(tls.is_connect());
    });
}
