//! Whose address is which, and when one can be taken again.

use std::net::{Ipv4Addr, SocketAddr};

use runtime::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Script, script};
use crate::party::{Party, Stage, settle};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(both_ends_agree_on_their_addresses, compares_addresses, tells_its_addresses),
        script!(connections_differ_in_their_ports, takes_three, makes_three),
        script!(port_zero_takes_a_free_one, binds_to_zero, only_meets),
        script!(an_address_is_taken_once, listens_twice, only_meets),
        // In a namespace its port is surely nobody else's.
        script!(all_addresses_and_one_clash, listens_everywhere, only_meets).in_a_namespace(),
        script!(nobody_listens_on_anothers_address, listens_elsewhere, only_meets),
        script!(an_address_is_free_again_while_its_streams_live, listens_again, stays_connected),
        script!(an_address_is_free_again_after_its_own_ends, closes_first_and_listens_again, connects_twice),
        script!(a_listener_that_is_gone_may_come_back, goes_and_comes_back, tries_thrice),
        script!(no_address_at_all_is_ones_own_host, connects_to_no_address, only_meets),
        script!(two_listeners_are_two, listens_on_two_ports, connects_to_the_second),
    ]
}

/// The other party tells its addresses in words, over the stream itself.
async fn compares_addresses(stage: Stage, listener: TcpListener) {
    let (mut stream, from) = listener.accept().await.expect("the client connects");
    let mine = (stream.local_addr().expect("connected"), stream.peer_addr().expect("connected"));
    stage.observe(format!("accepted from its peer: {}", from == mine.1));
    stage.observe(format!(
        "where it listens: {}",
        mine.0.port() == listener.local_addr().expect("bound").port()
    ));
    let mut told = String::new();
    stream.read_to_string(&mut told).await.expect("the client tells");
    stage.observe(format!("as the client says: {}", told == format!("{} {}", mine.1, mine.0)));
}

async fn tells_its_addresses(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    let (local, peer) =
        (party.stream.local_addr().expect("connected"), party.stream.peer_addr().expect("connected"));
    party.observe(format!("connected to whom it asked for: {}", peer == address));
    party.observe(format!("from a port of its own: {}", local.port() != 0 && local != peer));
    let told = format!("{local} {peer}");
    party.stream.write_all(told.as_bytes()).await.expect("the server reads");
    party.close();
}

async fn takes_three(stage: Stage, listener: TcpListener) {
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(stage.accept(&listener).await);
    }
    let port = |party: &Party| party.stream.peer_addr().expect("connected").port();
    let mut ports: Vec<u16> = held.iter().map(port).collect();
    ports.sort_unstable();
    ports.dedup();
    stage.observe(format!("{} ports", ports.len()));
    stage.meet().await;
    drop(held);
}

async fn makes_three(stage: Stage, address: SocketAddr) {
    let held = [stage.connect(address).await, stage.connect(address).await, stage.connect(address).await];
    stage.meet().await;
    drop(held);
}

/// Where this party lives.
fn home(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("bound")
}

async fn try_to_listen(address: SocketAddr) -> Result<TcpListener, std::io::ErrorKind> {
    TcpListener::bind(address).await.map_err(|error| error.kind())
}

async fn binds_to_zero(stage: Stage, listener: TcpListener) {
    let any = SocketAddr::new(home(&listener).ip(), 0);
    let (one, other) = (try_to_listen(any).await, try_to_listen(any).await);
    let port =
        |listener: &Result<TcpListener, _>| home(listener.as_ref().expect("there are free ports")).port();
    let ports = [port(&one), port(&other), home(&listener).port()];
    let differ = ports[0] != ports[1] && ports[0] != ports[2] && ports[1] != ports[2];
    stage.observe(format!("none is zero: {}, all differ: {differ}", !ports.contains(&0)));
    stage.meet().await;
}

/// The unspecified address, as what to connect to.
async fn connects_to_no_address(stage: Stage, _listener: TcpListener) {
    let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.expect("there are free ports");
    let nowhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), home(&own).port());
    match TcpStream::connect(nowhere).await {
        Ok(stream) => {
            let (local, peer) =
                (stream.local_addr().expect("connected"), stream.peer_addr().expect("connected"));
            stage.observe(format!("from {} to {}", local.ip(), peer.ip()));
            let from = own.accept().await.expect("somebody connected").1;
            stage.observe(format!("accepted from there: {}", from == local));
        }
        Err(error) => stage.observe(format!("{:?}", error.kind())),
    }
    stage.meet().await;
}

async fn listens_twice(stage: Stage, listener: TcpListener) {
    let address = home(&listener);
    stage.observe(format!("second: {:?}", try_to_listen(address).await.map(drop)));
    drop(listener);
    stage.observe(format!("after the first: {:?}", try_to_listen(address).await.map(drop)));
    stage.meet().await;
}

pub(super) async fn only_meets(stage: Stage, _: SocketAddr) {
    stage.meet().await;
}

async fn listens_everywhere(stage: Stage, listener: TcpListener) {
    let everywhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), home(&listener).port());
    stage.observe(format!("besides one: {:?}", try_to_listen(everywhere).await.map(drop)));
    let address = home(&listener);
    drop(listener);
    let all = try_to_listen(everywhere).await;
    stage.observe(format!("alone: {:?}", all.as_ref().map(drop)));
    stage.observe(format!("one besides: {:?}", try_to_listen(address).await.map(drop)));
    stage.meet().await;
}

/// 192.0.2.1: an address of nobody (TEST-NET-1, RFC 5737).
async fn listens_elsewhere(stage: Stage, _listener: TcpListener) {
    let elsewhere = SocketAddr::from(([192, 0, 2, 1], 80));
    stage.observe(format!("{:?}", try_to_listen(elsewhere).await.map(drop)));
    stage.meet().await;
}

async fn listens_again(stage: Stage, listener: TcpListener) {
    let address = home(&listener);
    let mut first = stage.accept(&listener).await;
    drop(listener);
    let again = try_to_listen(address).await;
    stage.observe(format!("again: {:?}", again.as_ref().map(drop)));
    stage.meet().await;
    first.read_to_end().await;
    first.close();
}

async fn stays_connected(stage: Stage, address: SocketAddr) {
    let mut first = stage.connect(address).await;
    stage.meet().await;
    first.write(b"still the first").await;
    first.close();
}

/// Its end comes first, so the address rests at this side (TIME-WAIT), which a listener need not mind.
async fn closes_first_and_listens_again(stage: Stage, listener: TcpListener) {
    let address = home(&listener);
    let party = stage.accept(&listener).await;
    party.close();
    drop(listener);
    stage.meet().await;
    settle().await;
    let again = try_to_listen(address).await;
    stage.observe(format!("again: {:?}", again.as_ref().map(drop)));
    stage.meet().await;
    if let Ok(listener) = again {
        let mut second = stage.accept(&listener).await;
        second.read_to_end().await;
    }
}

async fn connects_twice(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.read_to_end().await;
    party.close();
    stage.meet().await;
    stage.meet().await;
    if let Some(mut second) = stage.attempt(address).await {
        second.write(b"second").await;
    }
}

async fn goes_and_comes_back(stage: Stage, listener: TcpListener) {
    let address = home(&listener);
    drop(stage.accept(&listener).await);
    drop(listener);
    stage.meet().await;
    stage.meet().await;
    let again = try_to_listen(address).await;
    stage.observe(format!("again: {:?}", again.as_ref().map(drop)));
    stage.meet().await;
    stage.meet().await;
}

async fn tries_thrice(stage: Stage, address: SocketAddr) {
    drop(stage.attempt(address).await);
    stage.meet().await;
    drop(stage.attempt(address).await);
    stage.meet().await;
    stage.meet().await;
    drop(stage.attempt(address).await);
    stage.meet().await;
}

async fn listens_on_two_ports(stage: Stage, first: TcpListener) {
    let second = try_to_listen(SocketAddr::new(home(&first).ip(), 0)).await.expect("there are free ports");
    let mut known = stage.accept(&first).await;
    known.write(&home(&second).port().to_be_bytes()).await;
    let mut party = stage.accept(&second).await;
    party.read_to_end().await;
    let nobody = runtime::timeout(crate::party::SETTLE, first.accept()).await;
    stage.observe(format!("nobody came to the first: {}", nobody.is_err()));
    stage.meet().await;
}

async fn connects_to_the_second(stage: Stage, address: SocketAddr) {
    let mut known = stage.connect(address).await;
    let mut port = [0; 2];
    known.stream.read_exact(&mut port).await.expect("the server tells");
    let second = SocketAddr::new(address.ip(), u16::from_be_bytes(port));
    let mut party = stage.connect(second).await;
    party.write(b"to the second").await;
    party.close();
    stage.meet().await;
}
