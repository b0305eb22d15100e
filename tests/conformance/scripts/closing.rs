//! How streams end by themselves.

use std::net::SocketAddr;

use runtime::TcpListener;
use tokio::io::AsyncWriteExt;

use super::flow::FLOOD;
use super::refusal::writes_early;
use super::{Script, script};
use crate::party::{Party, Stage, patterned, settle};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(the_client_closes_its_half_first, answers_after_the_end, asks_and_closes),
        script!(the_server_closes_its_half_first, greets_and_closes, hears_and_still_writes),
        script!(both_close_their_halves_at_once, closes_at_once, closes_at_once_client),
        script!(no_write_after_its_own_end, waits_for_the_end, writes_after_its_end),
        script!(a_second_shutdown_says_nothing, waits_for_the_end, shuts_down_twice),
        script!(both_drop_at_once, drops_at_once, drops_at_once_client),
        script!(the_end_comes_behind_all_bytes, reads_all_late, writes_much_and_closes).moving_much(),
        script!(what_was_sent_before_a_drop_is_read_late, writes_and_drops, reads_late),
        script!(an_end_is_told_again_and_again, drops_a_greeted, reads_three_times),
        script!(a_peer_stays_known_after_its_end, closes_and_waits, asks_for_its_peer),
        script!(a_write_to_a_closed_peer_is_answered_by_a_reset, drops_a_stream, writes_in_vain),
        script!(an_unread_end_is_no_unread_byte, reads_to_the_end_of_both, drops_with_an_unread_end),
        script!(a_shutdown_before_the_accept_is_heard, accepts_late, writes_early),
    ]
}

async fn answers_after_the_end(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    party.write(b"answer").await;
    party.write(b", and more").await;
    party.close();
}

async fn asks_and_closes(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"question").await;
    party.shutdown().await;
    party.read_to_end().await;
    party.close();
}

async fn greets_and_closes(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.write(b"greeting").await;
    party.shutdown().await;
    party.read_to_end().await;
    party.close();
}

async fn hears_and_still_writes(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.read_to_end().await;
    party.read_to_end().await;
    party.write(b"still here").await;
    party.close();
}

async fn closes_at_once(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    close_at_once(stage, party).await;
}

async fn closes_at_once_client(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    close_at_once(stage, party).await;
}

async fn close_at_once(stage: Stage, mut party: Party) {
    stage.meet().await;
    party.shutdown().await;
    party.read_to_end().await;
    party.write(b"too late").await;
    settle().await; // both ends are acknowledged
    party.ask_for_its_peer();
    party.close();
}

async fn waits_for_the_end(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    stage.meet().await;
    party.close();
}

async fn writes_after_its_end(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.shutdown().await;
    party.write(b"too late").await;
    party.write(b"").await;
    stage.meet().await;
    party.close();
}

async fn shuts_down_twice(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"once").await;
    party.shutdown().await;
    party.shutdown().await;
    stage.meet().await;
    party.read_to_end().await;
    party.shutdown().await;
    party.close();
}

async fn drops_at_once(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    stage.meet().await;
    party.close();
    settle().await;
    stage.serve_another(&listener).await;
}

async fn drops_at_once_client(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    stage.meet().await;
    party.close();
    settle().await;
    stage.try_another(address).await;
}

async fn reads_all_late(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    settle().await;
    party.read_to_end().await;
    party.write(b"all of it").await;
    stage.meet().await;
    party.close();
}

async fn writes_much_and_closes(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(&patterned(FLOOD / 4)).await;
    party.shutdown().await;
    stage.meet().await;
    party.read_to_end().await;
    party.close();
}

async fn writes_and_drops(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.write(&patterned(10_000)).await;
    party.close();
    stage.meet().await;
}

async fn reads_late(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    stage.meet().await;
    settle().await;
    party.read(4_000).await;
    party.read_to_end().await;
    party.close();
}

async fn drops_a_greeted(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.write(b"bye").await;
    party.close();
}

async fn reads_three_times(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    for _ in 0..3 {
        party.read_to_end().await;
    }
    party.read(1).await;
    party.close();
}

async fn closes_and_waits(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.shutdown().await;
    party.ask_for_its_peer();
    stage.meet().await;
    party.ask_for_its_peer();
    party.close();
}

async fn asks_for_its_peer(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.read_to_end().await;
    party.ask_for_its_peer();
    stage.meet().await;
    settle().await; // the server has dropped its stream
    party.ask_for_its_peer();
    party.close();
}

async fn drops_a_stream(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    party.close();
    stage.meet().await;
}

/// The peer's FIN came first, so its RST then means that nobody reads (Linux: EPIPE in CLOSE-WAIT), and reads stay at
/// the end.
async fn writes_in_vain(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    stage.meet().await;
    party.read_to_end().await;
    party.write(b"accepted by our own kernel").await;
    settle().await;
    party.write(b"refused").await;
    party.read_to_end().await;
    party.close();
}

async fn reads_to_the_end_of_both(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    let closed = party.stream.shutdown().await;
    party.observe(format!("{closed:?}"));
    settle().await;
    stage.meet().await;
    party.read_to_end().await;
    party.close();
}

/// The peer's end has arrived and was never read: that alone makes no RST.
async fn drops_with_an_unread_end(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    stage.meet().await;
    party.close();
}

async fn accepts_late(stage: Stage, listener: TcpListener) {
    stage.meet().await;
    settle().await;
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    party.write(b"heard").await;
    party.close();
}
