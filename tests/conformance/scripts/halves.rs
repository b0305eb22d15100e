//! A stream in two halves, each used by itself.

use std::net::SocketAddr;

use runtime::{TcpListener, TcpStream, spawn};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf};

use super::flow::reads_to_the_end;
use super::{Script, script};
use crate::party::{Stage, end_of, patterned, settle, shown};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(halves_work_in_two_tasks, echoes_once, writes_in_another_task),
        script!(a_half_alone_keeps_the_stream_open, reads_to_the_end, drops_the_writing_half),
        script!(a_half_shuts_down_for_the_whole, reads_to_the_end, shuts_down_a_half),
        script!(halves_come_together_again, reads_to_the_end, reunites),
        script!(a_dropped_reading_half_refuses_nothing, writes_to_half_a_reader, drops_the_reading_half),
    ]
}

async fn echoes_once(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.read(5_000).await;
    party.write(b"enough").await;
    party.close();
}

async fn read_to_end(mut half: ReadHalf<TcpStream>) -> String {
    let mut data = Vec::new();
    let end = end_of(half.read_to_end(&mut data).await);
    format!("read {}, then {end}", shown(&data))
}

async fn writes_in_another_task(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    let (read, mut write) = tokio::io::split(party.stream);
    let writer = spawn("writer", async move { write.write_all(&patterned(5_000)).await.is_ok() });
    let reader = spawn("reader", read_to_end(read));
    stage.observe(format!("wrote: {:?}", writer.await));
    stage.observe(reader.await.expect("it ends"));
}

async fn drops_the_writing_half(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    let (read, mut write) = tokio::io::split(party.stream);
    write.write_all(b"before; ").await.expect("the server reads");
    drop(write);
    settle().await;
    stage.observe("dropped one half, no end yet");
    drop(read);
    stage.observe("dropped the other");
    stage.meet().await;
}

async fn shuts_down_a_half(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    let (read, mut write) = tokio::io::split(party.stream);
    write.write_all(b"all").await.expect("the server reads");
    stage.observe(format!("shutdown: {}", end_of(write.shutdown().await)));
    stage.observe(format!("write: {}", end_of(write.write_all(b"more").await)));
    stage.meet().await;
    stage.observe(read_to_end(read).await);
}

async fn reunites(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    let (read, mut write) = tokio::io::split(party.stream);
    write.write_all(b"half; ").await.expect("the server reads");
    let mut whole = read.unsplit(write);
    whole.write_all(b"whole").await.expect("the server reads");
    stage.observe(format!("shutdown: {}", end_of(whole.shutdown().await)));
    stage.meet().await;
    let mut rest = Vec::new();
    stage.observe(format!("end: {}", end_of(whole.read_to_end(&mut rest).await)));
}

async fn writes_to_half_a_reader(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    party.write(b"nobody reads this").await;
    settle().await;
    party.write(b"nor this").await;
    stage.meet().await;
    party.read(4).await;
    party.read_to_end().await;
    party.close();
}

/// A half is no half-close: what comes is taken by the kernel, and unread at the end.
async fn drops_the_reading_half(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    let (read, mut write) = tokio::io::split(party.stream);
    drop(read);
    stage.meet().await;
    stage.meet().await;
    stage.observe(format!("write: {}", end_of(write.write_all(b"here").await)));
    settle().await;
    drop(write);
    stage.observe("dropped the rest");
}
