//! A network that loses everything for a while. On the kernel: a loopback of its own whose queue swallows all.

use std::net::SocketAddr;
use std::time::Duration;

use runtime::{TcpListener, timeout};

use super::{Script, script};
use crate::party::{Pull, SETTLE, Stage, settle};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(a_silent_network_times_a_connect_out, waits_through_a_cut, connects_into_silence)
            .in_a_namespace(),
        script!(a_connect_gets_through_when_the_network_heals, accepts_after_a_cut, connects_through_a_cut)
            .in_a_namespace(),
        script!(what_is_written_into_silence_arrives_later, reads_through_a_cut, writes_through_a_cut)
            .in_a_namespace(),
        script!(an_end_into_silence_arrives_later, reads_through_a_cut, ends_through_a_cut).in_a_namespace(),
        script!(a_lost_reset_is_given_again, writes_to_the_gone, resets_into_silence)
            .in_a_namespace()
            .with_linger(),
        script!(a_user_timeout_ends_the_wait, hears_of_the_end_later, gives_up_on_silence)
            .in_a_namespace()
            .with_user_timeout(),
    ]
}

async fn waits_through_a_cut(stage: Stage, listener: TcpListener) {
    stage.pull(Pull::Cut).await;
    stage.meet().await;
    stage.meet().await;
    stage.pull(Pull::Heal).await;
    let nobody = timeout(SETTLE, listener.accept()).await;
    stage.observe(format!("nobody came: {}", nobody.is_err()));
}

async fn connects_into_silence(stage: Stage, address: SocketAddr) {
    stage.meet().await;
    drop(stage.attempt(address).await);
    stage.meet().await;
}

async fn accepts_after_a_cut(stage: Stage, listener: TcpListener) {
    stage.pull(Pull::Cut).await;
    stage.meet().await;
    runtime::sleep(5 * SETTLE).await;
    stage.pull(Pull::Heal).await;
    let mut party = stage.accept(&listener).await;
    party.read_to_end().await;
    party.close();
}

async fn connects_through_a_cut(stage: Stage, address: SocketAddr) {
    stage.meet().await;
    if let Some(mut party) = stage.attempt(address).await {
        party.write(b"at last").await;
        party.close();
    }
}

async fn reads_through_a_cut(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read(5).await;
    stage.pull(Pull::Cut).await;
    stage.meet().await;
    stage.meet().await;
    let nothing = timeout(SETTLE, tokio::io::AsyncReadExt::read(&mut party.stream, &mut [0; 64])).await;
    party.observe(format!("nothing arrives: {}", nothing.is_err()));
    stage.pull(Pull::Heal).await;
    party.read_to_end().await;
    party.close();
}

async fn writes_through_a_cut(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"first").await;
    stage.meet().await;
    party.write(b"; second").await;
    party.write(b"; third").await;
    stage.meet().await;
    party.shutdown().await;
    party.read_to_end().await;
    party.close();
}

async fn ends_through_a_cut(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"first").await;
    stage.meet().await;
    party.close();
    stage.meet().await;
}

/// The RST was lost, and is given again to the bytes that find nobody.
async fn writes_to_the_gone(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.pull(Pull::Cut).await;
    stage.meet().await;
    stage.meet().await;
    stage.pull(Pull::Heal).await;
    let nothing = timeout(SETTLE, tokio::io::AsyncReadExt::read(&mut party.stream, &mut [0; 64])).await;
    party.observe(format!("knows of nothing: {}", nothing.is_err()));
    party.ask_for_its_peer();
    party.write(b"are you there").await;
    party.read_to_end().await;
    party.write(b"hello").await;
    party.close();
}

async fn resets_into_silence(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    stage.meet().await;
    party.linger_not();
    party.close();
    stage.meet().await;
}

/// Above the first retransmission (200 ms), below the third.
const PATIENCE: Duration = Duration::from_millis(500);

async fn hears_of_the_end_later(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.pull(Pull::Cut).await;
    stage.meet().await;
    stage.meet().await;
    stage.pull(Pull::Heal).await;
    party.write(b"are you there").await;
    settle().await;
    party.read_to_end().await;
    party.close();
}

async fn gives_up_on_silence(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.stream.set_user_timeout(Some(PATIENCE)).expect("set");
    stage.meet().await;
    party.write(b"into silence").await;
    party.read_to_end().await;
    party.write(b"nobody").await;
    party.read_to_end().await;
    stage.meet().await;
    party.close();
}
