//! How streams end.

use std::net::SocketAddr;
use std::time::Duration;

use runtime::{TcpListener, sleep};

use super::{Meeting, Script, accept, connect, script};
use crate::party::{Observed, Party, SETTLE};

pub(crate) fn scripts() -> Vec<Script> {
    vec![
        script!("the_client_closes_its_half_first", answers_after_the_end, asks_and_closes),
        script!("the_server_closes_its_half_first", greets_and_closes, hears_and_still_writes),
        script!("both_close_their_halves_at_once", closes_at_once, closes_at_once_client),
        script!("no_write_after_its_own_end", waits_for_the_end, writes_after_its_end),
        script!("a_drop_with_unread_bytes_resets", drops_unread, feels_a_reset),
        script!("linger_zero_resets", feels_a_reset_server, lingers_not),
        script!("linger_zero_after_bytes_still_delivers_them", reads_then_reset, writes_and_lingers_not),
        script!("a_write_to_a_closed_peer_is_answered_by_a_reset", drops_at_once, writes_in_vain),
        script!("a_reset_while_reading", reset_on_cue, reads_meanwhile),
    ]
}

async fn answers_after_the_end(listener: TcpListener, _: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    party.read_to_end().await;
    party.write(b"answer").await;
    party.write(b", and more").await;
    party.close()
}

async fn asks_and_closes(address: SocketAddr, _: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.write(b"question").await;
    party.shutdown().await;
    party.read_to_end().await;
    party.close()
}

async fn greets_and_closes(listener: TcpListener, _: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    party.write(b"greeting").await;
    party.shutdown().await;
    party.read_to_end().await;
    party.close()
}

async fn hears_and_still_writes(address: SocketAddr, _: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.read_to_end().await;
    party.read_to_end().await;
    party.write(b"still here").await;
    party.close()
}

async fn closes_at_once(listener: TcpListener, meeting: Meeting) -> Observed {
    let party = accept(&listener).await;
    close_at_once(party, meeting).await
}

async fn closes_at_once_client(address: SocketAddr, meeting: Meeting) -> Observed {
    close_at_once(connect(address).await, meeting).await
}

async fn close_at_once(mut party: Party, meeting: Meeting) -> Observed {
    meeting.wait().await;
    party.shutdown().await;
    party.read_to_end().await;
    party.write(b"too late").await;
    sleep(SETTLE).await; // both ends are acknowledged
    party.ask_for_its_peer();
    party.close()
}

async fn waits_for_the_end(listener: TcpListener, meeting: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    party.read_to_end().await;
    meeting.wait().await;
    party.close()
}

async fn writes_after_its_end(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.shutdown().await;
    party.write(b"too late").await;
    party.shutdown().await;
    meeting.wait().await;
    party.close()
}

async fn drops_unread(listener: TcpListener, meeting: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    party.read(1).await;
    sleep(SETTLE).await; // the rest arrives, and is not read
    let observed = party.close();
    meeting.wait().await;
    observed
}

/// After the error was told once, the stream is at its end, and cannot be written (Linux: `sk_err` is cleared when it
/// is read).
async fn after_a_reset(mut party: Party) -> Observed {
    party.ask_for_its_peer();
    party.read_to_end().await;
    party.write(b"into the void").await;
    party.read_to_end().await;
    party.shutdown().await;
    party.close()
}

async fn feels_a_reset(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.write(b"unread").await;
    meeting.wait().await;
    sleep(SETTLE).await;
    after_a_reset(party).await
}

async fn feels_a_reset_server(listener: TcpListener, meeting: Meeting) -> Observed {
    let party = accept(&listener).await;
    meeting.wait().await;
    sleep(SETTLE).await;
    after_a_reset(party).await
}

async fn lingers_not(address: SocketAddr, meeting: Meeting) -> Observed {
    let party = connect(address).await;
    party.stream.set_linger(Some(Duration::ZERO)).expect("set");
    sleep(SETTLE).await; // accepted meanwhile
    let observed = party.close();
    meeting.wait().await;
    observed
}

async fn reads_then_reset(listener: TcpListener, meeting: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    meeting.wait().await;
    sleep(SETTLE).await;
    party.read_to_end().await;
    party.close()
}

async fn writes_and_lingers_not(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.stream.set_linger(Some(Duration::ZERO)).expect("set");
    party.write(b"last words").await;
    sleep(SETTLE).await; // they arrive
    let observed = party.close();
    meeting.wait().await;
    observed
}

async fn drops_at_once(listener: TcpListener, meeting: Meeting) -> Observed {
    let party = accept(&listener).await;
    let observed = party.close();
    meeting.wait().await;
    observed
}

/// The peer's FIN came first, so its RST then means that nobody reads (Linux: EPIPE in CLOSE-WAIT), and reads stay at
/// the end.
async fn writes_in_vain(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    meeting.wait().await;
    party.read_to_end().await;
    party.write(b"accepted by our own kernel").await;
    sleep(SETTLE).await;
    party.write(b"refused").await;
    party.read_to_end().await;
    party.close()
}

async fn reset_on_cue(listener: TcpListener, _: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    party.write(b"first").await;
    sleep(SETTLE).await;
    party.stream.set_linger(Some(Duration::ZERO)).expect("set");
    party.close()
}

async fn reads_meanwhile(address: SocketAddr, _: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.read_to_end().await;
    party.read_to_end().await;
    party.close()
}
