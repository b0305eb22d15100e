//! A service of one's own under rehearsal: an axum router that keeps a total in a file, and a host that loses power.
//!
//! `docs/guide.md` walks through it. Run it with `cargo run -p rehearsal-sim --example service`.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::service::TowerToHyperService;
use runtime::TcpListener;
use runtime::disk::{self, DiskError, File};
use runtime::http::{Connector, Executor, Timer};
use sim::{Sim, World};
use tokio::sync::Mutex;

// The service. It asks `runtime` for sockets, tasks, time and files; everything else is as anybody writes it.

/// The total, in memory and in its file.
struct Ledger {
    file: File,
    total: Mutex<u64>,
    /// What this example is about: a service that answers before its write is durable loses what it acknowledged.
    syncs: bool,
}

impl Ledger {
    async fn open(syncs: bool) -> Result<Self, DiskError> {
        let (file, total) = disk::blocking(|| {
            let file = disk::open("total")?;
            let mut bytes = [0; 8];
            // A file that is fresh, or whose first write was never synced, holds nothing.
            let total = file.read(0, &mut bytes).map_or(0, |()| u64::from_le_bytes(bytes));
            Ok((file, total))
        })
        .await?;
        Ok(Self { file, total: Mutex::new(total), syncs })
    }

    async fn add(&self, amount: u64) -> io::Result<u64> {
        let mut total = self.total.lock().await;
        let (file, next, syncs) = (self.file.clone(), *total + amount, self.syncs);
        disk::blocking(move || {
            file.write(0, &next.to_le_bytes())?;
            if syncs { file.sync() } else { Ok(()) }
        })
        .await?;
        *total = next;
        Ok(next)
    }
}

async fn add(State(ledger): State<Arc<Ledger>>, Path(amount): Path<u64>) -> Result<String, StatusCode> {
    let total = ledger.add(amount).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(total.to_string())
}

async fn total(State(ledger): State<Arc<Ledger>>) -> String {
    ledger.total.lock().await.to_string()
}

async fn serve(syncs: bool) {
    let ledger = Arc::new(Ledger::open(syncs).await.expect("the disk is there"));
    let router =
        Router::new().route("/add/{amount}", post(add)).route("/total", get(total)).with_state(ledger);
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80).into()).await.expect("a free port");
    loop {
        let (stream, _) = listener.accept().await.expect("the listener is open");
        let service = TowerToHyperService::new(router.clone());
        drop(runtime::spawn("connection", async move {
            let mut http = http1::Builder::new();
            http.timer(Timer).auto_date_header(false);
            // However it ends: the client hears of it.
            let _end = http.serve_connection(stream, service).await;
        }));
    }
}

// The rehearsal.

/// Sends one request and reads the number it is answered with.
async fn ask(method: Method, path: &str) -> Option<u64> {
    let client = Client::builder(Executor("client")).pool_timer(Timer).build::<_, Empty<Bytes>>(Connector);
    let uri = format!("http://server:80{path}");
    let request = Request::builder().method(method).uri(uri).body(Empty::new()).expect("well formed");
    let body = client.request(request).await.ok()?.into_body().collect().await.ok()?.to_bytes();
    std::str::from_utf8(&body).ok()?.parse().ok()
}

/// Adds ones until the power goes, five times. What was acknowledged must be there afterwards.
async fn rehearse(world: World, syncs: bool) -> Result<u64, String> {
    let server = world.node("server");
    server.boot(move || serve(syncs));
    let moment = world.stream("power loss/moment");
    let (mut asked, mut acknowledged) = (0, 0);
    for _ in 0..5 {
        world.sleep(Duration::from_millis(5)).await; // it begins to listen
        let span = moment.span(Duration::from_millis(10)..=Duration::from_millis(60));
        let adding = async {
            loop {
                asked += 1;
                acknowledged = ask(Method::POST, "/add/1").await.unwrap_or(acknowledged);
            }
        };
        let over: Option<Infallible> = world.within(span, adding).await;
        assert!(over.is_none(), "somebody adds until the power goes");
        server.power_off();
        server.restart();
        world.sleep(Duration::from_millis(5)).await;
        let total = ask(Method::GET, "/total").await.ok_or("the service does not answer")?;
        if !(acknowledged..=asked).contains(&total) {
            let at = world.elapsed();
            return Err(format!("at {at:?} the total is {total}, but {acknowledged} was acknowledged"));
        }
        (asked, acknowledged) = (total, total);
    }
    Ok(acknowledged)
}

fn run(seed: u64, syncs: bool) -> Result<u64, String> {
    Sim::seed(seed).run(move |world| rehearse(world, syncs)).expect_ok()
}

fn main() {
    for seed in 0..5 {
        println!("seed {seed}: {:?}", run(seed, true));
    }
    let (seed, lost) =
        (0..1000).find_map(|seed| Some((seed, run(seed, false).err()?))).expect("one seed of them finds it");
    println!("a service that does not sync is found with seed {seed}: {lost}");
}

#[cfg(test)]
mod tests {
    use super::{World, rehearse, run};

    #[sim::test(seeds = 0..50)]
    async fn what_was_acknowledged_survives_power_losses(world: World) {
        let total = rehearse(world, true).await.unwrap_or_else(|lost| panic!("{lost}"));
        assert!(total > 10, "it has hardly tried: {total}");
    }

    #[test]
    fn a_service_that_answers_before_it_syncs_is_found() {
        assert!((0..50).any(|seed| run(seed, false).is_err()));
    }
}
