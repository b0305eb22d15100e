//! Resets: who sends them, and what is felt of them.

use std::net::SocketAddr;
use std::time::Duration;

use runtime::TcpListener;

use super::flow::FLOOD;
use super::{Script, script};
use crate::party::{Party, Stage, patterned, settle};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(a_drop_with_unread_bytes_resets, drops_unread, feels_a_reset),
        script!(
            a_drop_after_its_own_end_with_unread_bytes_resets,
            ends_and_drops_unread,
            feels_it_after_the_end
        ),
        script!(linger_zero_resets, feels_a_reset_server, lingers_not).with_linger(),
        script!(linger_below_a_second_resets, feels_a_reset_server, lingers_for_half_a_second).with_linger(),
        script!(linger_zero_after_bytes_still_delivers_them, reads_then_reset, writes_and_lingers_not)
            .with_linger(),
        script!(linger_zero_after_its_own_end_resets, reads_until_a_reset, ends_and_lingers_not)
            .with_linger(),
        script!(linger_zero_taken_back_does_not_reset, hears_the_end, lingers_after_all).with_linger(),
        script!(a_reset_while_reading, reset_on_cue, reads_meanwhile).with_linger(),
        script!(a_reset_while_writing, drops_while_flooded, writes_meanwhile).moving_much(),
        script!(a_reset_leaves_what_has_arrived, reads_what_is_left, floods_and_lingers_not)
            .moving_much()
            .with_linger(),
        script!(a_reset_after_the_peers_end_is_no_error_to_a_reader, resets_after_its_end, reads_on)
            .with_linger(),
        script!(two_resets_are_one, both_reset, both_reset_client).with_linger(),
    ]
}

async fn drops_unread(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read(1).await;
    settle().await; // the rest arrives, and is not read
    party.close();
    stage.meet().await;
}

/// After the error was told once, the stream is at its end, and cannot be written (Linux: `sk_err` is cleared when it
/// is read).
async fn after_a_reset(mut party: Party) {
    party.ask_for_its_peer();
    party.read_to_end().await;
    party.write(b"into the void").await;
    party.read_to_end().await;
    party.shutdown().await;
    party.close();
}

async fn feels_a_reset(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"unread").await;
    stage.meet().await;
    settle().await;
    after_a_reset(party).await;
}

async fn ends_and_drops_unread(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.write(b"the end").await;
    party.shutdown().await;
    stage.meet().await;
    settle().await;
    party.close();
    stage.meet().await;
}

/// The end came first: a write finds nobody, a read the end.
async fn feels_it_after_the_end(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"unread").await;
    stage.meet().await;
    stage.meet().await;
    settle().await;
    party.ask_for_its_peer();
    party.read_to_end().await;
    party.write(b"into the void").await;
    party.write(b"and again").await;
    party.close();
}

async fn feels_a_reset_server(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    stage.meet().await;
    settle().await;
    after_a_reset(party).await;
}

async fn lingers_not(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    party.linger_not();
    settle().await; // accepted meanwhile
    party.close();
    stage.meet().await;
}

/// `l_linger` counts whole seconds.
async fn lingers_for_half_a_second(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    party.linger(Duration::from_millis(500));
    settle().await; // accepted meanwhile
    party.close();
    stage.meet().await;
}

async fn reads_then_reset(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    settle().await;
    party.read_to_end().await;
    party.close();
}

async fn writes_and_lingers_not(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.linger_not();
    party.write(b"last words").await;
    settle().await; // they arrive
    party.close();
    stage.meet().await;
}

async fn reads_until_a_reset(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    stage.meet().await;
    stage.meet().await;
    settle().await;
    party.write(b"into the void").await;
    party.write(b"and again").await;
    party.read_to_end().await;
    party.close();
}

async fn ends_and_lingers_not(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"said").await;
    party.shutdown().await;
    party.linger_not();
    stage.meet().await;
    party.close();
    stage.meet().await;
}

async fn hears_the_end(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    party.close();
}

async fn lingers_after_all(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.linger_not();
    party.write(b"words").await;
    party.stream.set_linger(None).expect("set back");
    party.close();
}

async fn reset_on_cue(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    party.write(b"first").await;
    settle().await;
    party.linger_not();
    party.close();
}

async fn reads_meanwhile(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    stage.meet().await;
    party.read_to_end().await;
    party.read_to_end().await;
    party.close();
}

async fn drops_while_flooded(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read(1).await;
    settle().await;
    party.close();
}

/// Waits on a full window when the reset comes.
async fn writes_meanwhile(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(&patterned(FLOOD)).await;
    party.read_to_end().await;
    party.close();
}

async fn reads_what_is_left(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    settle().await;
    party.ask_for_its_peer();
    party.read(1_000).await;
    party.read_some_to_the_end().await;
    party.close();
}

async fn floods_and_lingers_not(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.linger_not();
    let flood = patterned(FLOOD);
    let stopped = runtime::timeout(5 * crate::party::SETTLE, party.write(&flood)).await;
    party.observe(format!("was stopped: {}", stopped.is_err()));
    party.close();
    stage.meet().await;
}

async fn resets_after_its_end(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    party.write(b"the end").await;
    party.shutdown().await;
    settle().await;
    party.linger_not();
    party.close();
    stage.meet().await;
}

async fn reads_on(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    stage.meet().await;
    stage.meet().await;
    settle().await;
    party.ask_for_its_peer();
    party.read_to_end().await;
    party.read_to_end().await;
    party.shutdown().await;
    party.close();
}

async fn both_reset(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    party.linger_not();
    stage.meet().await;
    party.close();
    settle().await;
    stage.serve_another(&listener).await;
}

async fn both_reset_client(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    party.linger_not();
    stage.meet().await;
    party.close();
    settle().await;
    stage.try_another(address).await;
}
