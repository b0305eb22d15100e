//! The golden frames: captured between RivetKit 2.2.1 and Rivet's engine, or encoded with the published codec. Each
//! must decode to what that codec read, and encode to the same bytes.

use protocol::wire::{self, Message, ToClient, ToServer, ToServerlessServer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const FRAMES: &str = include_str!("golden/runner-protocol.jsonl");

/// How many lines the file has: a lost line must not go unseen.
const FRAMES_COUNT: usize = 51;

#[derive(Deserialize)]
struct Frame {
    name: String,
    union: String,
    hex: String,
    base64: Option<String>,
    decoded: Value,
}

fn frames() -> Vec<Frame> {
    FRAMES.lines().map(|line| serde_json::from_str(line).expect("each line is a frame")).collect()
}

/// Whether the published codec's reading and ours agree. That codec writes a union as `{tag, val}` and bytes as
/// `hex:…`; serde writes `{Variant: value}` or `"Variant"`, and bytes as a list of numbers.
fn agree(theirs: &Value, ours: &Value) -> bool {
    if let Some(tag) = theirs.get("tag").and_then(Value::as_str) {
        let val = &theirs["val"];
        return match ours {
            Value::String(variant) => names(tag, variant) && val.is_null(),
            Value::Object(map) => map.iter().all(|(variant, ours)| names(tag, variant) && agree(val, ours)),
            _ => false,
        };
    }
    match (theirs, ours) {
        (Value::String(text), Value::Array(bytes)) => {
            let bytes: Option<Vec<u8>> =
                bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
            text.strip_prefix("hex:").map(hex::decode).and_then(Result::ok) == bytes
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(theirs, ours)| agree(theirs, ours))
        }
        (Value::Object(theirs), Value::Object(ours)) => {
            theirs.len() == ours.len()
                && theirs.iter().all(|(name, theirs)| ours.get(name).is_some_and(|ours| agree(theirs, ours)))
        }
        (theirs, ours) => theirs == ours,
    }
}

/// `CommandStartActor` is our `StartActor`, `KvListAllQuery` our `All`, `ToServerKvRequest` our `KvRequest`.
fn names(tag: &str, variant: &str) -> bool {
    let stem = ["Request", "Response", "Query"].iter().find_map(|end| tag.strip_suffix(end)).unwrap_or(tag);
    tag.ends_with(variant) || stem.ends_with(variant)
}

fn check<M: Message + Serialize>(name: &str, bytes: &[u8], decoded: &Value) {
    let message: M = wire::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(wire::encode(&message), bytes, "{name} encodes to other bytes");
    let ours = serde_json::to_value(&message).expect("messages are JSON too");
    assert!(agree(decoded, &ours), "{name}: read as\n{ours:#}\ninstead of\n{decoded:#}");
}

#[test]
fn every_golden_frame_decodes_as_published_and_encodes_the_same() {
    let frames = frames();
    assert_eq!(frames.len(), FRAMES_COUNT);
    for frame in frames {
        let bytes = hex::decode(&frame.hex).unwrap();
        match frame.union.as_str() {
            "ToServer" => check::<ToServer>(&frame.name, &bytes, &frame.decoded),
            "ToClient" => check::<ToClient>(&frame.name, &bytes, &frame.decoded),
            "ToServerlessServer" => {
                check::<ToServerlessServer>(&frame.name, &bytes[2..], &frame.decoded);
                let data = frame.base64.expect("a payload has its base64");
                let message = wire::decode_payload(&data).unwrap();
                assert_eq!(wire::encode_payload(&message), data);
            }
            other => panic!("{}: unknown union {other}", frame.name),
        }
    }
}

#[test]
fn the_comparison_can_fail() {
    let theirs = serde_json::json!({"tag": "CommandStartActor", "val": {"key": "hex:01"}});
    let ours = |variant: &str, byte: u8| serde_json::json!({variant: {"key": [byte]}});
    assert!(agree(&theirs, &ours("StartActor", 1)));
    assert!(!agree(&theirs, &ours("StartActor", 2)));
    assert!(!agree(&theirs, &ours("StopActor", 1)));
    assert!(!agree(&theirs, &serde_json::json!("StartActor")));
}

#[test]
fn no_prefix_of_a_golden_frame_decodes_and_none_with_a_byte_more() {
    for frame in frames().iter().filter(|frame| frame.union == "ToServer") {
        let mut bytes = hex::decode(&frame.hex).unwrap();
        for end in 0..bytes.len() {
            let cut = wire::decode::<ToServer>(&bytes[..end]);
            assert_eq!(cut, Err(wire::DecodeError::Truncated), "{} cut at {end}", frame.name);
        }
        bytes.push(0);
        let longer = wire::decode::<ToServer>(&bytes);
        assert_eq!(longer, Err(wire::DecodeError::TrailingBytes { count: 1 }), "{}", frame.name);
    }
}
