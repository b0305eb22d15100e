//! Connections that do not come about, and listeners that go.

use std::net::SocketAddr;

use runtime::{TcpListener, TcpStream, timeout};

use super::addresses::only_meets;
use super::{Script, script};
use crate::party::{SETTLE, Stage, settle};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(nobody_listens, leaves, is_refused),
        script!(port_zero_listens_to_nobody, connects_to_zero, only_meets),
        script!(a_dropped_listener_resets_who_waits, drops_its_listener, waited_in_the_backlog),
        script!(a_dropped_listener_leaves_the_accepted, drops_its_listener_only, was_accepted),
        script!(a_stream_outlives_its_listener, drops_its_listener_first, is_told_of_the_end),
        script!(who_connects_may_write_before_the_accept, accepts_late, writes_early),
        script!(who_is_gone_before_the_accept_is_still_accepted, accepts_the_gone, writes_and_goes),
        script!(who_resets_before_the_accept_is_still_accepted, accepts_the_reset, resets_early)
            .with_linger(),
        script!(accepts_come_in_the_order_of_connects, accepts_in_order, connects_in_order),
        script!(an_accept_that_is_given_up_loses_nobody, gives_up_and_accepts, connects_after_that),
        script!(many_connections_at_once, serves_many, makes_many),
        script!(a_full_backlog_lets_nobody_in, accepts_when_full, fills_the_backlog)
            .in_a_namespace()
            .with_backlog(),
    ]
}

async fn leaves(stage: Stage, listener: TcpListener) {
    drop(listener);
    stage.meet().await;
}

async fn is_refused(stage: Stage, address: SocketAddr) {
    stage.meet().await;
    for _ in 0..2 {
        drop(stage.attempt(address).await);
    }
}

async fn connects_to_zero(stage: Stage, listener: TcpListener) {
    let zero = SocketAddr::new(listener.local_addr().expect("bound").ip(), 0);
    drop(stage.attempt(zero).await);
    stage.meet().await;
}

async fn drops_its_listener(stage: Stage, listener: TcpListener) {
    stage.meet().await;
    drop(listener);
    stage.meet().await;
}

async fn waited_in_the_backlog(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    stage.meet().await;
    stage.meet().await;
    party.read_to_end().await;
    drop(stage.attempt(address).await);
    party.close();
}

async fn drops_its_listener_only(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    drop(listener);
    stage.meet().await;
    party.read(4).await;
    party.write(b"yes").await;
    party.close();
}

async fn was_accepted(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    stage.meet().await;
    drop(stage.attempt(address).await);
    party.write(b"here").await;
    party.read_to_end().await;
    party.close();
}

/// The order of drops is that of the fields, or of the code: a listener's goes first here.
async fn drops_its_listener_first(stage: Stage, listener: TcpListener) {
    let accepted = stage.accept(&listener).await;
    stage.meet().await;
    settle().await; // another one waits in the backlog
    drop((listener, accepted));
    stage.meet().await;
}

async fn is_told_of_the_end(stage: Stage, address: SocketAddr) {
    let mut accepted = stage.connect(address).await;
    let mut waiting = stage.connect(address).await;
    stage.meet().await;
    stage.meet().await;
    accepted.read_to_end().await;
    waiting.read_to_end().await;
}

async fn accepts_late(stage: Stage, listener: TcpListener) {
    stage.meet().await;
    settle().await;
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    party.close();
}

pub(super) async fn writes_early(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"early").await;
    party.shutdown().await;
    stage.meet().await;
    party.read_to_end().await;
    party.close();
}

async fn accepts_the_gone(stage: Stage, listener: TcpListener) {
    stage.meet().await;
    settle().await;
    let mut party = stage.accept(&listener).await;
    party.ask_for_its_peer();
    party.read_to_end().await;
    party.write(b"to nobody").await;
    settle().await;
    party.write(b"to nobody").await;
    party.close();
}

async fn writes_and_goes(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"was here").await;
    party.close();
    stage.meet().await;
}

async fn accepts_the_reset(stage: Stage, listener: TcpListener) {
    stage.meet().await;
    settle().await;
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    party.write(b"to nobody").await;
    party.read_to_end().await;
    party.close();
}

async fn resets_early(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"was here").await;
    settle().await;
    party.linger_not();
    party.close();
    stage.meet().await;
}

async fn accepts_in_order(stage: Stage, listener: TcpListener) {
    stage.meet().await;
    for _ in 0..5 {
        stage.accept(&listener).await.read_to_end().await;
    }
}

async fn connects_in_order(stage: Stage, address: SocketAddr) {
    for number in 0..5 {
        let mut party = stage.connect(address).await;
        party.write(format!("number {number}").as_bytes()).await;
        settle().await; // the last step of the handshake has arrived before the next one begins
    }
    stage.meet().await;
}

async fn gives_up_and_accepts(stage: Stage, listener: TcpListener) {
    let early = timeout(SETTLE, listener.accept()).await;
    stage.observe(format!("given up: {}", early.is_err()));
    stage.meet().await;
    settle().await;
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    let none = timeout(SETTLE, listener.accept()).await;
    stage.observe(format!("nobody else: {}", none.is_err()));
}

async fn connects_after_that(stage: Stage, address: SocketAddr) {
    stage.meet().await;
    let mut party = stage.connect(address).await;
    party.write(b"here").await;
    party.close();
}

/// How many at once.
const MANY: usize = 64;

async fn serves_many(stage: Stage, listener: TcpListener) {
    let mut serving = Vec::new();
    for _ in 0..MANY {
        let (mut stream, _) = listener.accept().await.expect("clients connect");
        serving.push(runtime::spawn("serve", async move {
            let (mut read, mut write) = tokio::io::split(&mut stream);
            tokio::io::copy(&mut read, &mut write).await.map_err(|error| error.kind())
        }));
    }
    let mut echoed = 0;
    for served in serving {
        echoed += served.await.expect("it ends").expect("the client ends first");
    }
    stage.observe(format!("echoed {echoed} bytes"));
}

async fn makes_many(stage: Stage, address: SocketAddr) {
    let mut clients = Vec::new();
    for number in 0..MANY {
        clients.push(runtime::spawn("client", async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut stream = TcpStream::connect(address).await?;
            let data = vec![u8::try_from(number).expect("below 256"); 1_000];
            stream.write_all(&data).await?;
            let mut back = vec![0; data.len()];
            stream.read_exact(&mut back).await?;
            std::io::Result::Ok(back == data)
        }));
    }
    let mut well = 0;
    for client in clients {
        well += usize::from(client.await.expect("it ends").is_ok_and(|equal| equal));
    }
    stage.observe(format!("{well} of {MANY} got back what was theirs"));
}

/// What comes in between two SYNs, and is long enough for a handshake.
const WAIT: std::time::Duration = std::time::Duration::from_millis(400);

async fn accepts_when_full(stage: Stage, listener: TcpListener) {
    stage.meet().await;
    let mut taken = 0;
    while timeout(WAIT, listener.accept()).await.is_ok() {
        taken += 1;
    }
    stage.observe(format!("{taken} waited"));
    stage.meet().await;
    settle().await;
    drop(stage.accept(&listener).await);
    stage.observe("accepted who asked again");
}

async fn fills_the_backlog(stage: Stage, address: SocketAddr) {
    let mut waiting = Vec::new();
    while let Ok(connected) = timeout(WAIT, TcpStream::connect(address)).await {
        waiting.push(connected.expect("the server listens"));
        assert!(waiting.len() < 100, "the backlog has a bound");
        settle().await;
    }
    stage.observe(format!("{} connected, then nobody", waiting.len()));
    stage.meet().await;
    stage.meet().await;
    stage.observe(format!("then: {}", TcpStream::connect(address).await.is_ok()));
}
