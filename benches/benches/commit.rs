//! Durable creates a second, through the API and the store on this machine's disk: 1, 16 and 256 clients that ask one
//! after the other, each on a connection of its own, and how many creates share one sync.
//!
//! Every answer comes after the commit that holds its actor. What a sync costs is the disk's affair, so that nothing is
//! required here; `docs/performance.md` has the figures of one machine. The store lies in a temporary folder, `TMPDIR`
//! moves it to the disk that is to be measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use host::{Engine, Options};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use protocol::view::{Fact, Witness};
use tokio::sync::oneshot;

/// How long each number of clients asks.
const SPAN: Duration = Duration::from_secs(5);

/// Clients at one time.
const CLIENTS: [u64; 3] = [1, 16, 256];

/// Counts commits.
#[derive(Debug, Default)]
struct Commits(AtomicU64);

impl Witness for Commits {
    fn tell(&self, _: &Fact) {}

    fn committed(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

async fn connect(address: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let stream = runtime::TcpStream::connect(address).await.expect("the engine listens");
    let (sender, connection) = http1::handshake(stream).await.expect("it speaks HTTP");
    drop(runtime::spawn("connection", connection));
    sender
}

/// One client: asks until the time is over, and answers how often.
async fn create(address: SocketAddr, client: u64, span: Duration) -> u64 {
    let mut sender = connect(address).await;
    let (begun, mut made) = (runtime::now(), 0);
    while begun.elapsed() < span {
        let body = format!(
            r#"{{"name":"counter","key":"{client:08}-{made:023}","runner_name_selector":"default","crash_policy":"sleep"}}"#
        );
        let request = Request::post("/actors?namespace=default")
            .header(HOST, "engine")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .expect("a valid request");
        let answer = sender.send_request(request).await.expect("it answers");
        assert_eq!(answer.status(), StatusCode::OK, "it creates");
        answer.into_body().collect().await.expect("its answer has an end");
        made += 1;
    }
    made
}

async fn measure(clients: u64) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let commits = Arc::new(Commits::default());
    let mut options = Options::new(folder.path());
    options.bind = SocketAddr::from(([127, 0, 0, 1], 0));
    options.witness = Arc::clone(&commits) as Arc<dyn Witness>;
    let engine = Engine::open(options).await.expect("it opens");
    let address = engine.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = runtime::spawn("engine", engine.run(async { drop(stopped.await) }));
    configure(address).await;
    let before = commits.0.load(Ordering::Relaxed);
    let begun = runtime::now();
    let asking: Vec<_> =
        (0..clients).map(|client| runtime::spawn("client", create(address, client, SPAN))).collect();
    let mut made = 0;
    for client in asking {
        made += client.await.expect("it asks to its end");
    }
    let seconds = begun.elapsed().as_secs_f64();
    let syncs = commits.0.load(Ordering::Relaxed) - before;
    println!(
        "commit: {clients} clients, {:.0} creates a second, {:.1} creates a sync, {:.0} syncs a second",
        made as f64 / seconds,
        made as f64 / syncs as f64,
        syncs as f64 / seconds
    );
    drop(stop);
    running.await.expect("it runs to its end").expect("it stops in order");
}

/// A pool, so that actors can be made that wait for a runner.
async fn configure(address: SocketAddr) {
    let mut sender = connect(address).await;
    let body = r#"{"datacenters":{"default":{"normal":{}}}}"#;
    let request = Request::put("/runner-configs/default?namespace=default")
        .header(HOST, "engine")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .expect("a valid request");
    let answer = sender.send_request(request).await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::OK, "it stores the configuration");
}

fn main() {
    for clients in CLIENTS {
        runtime::process::block_on(None, measure(clients)).expect("the runtime starts");
    }
}
