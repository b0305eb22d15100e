//! Exchanges that are broken off, waited for in vain, or nonsense.

use super::*;

pub(super) async fn breaks_its_body_off(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("POST", "/", pieces(&["half of it, "], true))).await;
    close(&stage, send, drive).await;
}

pub(super) async fn breaks_its_answer_off(stage: Stage, listener: TcpListener) {
    let respond = |_| async { Ok(Response::new(pieces(&["half ", "an answer"], true))) };
    serve(&stage, &listener, respond).await;
}

pub(super) async fn asks_once(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("GET", "/", full(""))).await;
    close(&stage, send, drive).await;
}

/// Tells when it is dropped.
struct Waiting(Stage);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.observe("the request was given up");
    }
}

pub(super) async fn answers_never(stage: Stage, listener: TcpListener) {
    let respond = |_| {
        let waiting = Waiting(stage.clone());
        async move {
            waiting.0.observe("asked");
            std::future::pending::<()>().await;
            drop(waiting);
            Ok(Response::new(full("never")))
        }
    };
    serve(&stage, &listener, respond).await;
}

pub(super) async fn leaves_early(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    let early = runtime::timeout(SETTLE, send.send_request(request("GET", "/", full("")))).await;
    stage.observe(format!("answered in time: {}", early.is_ok()));
    close(&stage, send, drive).await;
}

pub(super) async fn leaves_unasked(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    read_head(&mut party.stream).await;
    party.close();
}

pub(super) async fn waits_for_a_head(stage: Stage, listener: TcpListener) {
    serve(&stage, &listener, |_| async { Ok(Response::new(full("never"))) }).await;
}

pub(super) async fn sends_half_a_head(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"GET / HTTP/1.1\r\nhost: ser").await;
    hear(&stage, &mut party.stream).await;
    party.close();
}

pub(super) async fn talks_nonsense(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"\0").await; // one byte: what the server leaves unread would make a reset of its close
    hear(&stage, &mut party.stream).await;
    party.close();
}
