//! Exchanges that come to their end.

use super::*;

pub(super) async fn answers_all(stage: Stage, listener: TcpListener) {
    let respond = |request: Request<Incoming>| {
        stage.observe(format!("asked for {}", request.uri().path()));
        let text = format!("this is {}", request.uri().path());
        async { Ok(Response::new(full(text))) }
    };
    serve(&stage, &listener, respond).await;
}

pub(super) async fn asks_three_times(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    for path in ["/one", "/two", "/three"] {
        ask(&stage, &mut send, request("GET", path, full(""))).await;
    }
    close(&stage, send, drive).await;
}

pub(super) async fn echoes_bodies(stage: Stage, listener: TcpListener) {
    let respond = |request: Request<Incoming>| {
        let stage = stage.clone();
        async move {
            let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
            let (body, end) = gather(request.into_body()).await;
            stage.observe(format!("asked, chunked: {chunked}, {}, then {end}", shown(&body)));
            Ok(Response::new(full(body)))
        }
    };
    serve(&stage, &listener, respond).await;
}

pub(super) async fn sends_chunks(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    for parts in [&["one, ", "two, ", "three"][..], &["single"], &[]] {
        ask(&stage, &mut send, request("POST", "/", pieces(parts, false))).await;
    }
    close(&stage, send, drive).await;
}

pub(super) async fn sends_a_length(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    for length in [1, 10, 300_000] {
        ask(&stage, &mut send, request("POST", "/", full(patterned(length)))).await;
    }
    close(&stage, send, drive).await;
}

pub(super) async fn asks_by_hand(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    let requests: String =
        ["/one", "/two"].map(|path| format!("GET {path} HTTP/1.1\r\nhost: server\r\n\r\n")).concat();
    party.write(requests.as_bytes()).await;
    party.write(b"GET /three HTTP/1.1\r\nhost: server\r\nconnection: close\r\n\r\n").await;
    hear(&stage, &mut party.stream).await;
    party.close();
}

pub(super) async fn asks_to_close(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    let mut last = request("GET", "/last", full(""));
    last.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    ask(&stage, &mut send, last).await;
    settle().await;
    ask(&stage, &mut send, request("GET", "/one-too-many", full(""))).await;
    close(&stage, send, drive).await;
}

pub(super) async fn sends_events(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    read_head(&mut party.stream).await;
    party
        .write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        party.write(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await;
        settle().await;
    }
    party.write(b"9\r\ndata:").await;
    party.close(); // inside an event
}

pub(super) async fn hears_events(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("GET", "/events", full(""))).await;
    close(&stage, send, drive).await;
}

pub(super) async fn upgrades_and_echoes(stage: Stage, listener: TcpListener) {
    let respond = |mut request: Request<Incoming>| {
        let stage = stage.clone();
        async move {
            let upgrade = hyper::upgrade::on(&mut request);
            drop(spawn("upgraded", async move {
                let mut raw = hyper_util::rt::TokioIo::new(upgrade.await.expect("upgraded"));
                let mut word = [0; 4];
                raw.read_exact(&mut word).await.expect("the client writes");
                raw.write_all(&word).await.expect("the client reads");
                let mut rest = Vec::new();
                let end = raw.read_to_end(&mut rest).await;
                stage.observe(format!("upgraded: {}, then {}", shown(&word), crate::party::end_of(end)));
                stage.meet().await;
            }));
            let answer = Response::builder().status(101).header(header::UPGRADE, "echo");
            Ok(answer.header(header::CONNECTION, "upgrade").body(full("")).expect("an answer"))
        }
    };
    serve(&stage, &listener, respond).await;
    settle().await;
    settle().await;
}

pub(super) async fn asks_for_an_upgrade(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    let mut request = request("GET", "/", full(""));
    for (name, value) in [(header::UPGRADE, "echo"), (header::CONNECTION, "upgrade")] {
        request.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    let mut answer = send.send_request(request).await.expect("an answer");
    stage.observe(format!("answer {}", answer.status().as_u16()));
    let mut raw = hyper_util::rt::TokioIo::new(hyper::upgrade::on(&mut answer).await.expect("upgraded"));
    raw.write_all(b"word").await.expect("the server reads");
    let mut word = [0; 4];
    raw.read_exact(&mut word).await.expect("the server writes");
    stage.observe(format!("upgraded: {}", shown(&word)));
    close(&stage, send, drive).await;
    drop(raw);
    stage.meet().await;
}

pub(super) async fn shuts_down_gracefully(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    let respond = |_| async { io::Result::Ok(Response::new(full("once"))) };
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(Timer).auto_date_header(false);
    let mut connection = Box::pin(http.serve_connection(party.stream, service_fn(respond)));
    runtime::select! {
        end = connection.as_mut() => stage.observe(format!("too early: {}", ended(end))),
        () = stage.meet() => stage.observe("still serves"),
    }
    connection.as_mut().graceful_shutdown();
    stage.observe(format!("connection: {}", ended(connection.await)));
}

pub(super) async fn asks_twice(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("GET", "/", full(""))).await;
    stage.meet().await;
    settle().await;
    ask(&stage, &mut send, request("GET", "/", full(""))).await;
    close(&stage, send, drive).await;
}
