//! Who asks for the actors of the pool, and who looks at its error.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use model::evidence::PoolNews;
use model::history::Kind;
use protocol::api::RunnerConfigs;
use sim::Ratio;

use crate::plays::crew::{Crew, Over};
use crate::stack::client::{ACTOR_BOUND, CALL_BOUND, Client, parsed};
use crate::stack::http::Http;
use crate::stack::{ODD, Stack};

/// Between two things that a client does.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(4));

/// How often it puts its actor to sleep: so often is a start asked for.
const SLEEPS: Ratio = Ratio::new(1, 3);

/// How often the pool's error is looked at: half of the slack that the law gives to looks.
const LOOK: Duration = Duration::from_millis(500);

/// Within which whoever asks is turned away while the error of the pool shows.
const FAST: Duration = Duration::from_secs(5);

/// Begins to ask, a client a key.
pub(super) fn begin(stack: &Stack, keys: &'static [&'static str]) -> Crew {
    let stack_of = stack.clone();
    Crew::begin(stack, keys.iter().copied(), move |client, key, over| {
        let stack = stack_of.clone();
        async move { ask(&client, &stack, key, &over).await }
    })
}

async fn ask(client: &Client, stack: &Stack, key: &'static str, over: &Over) {
    let decides = |what: &str| stack.world.stream(&format!("operation/{}/{what}", client.node().name()));
    let (pause, sleeps) = (decides("pause"), decides("sleeps"));
    let mut http = Http::new();
    let actor = client.make(&mut http, key).await;
    while !over.is_over() {
        let bound = if stack.odd.is_known_to_fail() { FAST } else { ACTOR_BOUND };
        client.operate_within(&mut http, (key, &actor), Kind::Increment { by: 1 }, bound).await;
        runtime::sleep(pause.span(PAUSE.0..=PAUSE.1)).await;
        if sleeps.chance(SLEEPS) {
            let path = format!("/actors/{actor}/sleep?namespace=default");
            let call = (Method::POST, path.as_str(), Bytes::from_static(b"{}"));
            client.ask(&mut http, (key, "sleep"), call, CALL_BOUND, |_| false).await.ok();
        }
        // Kept connections are closed by whoever is tired of them; here nobody looks at that.
        http = Http::new();
    }
}

/// Looks at the pool's error, and at what its application did, until the load is gone.
pub(in crate::plays) fn look(stack: &Stack) {
    let node = stack.world.node("client-observer");
    let stack = stack.clone();
    node.boot(move || {
        let stack = stack.clone();
        async move {
            let mut http = Http::new();
            while !stack.is_over() {
                let path = "/runner-configs?namespace=default";
                let answer = http.ask(Method::GET, path, Bytes::new(), CALL_BOUND).await;
                let configs = answer.ok().and_then(|bytes| parsed::<RunnerConfigs>(&bytes).ok());
                for (at, news) in stack.odd.news() {
                    stack.ledger.saw_pool(ODD, at, news);
                }
                if let Some(configs) = configs {
                    let shown = shows(&configs);
                    stack.odd.shown(shown);
                    stack.ledger.saw_pool(ODD, stack.world.elapsed(), PoolNews::Shown(shown));
                }
                runtime::sleep(LOOK).await;
            }
        }
    });
}

fn shows(configs: &RunnerConfigs) -> bool {
    let pool = configs.runner_configs.get(ODD);
    pool.is_some_and(|pool| pool.datacenters.values().any(|entry| entry.runner_pool_error.is_some()))
}
