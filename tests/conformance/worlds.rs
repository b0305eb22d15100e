//! A script in each world, and the comparison.

use std::fmt::Write as _;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use runtime::{TcpListener, spawn, timeout};
use sim::Sim;
use tokio::sync::Barrier;

use crate::party::Observed;
use crate::scripts::{Script, closing, flow, refusal};

/// A script that takes longer hangs.
const BOUND: Duration = Duration::from_secs(60);

/// How many simulated worlds have to agree with the kernel, and how many where much is moved.
const SEEDS: (u64, u64) = (40, 2);

/// What both parties observed.
#[derive(Debug, PartialEq, Eq)]
struct Both {
    server: Observed,
    client: Observed,
}

/// On the kernel's loopback.
fn on_the_kernel(script: Script) -> Both {
    let both = runtime::process::block_on(None, async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let meeting = Arc::new(Barrier::new(2));
        let server = spawn("server", (script.server)(listener, Arc::clone(&meeting)));
        let client = spawn("client", (script.client)(address, meeting));
        let (server, client) = (timeout(BOUND, server).await, timeout(BOUND, client).await);
        Both {
            server: server.expect("the server hangs").expect("the server ends"),
            client: client.expect("the client hangs").expect("the client ends"),
        }
    });
    both.expect("a runtime")
}

/// Between two nodes of a simulated world.
fn in_a_world(script: Script, seed: u64) -> Both {
    let run = Sim::seed(seed).run(move |world| async move {
        let (server, client) = (world.node("server"), world.node("client"));
        server.boot(pending);
        client.boot(pending);
        let address = SocketAddr::new(server.ip(), 80);
        let listening = server.spawn("listen", TcpListener::bind(address)).await;
        let listener = listening.expect("the node is up").expect("a free port");
        let meeting = Arc::new(Barrier::new(2));
        let server = server.spawn("server", (script.server)(listener, Arc::clone(&meeting)));
        let client = client.spawn("client", (script.client)(address, meeting));
        let (server, client) = (world.within(BOUND, server).await, world.within(BOUND, client).await);
        Both {
            server: server.expect("the server hangs").expect("the server ends"),
            client: client.expect("the client hangs").expect("the client ends"),
        }
    });
    run.expect_ok()
}

/// Runs scripts in all worlds; tells all differences at once.
fn agree(scripts: Vec<Script>, seeds: u64) {
    let mut differences = String::new();
    for script in scripts {
        let kernel = on_the_kernel(script);
        for seed in 0..seeds {
            let simulated = in_a_world(script, seed);
            if simulated != kernel {
                writeln!(
                    differences,
                    "{}: the kernel shows {kernel:#?}\nseed {seed} {simulated:#?}",
                    script.name
                )
                .expect("a string takes all");
                break;
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn bytes_flow_alike() {
    agree(flow::scripts(), SEEDS.0);
}

#[test]
fn full_windows_stop_alike() {
    agree(flow::floods(), SEEDS.1);
}

#[test]
fn streams_end_alike() {
    agree(closing::scripts(), SEEDS.0);
}

#[test]
fn connections_fail_alike() {
    agree(refusal::scripts(), SEEDS.0);
}
