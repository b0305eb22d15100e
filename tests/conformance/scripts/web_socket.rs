//! WebSocket exchanges, by tungstenite.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use runtime::{TcpListener, TcpStream};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use super::http::read_head;
use super::{Script, script};
use crate::party::{Stage, end_of, patterned, settle, shown};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(ws_texts_and_bytes_come_back, echoes, sends_texts_and_bytes),
        script!(ws_a_ping_is_answered, echoes, pings),
        script!(ws_the_client_closes, echoes, closes),
        script!(ws_the_server_closes, closes_first, hears_a_close),
        script!(ws_both_close_at_once, closes_at_once, closes_at_once_client),
        script!(ws_a_drop_without_a_close, hears_what_comes, drops_its_stream),
        script!(ws_a_drop_inside_a_frame, hears_what_comes, drops_inside_a_frame),
        script!(ws_nothing_is_sent_after_a_close, echoes, sends_after_its_close),
        script!(ws_a_large_message_is_one_message, echoes, sends_much),
        script!(ws_many_messages_cross, floods_and_counts_server, floods_and_counts_client),
        script!(ws_a_handshake_is_refused, refuses, is_refused),
    ]
}

type Socket = WebSocketStream<TcpStream>;

async fn accept(stage: &Stage, listener: &TcpListener) -> Socket {
    accept_async(stage.accept(listener).await.stream).await.expect("a handshake")
}

async fn connect(stage: &Stage, address: SocketAddr) -> Socket {
    let party = stage.connect(address).await;
    client_async("ws://server/", party.stream).await.expect("a handshake").0
}

fn message(message: &Message) -> String {
    match message {
        Message::Text(text) => format!("text {text:?}"),
        Message::Binary(data) => format!("bytes {}", shown(data)),
        Message::Ping(data) => format!("ping {}", shown(data)),
        Message::Pong(data) => format!("pong {}", shown(data)),
        Message::Close(frame) => {
            let frame = frame.as_ref().map(|frame| (u16::from(frame.code), frame.reason.as_str()));
            format!("close {frame:?}")
        }
        Message::Frame(_) => "a raw frame".to_owned(),
    }
}

fn told(error: &Error) -> String {
    match error {
        Error::Io(error) => format!("error {:?}", error.kind()),
        error => format!("error {error:?}"),
    }
}

/// The next message, or how the stream ended. `false`: nothing comes after it.
async fn hear(stage: &Stage, socket: &mut Socket) -> bool {
    let next = socket.next().await;
    stage.observe(match &next {
        None => "heard the end".to_owned(),
        Some(Ok(next)) => format!("heard {}", message(next)),
        Some(Err(error)) => format!("heard {}", told(error)),
    });
    matches!(next, Some(Ok(_)))
}

async fn say(stage: &Stage, socket: &mut Socket, what: Message) {
    let named = message(&what);
    let said = socket.send(what).await;
    stage.observe(
        said.map_or_else(|error| format!("said {named}: {}", told(&error)), |()| format!("said {named}")),
    );
}

async fn hear_all(stage: &Stage, socket: &mut Socket) {
    while hear(stage, socket).await {}
}

async fn echoes(stage: Stage, listener: TcpListener) {
    let mut socket = accept(&stage, &listener).await;
    loop {
        match socket.next().await {
            Some(Ok(data @ (Message::Text(_) | Message::Binary(_)))) => {
                stage.observe(format!("echoes {}", message(&data)));
                if let Err(error) = socket.send(data).await {
                    stage.observe(told(&error));
                }
            }
            Some(Ok(other)) => stage.observe(format!("heard {}", message(&other))),
            Some(Err(error)) => return stage.observe(format!("heard {}", told(&error))),
            None => return stage.observe("heard the end"),
        }
    }
}

async fn say_goodbye(stage: &Stage, socket: &mut Socket, reason: &'static str) {
    let farewell = CloseFrame { code: CloseCode::Normal, reason: reason.into() };
    let closed = socket.close(Some(farewell)).await;
    stage.observe(closed.map_or_else(|error| told(&error), |()| "closes".to_owned()));
}

/// Says goodbye and waits for the answer and the end.
async fn close(stage: &Stage, socket: &mut Socket, reason: &'static str) {
    say_goodbye(stage, socket, reason).await;
    hear_all(stage, socket).await;
}

async fn sends_texts_and_bytes(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    for data in [Message::text("one"), Message::binary(patterned(1_000)), Message::text("")] {
        say(&stage, &mut socket, data).await;
        hear(&stage, &mut socket).await;
    }
    close(&stage, &mut socket, "done").await;
}

async fn pings(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    say(&stage, &mut socket, Message::Ping("are you there".into())).await;
    hear(&stage, &mut socket).await;
    say(&stage, &mut socket, Message::Pong("unasked".into())).await;
    say(&stage, &mut socket, Message::text("and now")).await;
    hear(&stage, &mut socket).await;
    close(&stage, &mut socket, "").await;
}

async fn closes(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    close(&stage, &mut socket, "enough").await;
}

async fn closes_first(stage: Stage, listener: TcpListener) {
    let mut socket = accept(&stage, &listener).await;
    say(&stage, &mut socket, Message::text("that was all")).await;
    close(&stage, &mut socket, "enough").await;
}

async fn hears_a_close(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    hear_all(&stage, &mut socket).await;
}

async fn closes_at_once(stage: Stage, listener: TcpListener) {
    let mut socket = accept(&stage, &listener).await;
    stage.meet().await;
    close(&stage, &mut socket, "server").await;
}

async fn closes_at_once_client(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    stage.meet().await;
    close(&stage, &mut socket, "client").await;
}

async fn hears_what_comes(stage: Stage, listener: TcpListener) {
    let mut socket = accept(&stage, &listener).await;
    hear_all(&stage, &mut socket).await;
}

async fn drops_its_stream(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    say(&stage, &mut socket, Message::text("last words")).await;
    drop(socket);
    stage.observe("is gone");
}

async fn drops_inside_a_frame(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    say(&stage, &mut socket, Message::text("whole")).await;
    // A masked text of 100 bytes, of which three are sent.
    let stream = socket.get_mut();
    stage.observe(end_of(stream.write_all(&[0x81, 0x80 | 100, 1, 2, 3, 4, b'a', b'b', b'c']).await));
    settle().await;
    drop(socket);
    stage.observe("is gone");
}

async fn sends_after_its_close(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    say_goodbye(&stage, &mut socket, "done").await;
    say(&stage, &mut socket, Message::text("one more thing")).await;
    hear_all(&stage, &mut socket).await;
}

async fn sends_much(stage: Stage, address: SocketAddr) {
    let mut socket = connect(&stage, address).await;
    say(&stage, &mut socket, Message::binary(patterned(1 << 20))).await;
    hear(&stage, &mut socket).await;
    close(&stage, &mut socket, "").await;
}

/// How many messages each party sends.
const MANY: usize = 300;

async fn flood_and_count(stage: &Stage, socket: Socket) {
    let (mut out, mut into) = socket.split();
    let speaking = async {
        for number in 0..MANY {
            out.send(Message::text(number.to_string())).await.expect("the other reads");
        }
    };
    let hearing = async {
        let mut in_order = true;
        for number in 0..MANY {
            let next = into.next().await.expect("the other speaks").expect("well");
            in_order &= next.into_text().is_ok_and(|text| text.as_str() == number.to_string());
        }
        in_order
    };
    let ((), in_order) = tokio::join!(speaking, hearing);
    stage.observe(format!("heard {MANY} messages, in order: {in_order}"));
    stage.meet().await;
}

async fn floods_and_counts_server(stage: Stage, listener: TcpListener) {
    let socket = accept(&stage, &listener).await;
    flood_and_count(&stage, socket).await;
}

async fn floods_and_counts_client(stage: Stage, address: SocketAddr) {
    let socket = connect(&stage, address).await;
    flood_and_count(&stage, socket).await;
}

async fn refuses(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    read_head(&mut party.stream).await;
    party.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    party.close();
}

async fn is_refused(stage: Stage, address: SocketAddr) {
    let party = stage.connect(address).await;
    match client_async("ws://server/", party.stream).await {
        Ok(_) => stage.observe("shook hands"),
        Err(Error::Http(answer)) => stage.observe(format!("refused with {}", answer.status().as_u16())),
        Err(error) => stage.observe(told(&error)),
    }
}
