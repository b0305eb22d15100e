//! Bytes in both directions.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::time::Duration;

use runtime::{TcpListener, timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Script, script};
use crate::party::{Party, SETTLE, Stage, pattern, patterned, settle};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(alternating_bytes, alternating_server, alternating_client),
        script!(both_write_at_once, crossing_server, crossing_client),
        script!(what_was_written_before_a_drop_arrives, reads_to_the_end, writes_and_drops),
        script!(one_byte_at_a_time_takes_all, writes_a_greeting, reads_byte_by_byte),
        script!(a_vectored_write_keeps_its_order, reads_to_the_end, writes_slices),
        script!(writes_of_nothing_say_nothing, reads_to_the_end, writes_nothing),
        script!(a_read_into_nothing_takes_nothing, writes_a_greeting, reads_nothing),
        script!(a_read_that_is_given_up_loses_nothing, writes_late, gives_up_and_reads),
        script!(a_flush_changes_nothing, reads_to_the_end, flushes),
        script!(a_million_bytes_come_back, echoes, asks_for_an_echo),
        script!(a_full_window_stops_the_writer, reads_late, writes_a_flood).moving_much(),
        script!(two_full_windows_stop_both, floods_server, floods_client).moving_much(),
        script!(a_window_opens_bit_by_bit, reads_bit_by_bit, writes_a_flood_through).moving_much(),
    ]
}

async fn alternating_server(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    for _ in 0..50 {
        party.read(1).await;
        party.write(b"s").await;
    }
    party.read_to_end().await;
    party.close();
}

async fn alternating_client(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    for at in 0..50 {
        party.write(&[b'a' + pattern(at) % 26]).await;
        party.read(1).await;
    }
    party.close();
}

const CROSSING: usize = 1 << 20;

async fn crossing_server(stage: Stage, listener: TcpListener) {
    crossing(stage.accept(&listener).await).await;
}

async fn crossing_client(stage: Stage, address: SocketAddr) {
    crossing(stage.connect(address).await).await;
}

async fn crossing(mut party: Party) {
    let data = patterned(CROSSING);
    let mut got = vec![0; CROSSING];
    let (mut read, mut write) = tokio::io::split(&mut party.stream);
    let (wrote, filled) = tokio::join!(write.write_all(&data), read.read_exact(&mut got));
    wrote.expect("the other reads");
    filled.expect("the other writes");
    party.observe(if got == data { "got the other's bytes" } else { "got other bytes" });
    party.shutdown().await;
    party.read_to_end().await;
    party.close();
}

/// Where the client meets the server, it has written all.
pub(super) async fn reads_to_the_end(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    party.read_to_end().await;
    party.close();
}

async fn writes_and_drops(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(&patterned(20_000)).await;
    party.close();
    stage.meet().await;
}

async fn writes_a_greeting(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    party.write(&patterned(3_000)).await;
    party.shutdown().await;
    party.read_to_end().await;
    party.close();
}

async fn reads_byte_by_byte(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    let mut got = Vec::new();
    let mut byte = [0];
    while party.stream.read(&mut byte).await.expect("the server writes") == 1 {
        got.push(byte[0]);
    }
    party.observe(format!("read {} bytes, as written: {}", got.len(), got == patterned(3_000)));
    party.close();
}

async fn writes_slices(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    let data = patterned(5_000);
    let mut written = 0;
    while written < data.len() {
        let rest = &data[written..];
        let (first, second) = rest.split_at(rest.len() / 3);
        let slices = [IoSlice::new(&[]), IoSlice::new(first), IoSlice::new(&[]), IoSlice::new(second)];
        written += party.stream.write_vectored(&slices).await.expect("the server reads");
    }
    party.observe(format!("wrote {written} bytes"));
    let nothing = party.stream.write_vectored(&[IoSlice::new(&[]), IoSlice::new(&[])]).await;
    party.observe(format!("of nothing: {:?}", nothing.map_err(|error| error.kind())));
    party.close();
    stage.meet().await;
}

async fn writes_nothing(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    for word in ["", "", "word", ""] {
        let wrote = party.stream.write(b"").await;
        party.observe(format!("of nothing: {:?}", wrote.map_err(|error| error.kind())));
        party.write(word.as_bytes()).await;
    }
    settle().await;
    party.shutdown().await;
    stage.meet().await;
    let after = party.stream.write(b"").await;
    party.observe(format!("of nothing after the end: {:?}", after.map_err(|error| error.kind())));
    party.close();
}

async fn reads_nothing(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.read(1_000).await;
    let read = party.stream.read(&mut []).await;
    party.observe(format!("into nothing: {:?}", read.map_err(|error| error.kind())));
    let mut rest = Vec::new();
    party.stream.read_to_end(&mut rest).await.expect("the server writes");
    party.observe(format!("the rest follows: {}", rest == patterned(3_000)[1_000..]));
    let read = party.stream.read(&mut []).await;
    party.observe(format!("into nothing at the end: {:?}", read.map_err(|error| error.kind())));
    party.close();
}

async fn writes_late(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    for word in ["first", "second"] {
        stage.meet().await;
        party.write(word.as_bytes()).await;
    }
    party.close();
}

async fn gives_up_and_reads(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    for word in ["first", "second"] {
        let early = timeout(SETTLE, party.stream.read(&mut [0; 64])).await;
        party.observe(format!("given up: {}", early.is_err()));
        stage.meet().await;
        party.read(word.len()).await;
    }
    party.read_to_end().await;
    party.close();
}

async fn flushes(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    for word in ["", "one", "two"] {
        party.write(word.as_bytes()).await;
        let flushed = party.stream.flush().await;
        party.observe(format!("flush: {:?}", flushed.map_err(|error| error.kind())));
    }
    party.close();
    stage.meet().await;
}

async fn echoes(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    let (mut read, mut write) = tokio::io::split(&mut party.stream);
    let copied = tokio::io::copy(&mut read, &mut write).await;
    party.observe(format!("echoed {:?}", copied.map_err(|error| error.kind())));
    party.close();
}

async fn asks_for_an_echo(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    let data = patterned(1_000_000);
    let mut back = vec![0; data.len()];
    let (mut read, mut write) = tokio::io::split(&mut party.stream);
    let (wrote, filled) = tokio::join!(write.write_all(&data), read.read_exact(&mut back));
    party.observe(format!("wrote: {}, read: {}, equal: {}", wrote.is_ok(), filled.is_ok(), back == data));
    party.close();
}

/// Above what Linux lets a loopback connection hold unread: 4 MiB at the writer (`tcp_wmem`), 6 MiB at the reader
/// (`tcp_rmem`), which large hosts raise to at most a few times that.
pub(super) const FLOOD: usize = 48 << 20;

/// Between two writes that both get through this never passes.
const STOPPED: Duration = Duration::from_secs(1);

async fn reads_late(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    party.observe("reads from here on");
    party.read_to_end().await;
    party.close();
}

/// Writes until nobody takes a byte any more.
async fn flood(party: &mut Party, data: &[u8]) -> usize {
    let mut written = 0;
    while let Ok(wrote) = timeout(STOPPED, party.stream.write(&data[written..])).await {
        written += wrote.expect("the reader is there");
        if written == data.len() {
            party.observe("nobody stopped it");
            return written;
        }
    }
    assert!(written > 0, "a window is never empty");
    party.observe("was stopped");
    written
}

async fn writes_a_flood(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    let data = patterned(FLOOD);
    let written = flood(&mut party, &data).await;
    stage.meet().await;
    party.stream.write_all(&data[written..]).await.expect("the reader is there");
    party.observe("wrote the rest");
    party.shutdown().await;
    party.read_to_end().await;
    party.close();
}

async fn floods_server(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    floods(stage, party).await;
}

async fn floods_client(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    floods(stage, party).await;
}

async fn floods(stage: Stage, mut party: Party) {
    let data = patterned(FLOOD);
    let written = flood(&mut party, &data).await;
    stage.meet().await;
    let mut got = vec![0; FLOOD];
    let (mut read, mut write) = tokio::io::split(&mut party.stream);
    let (wrote, filled) = tokio::join!(write.write_all(&data[written..]), read.read_exact(&mut got));
    party.observe(format!("wrote: {}, read: {}, equal: {}", wrote.is_ok(), filled.is_ok(), got == data));
    party.close();
}

const MUCH: usize = 2 << 20;

async fn reads_bit_by_bit(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    stage.meet().await;
    let mut got = Vec::new();
    let mut room = vec![0; 4_000];
    loop {
        let count = party.stream.read(&mut room).await.expect("the client writes");
        if count == 0 {
            break;
        }
        got.extend_from_slice(&room[..count]);
        tokio::task::yield_now().await;
    }
    party.observe(format!("read {} bytes, as written: {}", got.len(), got == patterned(MUCH)));
    party.close();
}

async fn writes_a_flood_through(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    stage.meet().await;
    party.write(&patterned(MUCH)).await;
    party.shutdown().await;
    party.read_to_end().await;
    party.close();
}
