//! The client, against an engine played by a test.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use protocol::api::{CrashPolicy, CreateActor};
use runtime::TcpListener;
use sdk::{Client, ClientError, Executed};

use crate::engine::actor;
use crate::{played, test};

/// An engine that says what it was asked.
async fn mirror() -> Client {
    let endpoint = played::serve(|request| async { Some(answer(request).await) }).await;
    Client::new(endpoint, "a b", Some("secret".into()))
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let token = parts.headers["authorization"].to_str().unwrap().to_owned();
    let line = format!("{} {} {token} {body}", parts.method, parts.uri);
    let (status, said) = match parts.uri.path() {
        "/actors" => (400, format!(r#"{{"group":"actor","code":"duplicate_key","message":{line:?}}}"#)),
        "/health" => (502, "<html>bad gateway</html>".to_owned()),
        path if path.ends_with("/platform") => {
            (503, r#"{"group":"guard","code":"actor_ready_timeout","message":"late"}"#.to_owned())
        }
        path if path.ends_with("/actor") => (503, "the actor says so".to_owned()),
        _ => (200, line),
    };
    let mut response = Response::builder().status(status);
    if parts.uri.path().ends_with("/platform") {
        response = response.header("x-rivet-error", "guard.actor_ready_timeout");
    }
    response.body(Full::from(said)).unwrap()
}

fn counter() -> CreateActor {
    CreateActor {
        datacenter: None,
        name: "counter".into(),
        key: Some("k".into()),
        input: None,
        runner_name_selector: "default".into(),
        crash_policy: CrashPolicy::Sleep,
    }
}

#[test]
fn a_refusal_carries_what_the_engine_said() {
    test(async {
        let client = mirror().await;
        let error = client.get_or_create(&counter()).await.unwrap_err();
        assert_eq!(error.executed(), Executed::No);
        let ClientError::Engine { status: 400, body, .. } = error else { panic!("{error:?}") };
        assert_eq!((body.group.as_str(), body.code.as_str()), ("actor", "duplicate_key"));
        assert_eq!(
            body.message,
            r#"PUT /actors?namespace=a+b Bearer secret {"name":"counter","key":"k","runner_name_selector":"default","crash_policy":"sleep"}"#
        );
    });
}

#[test]
fn the_gateway_gets_path_query_and_body_as_they_are() {
    test(async {
        let client = mirror().await;
        let request = Request::post("/a/b?c=d").body(Bytes::from("body")).unwrap();
        let answer = client.request(actor(1), request).await.unwrap();
        let expected = format!("POST /gateway/{}/a/b?c=d Bearer secret body", actor(1));
        assert_eq!(answer.body(), expected.as_bytes());
    });
}

#[test]
fn the_actors_errors_are_answers_and_the_platforms_are_errors() {
    test(async {
        let client = mirror().await;
        let request = |path: &str| Request::get(path).body(Bytes::new()).unwrap();
        let answer = client.request(actor(1), request("/actor")).await.unwrap();
        assert_eq!(answer.status(), 503);
        let error = client.request(actor(1), request("/platform")).await.unwrap_err();
        assert!(
            matches!(&error, ClientError::Engine { status: 503, body, .. } if body.code == "actor_ready_timeout")
        );
        assert_eq!(error.executed(), Executed::No, "nobody was there to carry it out");
    });
}

#[test]
fn a_client_that_is_printed_keeps_its_token_for_itself() {
    test(async {
        let client = mirror().await;
        let printed = format!("{client:?} {:?}", client.by_id(actor(1)));
        assert!(printed.contains("a b") && !printed.contains("secret"), "{printed}");
    });
}

#[test]
fn who_is_no_engine_and_who_is_not_there_are_told_apart() {
    test(async {
        let client = mirror().await;
        let error = client.health().await.unwrap_err();
        assert!(
            matches!(&error, ClientError::Undecodable { status: 502, reason } if reason.contains("bad gateway"))
        );
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let error = Client::new(nobody, "default", None).health().await.unwrap_err();
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
        assert_eq!(error.executed(), Executed::No);
    });
}

#[test]
fn a_connection_that_breaks_says_nothing_about_the_effect() {
    test(async {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        drop(runtime::spawn("rude engine", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 16];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut head).await.unwrap();
        }));
        let error = Client::new(endpoint, "default", None).health().await.unwrap_err();
        assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
        assert_eq!(error.executed(), Executed::Maybe);
    });
}
