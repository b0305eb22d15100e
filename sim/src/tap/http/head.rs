//! What a whole head says of what follows it (RFC 9112 §6.3).

/// As far as an answer's body depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Answers have no body.
    Head,
    /// A tunnel follows a good answer.
    Connect,
    Other,
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Sized(u64),
    Chunked,
    /// The connection's end ends it.
    Endless,
    /// Frames follow.
    WebSocket,
    /// Something else follows.
    Unknown,
}

/// What is known of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// That of the request.
    pub(super) method: Method,
    pub(super) framing: Framing,
    /// The body is `text/event-stream`.
    pub(super) is_sse: bool,
    /// No further head answers the same request.
    pub(super) is_final: bool,
}

/// The fields that matter.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    sse: bool,
    websocket: bool,
}

impl Head {
    /// `None`: it is no request's.
    pub(super) fn of_request(head: &[u8]) -> Option<Self> {
        let head = String::from_utf8_lossy(head);
        let (start, fields) = parts(&head)?;
        let (method, rest) = start.split_once(' ')?;
        if !rest.contains(" HTTP/1.") || method.is_empty() {
            return None;
        }
        let method = match method {
            "HEAD" => Method::Head,
            "CONNECT" => Method::Connect,
            _ => Method::Other,
        };
        let framing = match (fields.chunked, fields.length) {
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Sized(length),
            (false, None) => Framing::None,
        };
        Some(Self { method, framing, is_sse: fields.sse, is_final: true })
    }

    /// `None`: it is no answer's, or nobody has asked.
    pub(super) fn of_answer(head: &[u8], asked: Option<Method>) -> Option<Self> {
        let head = String::from_utf8_lossy(head);
        let (start, fields) = parts(&head)?;
        let method = asked?;
        let status = start.strip_prefix("HTTP/1.")?.get(2..5)?.parse::<u16>().ok()?;
        let framing = match (status, method) {
            (101, _) if fields.websocket => Framing::WebSocket,
            (101, _) => Framing::Unknown,
            (100..=199 | 204 | 304, _) | (_, Method::Head) => Framing::None,
            (200..=299, Method::Connect) => Framing::Unknown,
            (_, Method::Connect | Method::Other) => match (fields.chunked, fields.length) {
                (true, _) => Framing::Chunked,
                (false, Some(length)) => Framing::Sized(length),
                (false, None) => Framing::Endless,
            },
        };
        let is_final = status == 101 || status >= 200;
        Some(Self { method, framing, is_sse: fields.sse, is_final })
    }
}

/// The first line, and the fields. Their values may have bytes that are no text (RFC 9110 §5.5: obs-text); none of those
/// that matter has.
fn parts(head: &str) -> Option<(&str, Fields)> {
    let mut lines = head.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let start = lines.next()?;
    let mut fields = Fields::default();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            fields.length = Some(value.parse().ok()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            fields.chunked =
                value.rsplit(',').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"));
        } else if name.eq_ignore_ascii_case("content-type") {
            let kind = value.split(';').next().unwrap_or_default();
            fields.sse = kind.trim().eq_ignore_ascii_case("text/event-stream");
        } else if name.eq_ignore_ascii_case("upgrade") {
            fields.websocket = value.eq_ignore_ascii_case("websocket");
        }
    }
    Some((start, fields))
}
