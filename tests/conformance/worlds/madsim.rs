//! Between two nodes on madsim.

use std::future::pending;
use std::net::SocketAddr;

use runtime::TcpListener;
use sim::second::{Second, Task, World};

use super::{Outcome, play};
use crate::party::{Pull, Stage};
use crate::scripts::Script;

pub(crate) fn run(script: Script, seed: u64) -> Outcome {
    let run = Second::seed(seed).run(move |world: World| async move {
        let (server, client) = (world.node("server"), world.node("client"));
        server.boot(pending);
        client.boot(pending);
        let address = SocketAddr::new(server.ip(), 80);
        let listening = server.spawn("listen", TcpListener::bind(address)).await;
        let listener = listening.expect("the node is up").expect("a free port");
        let (stages, orders) = Stage::pair();
        let [one, other] = stages.clone();
        let serving = server.spawn("server", (script.server)(one, listener));
        let asking = client.spawn("client", (script.client)(other, address));
        let ended = async |task: Task<()>| task.await.is_some();
        let pull = |pull| match pull {
            Pull::Cut => world.partition(&server, &client),
            Pull::Heal => world.heal(&server, &client),
        };
        play(stages, orders, ended(serving), ended(asking), pull).await
    });
    run.map_err(|failed| failed.to_string())
}
