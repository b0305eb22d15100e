//! Between two nodes of a simulated world.

use std::future::pending;
use std::net::SocketAddr;

use runtime::TcpListener;
use sim::{Network, Options, Sim};

use super::{Outcome, play};
use crate::party::{Pull, Stage};
use crate::scripts::{Place, Script};
use crate::worlds::kernel::settings;

pub(crate) fn run(script: Script, seed: u64) -> Outcome {
    let net = match script.place {
        Place::Loopback => Network::default(),
        Place::Namespace => {
            Network { backlog: settings::BACKLOG, syn_retries: settings::SYN_RETRIES, ..Network::default() }
        }
    };
    let run = Sim::new(Options { net, ..Options::seed(seed) }).run(move |world| async move {
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
        let ended = async |task: sim::Task<()>| task.await.is_some();
        let pull = |pull| match pull {
            Pull::Cut => world.partition(&server, &client),
            Pull::Heal => world.heal(&server, &client),
        };
        play(stages, orders, ended(serving), ended(asking), pull).await
    });
    run.outcome.map_err(|failure| failure.to_string())
}
