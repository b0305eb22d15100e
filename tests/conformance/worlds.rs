//! A script, played in each world.

/// A script between two nodes of a world: those of both simulators have the same face, and no type in common.
macro_rules! between_two_nodes {
    ($world:ident, $script:ident) => {{
        let (server, client) = ($world.node("server"), $world.node("client"));
        server.boot(std::future::pending);
        client.boot(std::future::pending);
        let address = std::net::SocketAddr::new(server.ip(), 80);
        let listening = server.spawn("listen", runtime::TcpListener::bind(address)).await;
        let listener = listening.expect("the node is up").expect("a free port");
        let (stages, orders) = $crate::party::Stage::pair();
        let [one, other] = stages.clone();
        let serving = server.spawn("server", ($script.server)(one, listener));
        let asking = client.spawn("client", ($script.client)(other, address));
        let pull = |pull| match pull {
            $crate::party::Pull::Cut => $world.partition(&server, &client),
            $crate::party::Pull::Heal => $world.heal(&server, &client),
        };
        let (served, asked) = (async { serving.await.is_some() }, async { asking.await.is_some() });
        $crate::worlds::play(stages, orders, served, asked, pull).await
    }};
}

pub(crate) mod kernel;
#[cfg(madsim)]
pub(crate) mod madsim;
pub(crate) mod simulated;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use runtime::timeout;
use tokio::sync::mpsc;

use crate::party::{Observed, Order, Pull, Stage};

/// What is observed last of a party that panicked.
pub(crate) const PANICS: &str = "panics";
/// What is observed last of a party that did not come to its end.
pub(crate) const HANGS: &str = "hangs";

/// A script that takes longer hangs. Those that wait for a time-out of the kernel take three seconds.
const BOUND: Duration = Duration::from_secs(20);

/// What both parties observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Both {
    pub(crate) server: Observed,
    pub(crate) client: Observed,
}

/// What became of a script: what was observed, or why the world itself failed.
pub(crate) type Outcome = Result<Both, String>;

/// Waits for both parties and does what they order. A party's future tells whether it came to its end.
pub(crate) async fn play(
    stages: [Stage; 2],
    mut orders: mpsc::UnboundedReceiver<Order>,
    server: impl Future<Output = bool>,
    client: impl Future<Output = bool>,
    mut pull: impl FnMut(Pull),
) -> Both {
    let parties = async { [timeout(BOUND, server).await, timeout(BOUND, client).await] };
    let mut parties = pin!(parties);
    let ends = loop {
        runtime::select! {
            ends = parties.as_mut() => break ends,
            Some((order, done)) = orders.recv() => {
                pull(order);
                let _gave_up_meanwhile = done.send(());
            }
        }
    };
    for (stage, end) in stages.iter().zip(ends) {
        match end {
            Ok(true) => {}
            Ok(false) => stage.observe(PANICS),
            Err(_elapsed) => stage.observe(HANGS),
        }
    }
    Both { server: stages[0].observed(), client: stages[1].observed() }
}
