//! Bytes in both directions.

use std::net::SocketAddr;
use std::time::Duration;

use runtime::{TcpListener, sleep, timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Meeting, Script, accept, connect, script};
use crate::party::{Observed, Party, SETTLE, pattern, patterned};

pub(crate) fn scripts() -> Vec<Script> {
    vec![
        script!("alternating_bytes", alternating_server, alternating_client),
        script!("both_write_at_once", crossing_server, crossing_client),
        script!("what_was_written_before_a_drop_arrives", to_the_end, write_and_drop),
    ]
}

/// Those that move more than a window holds.
pub(crate) fn floods() -> Vec<Script> {
    vec![
        script!("a_full_window_stops_the_writer", slow_reader, fast_writer),
        script!("a_reset_while_writing", drops_unread, writes_meanwhile),
    ]
}

async fn alternating_server(listener: TcpListener, _: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    for _ in 0..50 {
        party.read(1).await;
        party.write(b"s").await;
    }
    party.read_to_end().await;
    party.close()
}

async fn alternating_client(address: SocketAddr, _: Meeting) -> Observed {
    let mut party = connect(address).await;
    for at in 0..50 {
        party.write(&[b'a' + pattern(at) % 26]).await;
        party.read(1).await;
    }
    party.close()
}

/// Above what Linux lets a loopback connection hold unread: 4 MiB at the writer (`tcp_wmem`), 6 MiB at the reader
/// (`tcp_rmem`), which large hosts raise to at most a few times that.
const FLOOD: usize = 48 << 20;

/// Between two writes that both get through this never passes.
const STOPPED: Duration = Duration::from_secs(2);

async fn slow_reader(listener: TcpListener, meeting: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    meeting.wait().await;
    party.observe("reads from here on");
    party.read_to_end().await;
    party.close()
}

async fn fast_writer(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    let data = patterned(FLOOD);
    let mut written = 0;
    while let Ok(wrote) = timeout(STOPPED, party.stream.write(&data[written..])).await {
        written += wrote.expect("the reader is there");
        if written == FLOOD {
            party.observe("nobody stopped it");
            return party.close();
        }
    }
    party.observe("was stopped");
    assert!(written > 0, "a window is never empty");
    meeting.wait().await;
    party.stream.write_all(&data[written..]).await.expect("the reader is there");
    party.observe("wrote the rest");
    party.shutdown().await;
    party.read_to_end().await;
    party.close()
}

async fn drops_unread(listener: TcpListener, _: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    party.read(1).await;
    sleep(SETTLE).await;
    party.close()
}

/// Waits on a full window when the reset comes.
async fn writes_meanwhile(address: SocketAddr, _: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.write(&patterned(FLOOD)).await;
    party.read_to_end().await;
    party.close()
}

const CROSSING: usize = 1 << 20;

async fn crossing_server(listener: TcpListener, _: Meeting) -> Observed {
    crossing(accept(&listener).await).await
}

async fn crossing_client(address: SocketAddr, _: Meeting) -> Observed {
    crossing(connect(address).await).await
}

async fn crossing(mut party: Party) -> Observed {
    let data = patterned(CROSSING);
    let mut got = vec![0; CROSSING];
    let (mut read, mut write) = tokio::io::split(&mut party.stream);
    let (wrote, filled) = tokio::join!(write.write_all(&data), read.read_exact(&mut got));
    wrote.expect("the other reads");
    filled.expect("the other writes");
    party.observe(if got == data { "got the other's bytes" } else { "got other bytes" });
    party.shutdown().await;
    party.read_to_end().await;
    party.close()
}

async fn to_the_end(listener: TcpListener, meeting: Meeting) -> Observed {
    let mut party = accept(&listener).await;
    meeting.wait().await;
    party.read_to_end().await;
    party.close()
}

async fn write_and_drop(address: SocketAddr, meeting: Meeting) -> Observed {
    let mut party = connect(address).await;
    party.write(&patterned(20_000)).await;
    let observed = party.close();
    meeting.wait().await;
    observed
}
