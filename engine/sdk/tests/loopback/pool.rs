//! A pool's configuration, against an engine's API played by a test.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use runtime::{TcpListener, TcpStream};
use sdk::{Failure, PoolOptions, ServerlessOptions, Standing, configure_pool};

use crate::actors::Probe;
use crate::endpoint::app;
use crate::test;

const DATACENTERS: &str = r#"{"datacenters":[{"label":1,"name":"default","url":"http://127.0.0.1:1/"}],"pagination":{"cursor":null}}"#;
const STORED: &str = r#"{"endpoint_config_changed":true}"#;

/// An API that answers each upsert with the next status, and with 200 when there is none left.
#[derive(Clone, Default)]
struct Api {
    statuses: Arc<Mutex<VecDeque<u16>>>,
    upserts: Arc<Mutex<Vec<String>>>,
    /// Asked before an upsert is answered, as an engine asks.
    metadata: Arc<Mutex<Option<SocketAddr>>>,
}

impl Api {
    async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        self.serve(listener);
        address
    }

    fn serve(&self, listener: TcpListener) {
        let api = self.clone();
        drop(runtime::spawn("api under test", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let api = api.clone();
                let service = service_fn(move |request| {
                    let api = api.clone();
                    async move { Ok::<_, hyper::Error>(api.answer(request).await) }
                });
                drop(runtime::spawn("api connection", async move {
                    http1::Builder::new().serve_connection(stream, service).await.unwrap_or(())
                }));
            }
        }));
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        if path == "/datacenters" {
            return Response::new(Full::from(DATACENTERS));
        }
        assert_eq!(path, "/runner-configs/a%20b");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        self.upserts.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
        let metadata = *self.metadata.lock().unwrap();
        if let Some(address) = metadata {
            let stream = TcpStream::connect(address).await.unwrap();
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            drop(runtime::spawn("callback", async move { connection.await.unwrap_or(()) }));
            let request = Request::get("/api/rivet/metadata").body(Full::<Bytes>::default()).unwrap();
            assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
        }
        let status = self.statuses.lock().unwrap().pop_front();
        let mut response = Response::new(Full::from(STORED));
        if let Some(status) = status {
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            *response.body_mut() = Full::from(r#"{"group":"test","code":"scripted","message":"-"}"#);
        }
        response
    }

    fn tried(&self) -> usize {
        self.upserts.lock().unwrap().len()
    }
}

fn options(engine: SocketAddr) -> PoolOptions {
    let mut options = PoolOptions {
        pool: "a b".into(),
        ..PoolOptions::new(format!("http://{engine}").parse().unwrap(), "http://127.0.0.1:6440/api/rivet")
    };
    options.timings.backoff_base = Duration::from_millis(5);
    options
}

#[test]
fn the_engine_is_told_what_upstream_tells() {
    test(async {
        let api = Api::default();
        let (stop, shutdown) = sdk::shutdown();
        let pool = configure_pool(options(api.listen().await), shutdown);
        pool.ready().await.unwrap();
        assert_eq!(pool.standing(), Standing::Configured);
        let body: serde_json::Value = serde_json::from_str(&api.upserts.lock().unwrap()[0]).unwrap();
        let serverless = &body["datacenters"]["default"]["serverless"];
        assert_eq!(serverless["url"], "http://127.0.0.1:6440/api/rivet");
        for (field, value) in [
            ("request_lifespan", 3600),
            ("max_runners", 100_000),
            ("min_runners", 0),
            ("runners_margin", 0),
            ("slots_per_runner", 1),
            ("metadata_poll_interval", 1000),
        ] {
            assert_eq!(serverless[field], value, "{field}");
        }
        stop.drain();
        pool.ended().await;
    });
}

#[test]
fn an_engine_that_is_busy_is_asked_again() {
    test(async {
        let api = Api::default();
        api.statuses.lock().unwrap().extend([503, 503, 503]);
        let (_stop, shutdown) = sdk::shutdown();
        let pool = configure_pool(options(api.listen().await), shutdown);
        pool.ready().await.unwrap();
        assert_eq!(api.tried(), 4);
    });
}

#[test]
fn an_engine_that_is_down_is_found_when_it_is_up() {
    test(async {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let (_stop, shutdown) = sdk::shutdown();
        let mut options = options(address);
        options.timings.deadline = Duration::from_millis(200);
        options.timings.background = Duration::from_millis(50);
        let pool = configure_pool(options, shutdown);
        assert!(matches!(pool.ready().await, Err(Failure::Unreachable { .. })));
        assert!(matches!(pool.standing(), Standing::Failing(_)));
        let api = Api::default();
        api.serve(TcpListener::bind(address).await.unwrap());
        while pool.standing() != Standing::Configured {
            runtime::sleep(Duration::from_millis(10)).await;
        }
    });
}

#[test]
fn a_refusal_for_good_is_told_at_once() {
    test(async {
        let api = Api::default();
        api.statuses.lock().unwrap().extend([403]);
        let (_stop, shutdown) = sdk::shutdown();
        let pool = configure_pool(options(api.listen().await), shutdown);
        let refused = Failure::Status { status: 403, code: "test.scripted".into() };
        assert_eq!(pool.ready().await, Err(refused.clone()));
        assert_eq!(pool.ready().await, Err(refused));
        assert_eq!(api.tried(), 1);
    });
}

#[test]
fn what_is_wrong_with_the_options_is_told_without_a_request() {
    test(async {
        let api = Api::default();
        let (_stop, shutdown) = sdk::shutdown();
        let options = PoolOptions { url: "nowhere".into(), ..options(api.listen().await) };
        let pool = configure_pool(options, shutdown);
        assert!(matches!(pool.ready().await, Err(Failure::Invalid { .. })));
        assert_eq!(api.tried(), 0);
    });
}

#[test]
fn an_engine_that_asks_back_gets_its_answer_and_health_never_waits() {
    test(async {
        let api = Api::default();
        let engine = api.listen().await;
        let (_stop, shutdown) = sdk::shutdown();
        // A deadlock would show as an attempt that never ends.
        let pool = Arc::new(configure_pool(options(engine), shutdown));
        let served = app(
            &Probe::new(),
            ServerlessOptions { pool: Some(Arc::clone(&pool)), ..ServerlessOptions::default() },
        )
        .await;
        *api.metadata.lock().unwrap() = Some(served.address);
        let health = served.get("/api/rivet/health").await;
        assert_eq!(health.status(), StatusCode::OK);
        pool.ready().await.unwrap();
        assert!(served.get("/api/rivet/health").await.body().contains(r#""pool":"configured""#));
    });
}

#[test]
fn a_shutdown_ends_the_wait_of_everybody() {
    test(async {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (stop, shutdown) = sdk::shutdown();
        let pool = configure_pool(options(listener.local_addr().unwrap()), shutdown);
        let wait = pool.ready();
        stop.drain();
        assert_eq!(wait.await, Err(Failure::Stopped));
        assert_eq!(pool.standing(), Standing::Stopped);
        pool.ended().await;
    });
}
