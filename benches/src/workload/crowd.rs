//! Many nodes: what an event costs must not depend on how many there are.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use runtime::{TcpListener, TcpStream, sleep, spawn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::ECHO_BYTES;
use crate::contender::{PORT, fine};

/// Echoes of all nodes together, however many these are: a thousand each of five hundred, beside which their boots do not
/// count.
pub const CROWD_ECHOES: usize = 500_000;

/// A ring of nodes, each of which echoes a message with the next one once a second over one connection.
pub fn crowd(nodes: usize) {
    let options = sim::Options { polls_max: u64::MAX, ..sim::Options::seed(1) };
    let run = sim::Sim::new(options).run(move |world| async move {
        let ring: Vec<_> = (0..nodes).map(|number| world.node(&format!("node-{number}"))).collect();
        for (number, node) in ring.iter().enumerate() {
            let next = SocketAddr::from((ring[(number + 1) % nodes].ip(), PORT));
            node.boot(move || async move {
                let listener = fine(TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT).into()).await);
                drop(spawn("serve", async move {
                    let (stream, _) = fine(listener.accept().await);
                    echo(stream).await;
                }));
                // Everybody listens by then.
                sleep(Duration::from_secs(1)).await;
                ask(next, CROWD_ECHOES / nodes).await;
            });
        }
        for node in &ring {
            node.ended().await;
        }
    });
    run.expect_ok();
}

async fn echo(mut stream: TcpStream) {
    let mut message = [0; ECHO_BYTES];
    while stream.read_exact(&mut message).await.is_ok() {
        if stream.write_all(&message).await.is_err() {
            return;
        }
    }
}

async fn ask(next: SocketAddr, times: usize) {
    let mut stream = fine(TcpStream::connect(next).await);
    let mut message = [7; ECHO_BYTES];
    for _ in 0..times {
        sleep(Duration::from_secs(1)).await;
        // A neighbour that is done has gone, and its process with it.
        if stream.write_all(&message).await.is_err() || stream.read_exact(&mut message).await.is_err() {
            return;
        }
    }
}
