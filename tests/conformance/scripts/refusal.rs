//! Connections that do not come about, and listeners that go.

use std::net::SocketAddr;

use runtime::{TcpListener, TcpStream, sleep};

use super::{Meeting, Script, accept, connect, script};
use crate::party::{Observed, SETTLE};

pub(crate) fn scripts() -> Vec<Script> {
    vec![
        script!("nobody_listens", leaves, is_refused),
        script!("an_address_is_taken_once", listens_twice, only_meets),
        script!("a_dropped_listener_resets_who_waits", drops_its_listener, waited_in_the_backlog),
        script!("a_dropped_listener_leaves_the_accepted", drops_its_listener_only, was_accepted),
        script!("who_connects_may_write_before_the_accept", accepts_late, writes_early),
    ]
}

async fn leaves(listener: TcpListener, meeting: Meeting) -> Observed {
    drop(listener);
    meeting.wait().await;
    Observed::new()
}

async fn attempt(address: SocketAddr) -> String {
    match TcpStream::connect(address).await {
        Ok(_) => "connected".to_owned(),
        Err(error) => format!("connect: {:?}", error.kind()),
    }
}

async fn is_refused(address: SocketAddr, meeting: Meeting) -> Observed {
    meeting.wait().await;
    vec![attempt(address).await, attempt(address).await]
}

async fn listens_twice(listener: TcpListener, meeting: Meeting) -> Observed {
    let address = listener.local_addr().expect("bound");
    let taken = TcpListener::bind(address).await.map(drop).map_err(|error| error.kind());
    drop(listener);
    let free = TcpListener::bind(address).await.map(drop).map_err(|error| error.kind());
    meeting.wait().await;
    vec![format!("second: {taken:?}"), format!("after the first: {free:?}")]
}

async fn only_meets(_: SocketAddr, meeting: Meeting) -> Observed {
    meeting.wait().await;
    Observed::new()
}

async fn drops_its_listener(listener: TcpListener, meeting: Meeting) -> Observed {
    meeting.wait().await;
    drop(listener);
    meeting.wait().await;
    Observed::new()
}

async fn waited_in_the_backlog(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    meeting.wait().await;
    meeting.wait().await;
    party.read_to_end().await;
    party.observe(attempt(address).await);
    party.close()
}

async fn drops_its_listener_only(listener: TcpListener, meeting: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    drop(listener);
    meeting.wait().await;
    party.read(4).await;
    party.write(b"yes").await;
    party.close()
}

async fn was_accepted(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    meeting.wait().await;
    party.observe(attempt(address).await);
    party.write(b"here").await;
    party.read_to_end().await;
    party.close()
}

async fn accepts_late(listener: TcpListener, meeting: Meeting) -> Observed {
    meeting.wait().await;
    sleep(SETTLE).await;
    let mut party = accept(&listener).await;
    party.read_to_end().await;
    party.close()
}

async fn writes_early(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.write(b"early").await;
    party.shutdown().await;
    meeting.wait().await;
    party.read_to_end().await;
    party.close()
}
