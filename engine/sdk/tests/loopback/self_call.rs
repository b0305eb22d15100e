//! An actor that calls: by its runner's engine and credentials, and itself while it is being called.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use sdk::{Action, Actions, Actor, ActorError, Context, Registry, RunnerOptions};
use tokio::sync::{mpsc, oneshot};

use crate::engine::{Engine, actor};
use crate::{played, test};

const ASK_MYSELF: Action<i64, i64> = Action::new("ask_myself");
const DOUBLE: Action<i64, i64> = Action::new("double it");

struct Mirror;

impl Actor for Mirror {
    type State = ();

    fn actions(on: &mut Actions<Self>) {
        on.action(ASK_MYSELF, Self::ask_myself).action(DOUBLE, Self::double);
    }
}

impl Mirror {
    async fn ask_myself(self: Arc<Self>, ctx: Context<()>, value: i64) -> Result<i64, ActorError> {
        let me = ctx.client().by_id(ctx.actor_id());
        let doubled = me.call(DOUBLE, value).await.map_err(ActorError::internal)?;
        Ok(doubled + 1)
    }

    async fn double(self: Arc<Self>, _: Context<()>, value: i64) -> Result<i64, ActorError> {
        Ok(2 * value)
    }
}

#[test]
fn an_actor_may_call_itself_while_it_is_called() {
    test(async {
        let engine = Engine::listen().await;
        let registry = Registry::builder().actor("mirror", || Mirror).build().unwrap();
        let options = RunnerOptions { token: Some("s3cret".into()), ..RunnerOptions::new(engine.endpoint()) };
        let (_stop, shutdown) = sdk::shutdown();
        drop(runtime::spawn("runner under test", async move { registry.run(options, shutdown).await }));
        let mut socket = engine.session().await;
        socket.start(actor(1), "mirror").await;
        socket.nothing_stored().await;
        let events = socket.events().await;
        socket.ack(&events).await;
        socket.request_at(1, actor(1), "POST", "/action/ask_myself", r#"{"args":20}"#).await;

        // The engine's gateway: what comes to it is handed to the test, and answered by it.
        let (asked, mut hears) = mpsc::unbounded_channel();
        let stream = engine.accept_raw().await;
        drop(runtime::spawn("played gateway", async move {
            let forward = move |request: http::Request<hyper::body::Incoming>| {
                let asked = asked.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let token = parts.headers["authorization"].to_str().unwrap().to_owned();
                    let (answer, answered) = oneshot::channel::<Bytes>();
                    asked.send((parts.uri.to_string(), token, body, answer)).unwrap();
                    Some(Response::new(Full::from(answered.await.unwrap())))
                }
            };
            played::connection(stream, forward).await;
        }));
        let (target, token, body, answer) = hears.recv().await.unwrap();
        assert_eq!(
            (target, token),
            (format!("/gateway/{}/action/double%20it", actor(1)), "Bearer s3cret".into())
        );
        let body = String::from_utf8(body.to_vec()).unwrap();
        socket.request_at(2, actor(1), "POST", "/action/double%20it", &body).await;
        let inner = socket.answer(2).await;
        assert_eq!(inner.body, r#"{"output":40}"#);
        answer.send(inner.body.into()).unwrap();
        let outer = socket.answer(1).await;
        assert_eq!((outer.status, outer.body.as_str()), (200, r#"{"output":41}"#));
    });
}
