//! What the dispatch of `runtime` costs on real tokio: spawn, timers and a TCP round trip, against plain tokio.
//!
//! Criterion shows each figure by itself. Since a shared host drifts by more than what is measured, the ratio comes
//! from a second measurement, which alternates both sides in one run and takes medians: that is the requirement, at
//! most 5 % above plain tokio. Above it the process fails.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use criterion::Criterion;
use scales::Paired;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What is required.
const RATIO_MAX: f64 = 1.05;

/// Bytes of a round trip.
const MESSAGE: usize = 64;

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

mod ours {
    use super::{AsyncReadExt, AsyncWriteExt, Duration, Ipv4Addr, MESSAGE, SocketAddr, black_box};

    pub(crate) async fn spawn() {
        black_box(runtime::spawn("bench", async { black_box(1) }).await.expect("it ends"));
    }
    pub(crate) async fn ready_timer(past: runtime::Instant) {
        runtime::sleep_until(black_box(past)).await;
    }
    pub(crate) async fn short_sleep() {
        runtime::sleep(black_box(Duration::from_millis(1))).await;
    }
    pub(crate) async fn dropped_timeout() {
        let waited = runtime::timeout(black_box(Duration::from_secs(3600)), tokio::task::yield_now()).await;
        waited.expect("an hour is enough");
    }
    pub(crate) async fn pair() -> runtime::TcpStream {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime::TcpListener::bind(any).await.expect("a port");
        let client =
            runtime::TcpStream::connect(listener.local_addr().expect("bound")).await.expect("accepted");
        let (mut server, _) = listener.accept().await.expect("a connection");
        drop(runtime::spawn("echo", async move {
            let mut message = [0; MESSAGE];
            while server.read_exact(&mut message).await.is_ok() {
                server.write_all(&message).await.expect("the client listens");
            }
        }));
        client
    }
    pub(crate) async fn round_trip(client: &mut runtime::TcpStream) {
        let mut message = [7; MESSAGE];
        client.write_all(&message).await.expect("written");
        client.read_exact(&mut message).await.expect("echoed");
    }
}

#[expect(clippy::disallowed_methods, reason = "plain tokio is what is compared with")]
mod plain {
    use super::{AsyncReadExt, AsyncWriteExt, Duration, Ipv4Addr, MESSAGE, SocketAddr, black_box};

    pub(crate) async fn spawn() {
        black_box(tokio::spawn(async { black_box(1) }).await.expect("it ends"));
    }
    pub(crate) async fn ready_timer(past: tokio::time::Instant) {
        tokio::time::sleep_until(black_box(past)).await;
    }
    pub(crate) async fn short_sleep() {
        tokio::time::sleep(black_box(Duration::from_millis(1))).await;
    }
    pub(crate) async fn dropped_timeout() {
        let waited =
            tokio::time::timeout(black_box(Duration::from_secs(3600)), tokio::task::yield_now()).await;
        waited.expect("an hour is enough");
    }
    pub(crate) async fn pair() -> tokio::net::TcpStream {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = tokio::net::TcpListener::bind(any).await.expect("a port");
        let client =
            tokio::net::TcpStream::connect(listener.local_addr().expect("bound")).await.expect("accepted");
        let (mut server, _) = listener.accept().await.expect("a connection");
        client.set_nodelay(true).expect("set");
        server.set_nodelay(true).expect("set");
        drop(tokio::spawn(async move {
            let mut message = [0; MESSAGE];
            while server.read_exact(&mut message).await.is_ok() {
                server.write_all(&message).await.expect("the client listens");
            }
        }));
        client
    }
    pub(crate) async fn round_trip(client: &mut tokio::net::TcpStream) {
        let mut message = [7; MESSAGE];
        client.write_all(&message).await.expect("written");
        client.read_exact(&mut message).await.expect("echoed");
    }
}

/// Measures one operation, given as an async block on each side; gives its name and ratio.
macro_rules! compare {
    ($criterion:ident, $tokio:ident, $name:literal, $batch:literal, $ours:expr, $plain:expr) => {{
        let mut group = $criterion.benchmark_group($name);
        group.bench_function("runtime", |bencher| bencher.iter(|| $tokio.block_on(async { $ours.await })));
        group.bench_function("tokio", |bencher| bencher.iter(|| $tokio.block_on(async { $plain.await })));
        group.finish();
        let batch = $batch;
        let ratio = Paired::measure(
            || {
                $tokio.block_on(async {
                    for _ in 0..batch {
                        $ours.await
                    }
                })
            },
            || {
                $tokio.block_on(async {
                    for _ in 0..batch {
                        $plain.await
                    }
                })
            },
        )
        .print($name, batch);
        ($name, ratio)
    }};
}

/// What was measured, with its ratio.
fn dispatch(criterion: &mut Criterion) -> Vec<(&'static str, f64)> {
    let tokio = one_thread();
    let spawn = compare!(criterion, tokio, "spawn and join", 2000, ours::spawn(), plain::spawn());
    // Tokio rounds deadlines up to a millisecond: only one that is well past is ready at once.
    let (past, tokio_past) = (runtime::now(), tokio::time::Instant::now());
    tokio.block_on(async { runtime::sleep(Duration::from_millis(5)).await });
    let ready = compare!(
        criterion,
        tokio,
        "timer that is ready",
        2000,
        ours::ready_timer(past),
        plain::ready_timer(tokio_past)
    );
    let sleep = compare!(criterion, tokio, "sleep of 1 ms", 1, ours::short_sleep(), plain::short_sleep());
    let dropped = compare!(
        criterion,
        tokio,
        "timeout that is dropped",
        2000,
        ours::dropped_timeout(),
        plain::dropped_timeout()
    );
    let (mut ours, mut plain) = tokio.block_on(async { (ours::pair().await, plain::pair().await) });
    let echo = compare!(
        criterion,
        tokio,
        "TCP echo 64 B",
        200,
        ours::round_trip(&mut ours),
        plain::round_trip(&mut plain)
    );
    vec![spawn, ready, sleep, dropped, echo]
}

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut over = dispatch(&mut criterion);
    criterion.final_summary();
    over.retain(|(_, ratio)| *ratio > RATIO_MAX);
    for (name, ratio) in &over {
        eprintln!("{name}: {ratio:.3} times plain tokio, at most {RATIO_MAX} is allowed");
    }
    if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
