//! Grammars of taps: what they make of bytes, that pieces do not matter, that no bytes are too strange.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sim::tap::{Field, Grammar, Http, Lost, Part, Span, Spans, Sse, WebSocket};

use crate::support::frame;

/// All spans of what one direction says, and where it stopped to read.
fn read(grammar: &mut dyn Grammar, pieces: &[&[u8]]) -> (Vec<Span>, Option<Lost>) {
    let (mut found, mut lost, mut at) = (Vec::new(), None, 0);
    grammar.begin();
    for piece in pieces {
        let mut each = |span| found.push(span);
        let mut spans = Spans::new(&mut each);
        grammar.feed(at, piece, &mut spans);
        lost = lost.or_else(|| spans.lost());
        at += piece.len() as u64;
    }
    (found, lost)
}

/// The text of every part, of those that a unit has several of the last one's: `(part, unit)` to its bytes.
fn texts(bytes: &[u8], spans: &[Span]) -> BTreeMap<(Part, u64), String> {
    let mut texts: BTreeMap<(Part, u64), Vec<u8>> = BTreeMap::new();
    for span in spans {
        let text = texts.entry((span.part, span.unit)).or_default();
        if span.first == 0 {
            text.clear();
        }
        assert_eq!(text.len() as u64, span.first, "a part's bytes come in order: {span:?}");
        let at = usize::try_from(span.at).expect("a short stream");
        text.extend(&bytes[at..at + usize::try_from(span.len).expect("a short stream")]);
    }
    texts.into_iter().map(|(key, text)| (key, String::from_utf8_lossy(&text).into_owned())).collect()
}

fn of_sse(stream: &str) -> BTreeMap<(Part, u64), String> {
    let (spans, lost) = read(&mut Sse::new(), &[stream.as_bytes()]);
    assert_eq!(lost, None);
    texts(stream.as_bytes(), &spans)
}

#[test]
fn events_have_fields_line_ends_and_a_blank_line() {
    let all =
        of_sse(": hello\n\nevent: ping\ndata:one\ndata\n\n\n\nid: 7\r\nretry:\r\n\r\nfoo:bar\rdatum:x\r\r");
    let expected = [
        ((Part::Event, 0), "event: ping\ndata:one\ndata\n\n"),
        ((Part::Event, 1), "id: 7\r\nretry:\r\n\r\n"),
        ((Part::Event, 2), "foo:bar\rdatum:x\r\r"),
        ((Part::Value(Field::Event), 0), " ping\n"),
        ((Part::Value(Field::Data), 0), "one\n"),
        ((Part::Value(Field::Id), 1), " 7\r"),
        ((Part::Value(Field::Retry), 1), "\r"),
        ((Part::BlankLine, 0), "\n"),
        ((Part::BlankLine, 1), "\r\n"),
        ((Part::BlankLine, 2), "\r"),
    ];
    for (key, text) in expected {
        assert_eq!(all.get(&key).map(String::as_str), Some(text), "{key:?}");
    }
    assert_eq!(all.keys().filter(|(part, _)| *part == Part::Event).count(), 3, "comments are no events");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_event() {
    let all = of_sse("\u{feff}data: é\n\n");
    assert_eq!(all[&(Part::Event, 0)], "data: é\n\n");
    let (spans, _) = read(&mut Sse::new(), &["data: é€\n".as_bytes()]);
    let split: Vec<_> =
        spans.iter().filter(|span| span.part == Part::Character).map(|span| span.at).collect();
    assert_eq!(split, [7, 9, 10]);
}

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n\
    7;x=y\r\ndata: 1\r\n2\r\n\n\n\r\nB\r\ndata:two\n\nd\r\n0\r\nTrailer: x\r\n\r\n\
    HTTP/1.1 204 No Content\r\nContent-Length: 99\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc\
    HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end";

const ASKS: &str = "GET /events HTTP/1.1\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiHEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.0\r\n\r\n";

#[test]
fn heads_bodies_chunks_and_the_events_in_them_follow_each_other() {
    let [mut asks, mut answers] = Http::pair(None, None);
    let (spans, lost) = read(&mut asks, &[ASKS.as_bytes()]);
    assert_eq!(lost, None);
    let all = texts(ASKS.as_bytes(), &spans);
    assert_eq!(all[&(Part::StartLine, 3)], "HEAD / HTTP/1.1\r\n");
    assert_eq!(all[&(Part::Headers, 1)], "Host: x\r\n\r\n");
    assert_eq!(all[&(Part::Body, 0)], "hi");
    let (spans, lost) = read(&mut answers, &[STREAM.as_bytes()]);
    assert_eq!(lost, None);
    let all = texts(STREAM.as_bytes(), &spans);
    let expected = [
        ((Part::StartLine, 1), "HTTP/1.1 204 No Content\r\n"),
        ((Part::StartLine, 5), "HTTP/1.1 200 OK\r\n"),
        ((Part::ChunkSize, 0), "7;x=y\r\n"),
        ((Part::Chunk, 0), "data: 1"),
        ((Part::ChunkEnd, 0), "\r\n"),
        ((Part::ChunkSize, 2), "B\r\n"),
        ((Part::ChunkSize, 3), "0\r\n"),
        ((Part::Trailers, 0), "Trailer: x\r\n\r\n"),
        ((Part::Event, 0), "data: 1\n\n"),
        ((Part::BlankLine, 0), "\n"),
        ((Part::Event, 1), "data:two\n\n"),
        ((Part::Event, 2), "d"),
        ((Part::Body, 1), "abc"),
        ((Part::Body, 2), "to the end"),
    ];
    for (key, text) in expected {
        assert_eq!(all.get(&key).map(String::as_str), Some(text), "{key:?}");
    }
}

#[test]
fn chunks_are_numbered_on_through_all_bodies() {
    let body = "2\r\nab\r\n0\r\n\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let [mut asks, mut answers] = Http::pair(None, None);
    read(&mut asks, &[b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"]);
    let (spans, lost) = read(&mut answers, &[answer.repeat(2).as_bytes()]);
    assert_eq!(lost, None);
    let numbers = |part| spans.iter().filter(move |span| span.part == part).map(|span| span.unit);
    let sizes: Vec<_> = numbers(Part::ChunkSize).collect();
    assert_eq!(sizes, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], "a line of three bytes each");
    assert_eq!(numbers(Part::Chunk).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn behind_the_answer_that_opens_a_tunnel_neither_side_is_read() {
    for (request, answer) in [
        ("GET / HTTP/1.1\r\nUpgrade: other\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: other\r\n\r\n"),
        ("CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
    ] {
        for early in ["", "GET "] {
            let [mut asks, mut answers] = Http::pair(None, None);
            read(&mut asks, &[request.as_bytes(), early.as_bytes()]);
            assert!(read(&mut answers, &[answer.as_bytes()]).1.is_some());
            let (spans, lost) = read(&mut asks, &[b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]);
            assert_eq!(spans, []);
            assert_eq!(lost, Some(Lost { at: 0, why: "what follows is not HTTP" }));
        }
    }
}

#[test]
fn a_head_may_have_bytes_that_are_no_text_and_be_as_long_as_hyper_takes_it() {
    let long = "x".repeat(400_000);
    let request = ["GET / HTTP/1.1\r\nName: M\u{fc}ller ", &long, "\r\nContent-Length: 2\r\n\r\n"];
    let mut bytes: Vec<u8> = Vec::new();
    for char in request.concat().chars() {
        bytes.push(u8::try_from(u32::from(char)).expect("latin 1"));
    }
    bytes.extend(b"hiGET /");
    let [mut asks, _] = Http::pair(None, None);
    let (spans, lost) = read(&mut asks, &[&bytes]);
    assert_eq!(lost, None);
    assert_eq!(texts(&bytes, &spans)[&(Part::Body, 0)], "hi");
    let [mut asks, _] = Http::pair(None, None);
    let (_, lost) = read(&mut asks, &[b"GET / HTTP/1.1\r\n", &[b'x'; 420_000]]);
    assert_eq!(lost.map(|lost| lost.at), Some(417_792));
}

#[test]
fn what_is_no_http_is_given_up_and_said_so() {
    for (bytes, at) in
        [("SSH-2.0-x\r\n\r\nGET / HTTP/1.1\r\n\r\n", 12), ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 36)]
    {
        let [mut asks, _] = Http::pair(None, None);
        let (_, lost) = read(&mut asks, &[bytes.as_bytes()]);
        assert_eq!(lost.map(|lost| lost.at), Some(at), "{bytes:?}");
    }
    let [_, mut answers] = Http::pair(None, None);
    let (_, lost) = read(&mut answers, &[b"HTTP/1.1 200 OK\r\n\r\n"]);
    assert!(lost.is_some(), "nobody has asked");
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (chunk, is_one) in [
        ("3\r\nabc\r\n", true),
        ("x\r\n", false),
        ("\r\n", false),
        ("3\r\nabcd", false),
        ("fffffffffffffffff\r\n", false),
    ] {
        let [mut asks, _] = Http::pair(None, None);
        let (_, lost) = read(&mut asks, &[head.as_bytes(), chunk.as_bytes()]);
        assert_eq!(lost.is_none(), is_one, "{chunk:?}");
    }
}

const MESSAGE: Part = Part::Own { before: "cut before a message", inside: "cut in a message" };

/// Writes down the messages it gets, and names their bytes.
#[derive(Default)]
struct Messages {
    all: std::rc::Rc<std::cell::RefCell<Vec<Vec<u8>>>>,
    bytes: u64,
    number: u64,
}

impl Grammar for Messages {
    fn begin(&mut self) {
        self.all.borrow_mut().push(Vec::new());
        self.bytes = 0;
    }
    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        self.all.borrow_mut().last_mut().expect("alive").extend(bytes);
        spans.tell(MESSAGE, self.number, self.bytes, at, bytes.len());
        self.bytes += bytes.len() as u64;
    }
    fn end(&mut self) {
        self.number += 1;
    }
}

#[test]
fn frames_have_header_mask_and_payload_and_messages_lie_in_several() {
    let mask = Some([1, 2, 3, 4]);
    let long = vec![9; 70_000];
    let medium = vec![8; 300];
    let frames = [
        frame(0x02, mask, b"hel"),
        frame(0x89, mask, b"ping"),
        frame(0x80, mask, b"lo"),
        frame(0x81, None, &medium),
        frame(0x82, mask, &long),
        frame(0x82, mask, b""),
        frame(0xc2, mask, b"compressed"),
        frame(0x88, None, b""),
    ];
    let bytes = frames.concat();
    let messages = Messages::default();
    let all = std::rc::Rc::clone(&messages.all);
    let (spans, lost) = read(&mut WebSocket::new(Some(Box::new(messages))), &[&bytes]);
    assert_eq!(lost, None);
    assert_eq!(*all.borrow(), [b"hello".to_vec(), medium, long, vec![], vec![]]);
    let texts = texts(&bytes, &spans);
    assert_eq!(texts[&(Part::Mask, 1)], "\u{1}\u{2}\u{3}\u{4}");
    let count = |part: Part, unit| {
        spans.iter().filter(|span| (span.part, span.unit) == (part, unit)).map(|span| span.len).sum::<u64>()
    };
    assert_eq!(
        (0..8).map(|unit| count(Part::FrameHeader, unit)).collect::<Vec<_>>(),
        [2, 2, 2, 4, 10, 2, 2, 2]
    );
    assert_eq!(
        (0..8).map(|unit| count(Part::Payload, unit)).collect::<Vec<_>>(),
        [3, 4, 2, 300, 70_000, 0, 10, 0]
    );
    assert_eq!((0..8).map(|unit| count(Part::Mask, unit)).collect::<Vec<_>>(), [4, 4, 4, 0, 4, 4, 4, 0]);
    assert_eq!(count(MESSAGE, 0), 5);
}

#[test]
fn frames_begin_behind_a_101_on_both_sides() {
    let [mut asks, mut answers] = Http::pair(Some(Box::new(Messages::default())), None);
    let request = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    read(&mut asks, &[request.as_bytes()]);
    let mut answer = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\r\n".to_vec();
    let head = answer.len() as u64;
    answer.extend(frame(0x81, None, b"hi"));
    let (spans, lost) = read(&mut answers, &[&answer]);
    assert_eq!(lost, None);
    let first = spans.iter().find(|span| span.part == Part::FrameHeader).unwrap();
    assert_eq!((first.unit, first.at), (0, head));
    let (spans, lost) = read(&mut asks, &[&frame(0x82, Some([5; 4]), b"there")]);
    assert_eq!(lost, None);
    assert!(spans.iter().any(|span| span.part == MESSAGE && span.len == 5));
}

#[test]
fn what_is_no_frame_is_given_up() {
    for bytes in
        [&[0x83, 0][..], &[0xa1, 0], &[0x80, 0], &[0x01, 0, 0x81, 0], &[0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0]]
    {
        let (_, lost) = read(&mut WebSocket::new(None), &[bytes]);
        assert_eq!(lost.map(|lost| lost.at), Some(bytes.len() as u64 - 1), "{bytes:?}");
    }
}

/// One byte of a span: part, unit, which of it, where.
type Byte = (Part, u64, u64, u64);

/// One byte a span, so that pieces cannot be told apart.
fn bytewise(spans: &[Span]) -> Vec<Byte> {
    let each = |span: &Span| {
        let Span { part, unit, first, at, len } = *span;
        (0..len).map(move |n| (part, unit, first + n, at + n))
    };
    let mut all: Vec<_> = spans.iter().flat_map(each).collect();
    all.sort_by_key(|(part, unit, first, at)| (*at, *part, *unit, *first));
    all
}

/// Both directions of a connection, the first one said before the second.
fn both(asks: &[&[u8]], answers: &[&[u8]]) -> Vec<(Vec<Byte>, Option<Lost>)> {
    let [mut one, mut other] =
        Http::pair(Some(Box::new(Messages::default())), Some(Box::new(Messages::default())));
    let heard = [read(&mut one, asks), read(&mut other, answers)];
    heard.into_iter().map(|(spans, lost)| (bytewise(&spans), lost)).collect()
}

fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle().take_while(|_| !lengths.is_empty()).take(10_000) {
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    pieces.push(bytes);
    pieces
}

/// Bytes that are often something: pieces of what the protocols say, and strange ones.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<Vec<u8>> = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 101 Up\r\n",
        "GET / HTTP/1.1\r\n",
        "HEAD / HTTP/1.1\r\n",
        "Upgrade: websocket\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Type: text/event-stream\r\n",
        "Content-Length: 7\r\n",
        "\r\n",
        "\n",
        "\r",
        "5\r\n",
        "data:",
        "event: x",
        "id",
        ": ",
        "0\r\n\r\n",
        "é€😀",
        "\u{feff}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        frame(0x81, Some([1, 2, 3, 4]), b"hello"),
        frame(0x02, None, b"part"),
        frame(0x80, None, &[7; 200]),
    ])
    .collect();
    let piece = prop_oneof![
        4 => prop::sample::select(words),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange_and_pieces_do_not_matter(asks in bytes(), answers in bytes(), lengths in prop::collection::vec(1usize..9, 1..5)) {
        let whole = both(&[&asks], &[&answers]);
        prop_assert_eq!(&whole, &both(&cut(&asks, &lengths), &cut(&answers, &lengths)));
        for (grammar, bytes) in [(&mut Sse::new() as &mut dyn Grammar, &answers), (&mut WebSocket::new(None), &answers)] {
            let (spans, lost) = read(grammar, &[bytes]);
            for span in &spans {
                prop_assert!(span.len > 0 && span.at + span.len <= bytes.len() as u64);
            }
            prop_assert!(lost.is_none_or(|lost| lost.at < bytes.len() as u64));
        }
        let pieces = cut(&answers, &lengths);
        let sse = |pieces: &[&[u8]]| bytewise(&read(&mut Sse::new(), pieces).0);
        prop_assert_eq!(sse(&[&answers]), sse(&pieces));
        let frames = |pieces: &[&[u8]]| {
            let (spans, lost) = read(&mut WebSocket::new(Some(Box::new(Messages::default()))), pieces);
            (bytewise(&spans), lost)
        };
        prop_assert_eq!(frames(&[&answers]), frames(&pieces));
    }

    #[test]
    fn a_well_formed_conversation_is_understood_in_any_pieces(lengths in prop::collection::vec(1usize..50, 1..5)) {
        let expected = both(&[ASKS.as_bytes()], &[STREAM.as_bytes()]);
        prop_assert!(expected.iter().all(|(_, lost)| lost.is_none()));
        prop_assert_eq!(expected, both(&cut(ASKS.as_bytes(), &lengths), &cut(STREAM.as_bytes(), &lengths)));
    }
}
