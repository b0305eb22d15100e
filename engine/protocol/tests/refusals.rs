//! Each way a frame can be wrong has its own error.

use protocol::limits::{FRAME_BYTES_MAX, LIST_ITEMS_MAX, MAP_ENTRIES_MAX, RUNNER_FRAME_BYTES_MAX};
use protocol::wire::{self, DecodeError, ToClient, ToServer};

const ACTOR: &[u8; 30] = b"9i3halmrv1puua7r2mvi49taqjbl00";

fn refusal(frame: &[u8]) -> DecodeError {
    wire::decode::<ToServer>(frame).expect_err("must be refused")
}

/// A KV get of so many empty keys, counted by a varint that may be longer than it need be.
fn kv_get(count: &[u8], keys: usize) -> Vec<u8> {
    let mut frame = vec![5, 30];
    frame.extend(ACTOR);
    frame.extend([7, 0, 0, 0, 0]);
    frame.extend(count);
    frame.resize(frame.len() + keys, 0);
    frame
}

/// A response of these header names, each with an empty value.
fn response(names: &[&[u8]]) -> Vec<u8> {
    let mut frame = vec![6];
    frame.extend([1; 10]);
    frame.extend([0, 200, 0]);
    frame.extend(varint(names.len()));
    for name in names {
        frame.push(u8::try_from(name.len()).expect("short names"));
        frame.extend(*name);
        frame.push(0);
    }
    frame.extend([0, 0]);
    frame
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

#[test]
fn a_frame_too_long_is_refused_by_its_length() {
    let limit = RUNNER_FRAME_BYTES_MAX;
    let frame = vec![0xff; limit + 1];
    assert_eq!(refusal(&frame), DecodeError::TooLong { length: limit + 1, limit });
    assert!(!matches!(refusal(&frame[1..]), DecodeError::TooLong { .. }));
    // Towards a runner nothing above a lawful frame is ever sent.
    let (length, limit) = (FRAME_BYTES_MAX + 1, FRAME_BYTES_MAX);
    assert_eq!(wire::decode::<ToClient>(&frame[..length]), Err(DecodeError::TooLong { length, limit }));
}

#[test]
fn an_empty_frame_and_a_length_beyond_the_frame_are_truncated() {
    assert_eq!(refusal(&[]), DecodeError::Truncated);
    let endless = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(refusal(&endless), DecodeError::Truncated);
}

#[test]
fn trailing_bytes_are_counted() {
    assert_eq!(wire::decode::<ToServer>(&[3]), Ok(ToServer::Stopping));
    assert_eq!(refusal(&[3, 0, 0]), DecodeError::TrailingBytes { count: 2 });
}

#[test]
fn unknown_tags_are_refused_at_every_depth() {
    assert!(matches!(refusal(&[7]), DecodeError::UnknownTag { .. }));
    let mut operation = kv_get(&[0], 0);
    operation[36] = 6;
    assert!(matches!(refusal(&operation), DecodeError::UnknownTag { .. }));
    let enormous = [0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert!(matches!(refusal(&enormous), DecodeError::UnknownTag { .. }));
}

#[test]
fn doubled_keys_are_refused() {
    assert!(wire::decode::<ToServer>(&response(&[b"a", b"b", b"A"])).is_ok());
    assert_eq!(refusal(&response(&[b"a", b"b", b"a"])), DecodeError::DoubledKey);
}

#[test]
fn long_varints_are_refused() {
    assert!(wire::decode::<ToServer>(&kv_get(&[1], 1)).is_ok());
    assert_eq!(refusal(&kv_get(&[0x81, 0], 1)), DecodeError::NotCanonical { offset: 37 });
    assert_eq!(refusal(&kv_get(&[0xff; 11], 1)), DecodeError::Varint);
}

#[test]
fn presence_and_booleans_are_zero_or_one() {
    let sound = response(&[]);
    let (body, stream) = (sound.len() - 2, sound.len() - 1);
    for place in [stream, body] {
        let mut frame = sound.clone();
        frame[place] = 2;
        if place == body {
            frame.insert(body + 1, 0);
        }
        assert_eq!(refusal(&frame), DecodeError::NotCanonical { offset: place });
    }
}

#[test]
fn text_is_utf8_and_ids_are_ids() {
    assert_eq!(refusal(&response(&[b"\xff"])), DecodeError::Utf8);
    let mut frame = kv_get(&[0], 0);
    frame[2] = b'Z';
    assert_eq!(refusal(&frame), DecodeError::Id { reason: "malformed id: byte 0x5a at 0".into() });
}

#[test]
fn lists_and_maps_are_bounded() {
    let keys = |count: usize| kv_get(&varint(count), count);
    assert!(wire::decode::<ToServer>(&keys(LIST_ITEMS_MAX)).is_ok());
    assert_eq!(refusal(&keys(LIST_ITEMS_MAX + 1)), DecodeError::TooManyItems);
    let names: Vec<_> = (0..=MAP_ENTRIES_MAX).map(|index| format!("h{index}")).collect();
    let names: Vec<_> = names.iter().map(String::as_bytes).collect();
    assert!(wire::decode::<ToServer>(&response(&names[1..])).is_ok());
    assert_eq!(refusal(&response(&names)), DecodeError::TooManyItems);
}
