//! The codec's properties: what it writes it reads, and what it reads it would have written.

use proptest::collection::vec;
use proptest::prelude::*;
use protocol::wire::{self, DecodeError, ToClient, ToServer, ToServerlessServer};
use serde_json::Value;

#[path = "codec/arbitrary.rs"]
mod arbitrary;

fn golden() -> Vec<Vec<u8>> {
    let bytes = |line: &str| {
        let frame: Value = serde_json::from_str(line).expect("each line is a frame");
        let hex = frame["hex"].as_str().expect("a frame has its bytes");
        hex::decode(hex).expect("the bytes are hex")
    };
    include_str!("golden/runner-protocol.jsonl").lines().map(bytes).collect()
}

/// Reads the bytes as every union; whatever they are taken for is written as the same bytes.
fn reads_only_what_it_writes(bytes: &[u8]) {
    if let Ok(message) = wire::decode::<ToServer>(bytes) {
        assert_eq!(wire::encode(&message), bytes, "{message:?}");
    }
    if let Ok(message) = wire::decode::<ToClient>(bytes) {
        assert_eq!(wire::encode(&message), bytes, "{message:?}");
    }
    if let Ok(message) = wire::decode::<ToServerlessServer>(bytes) {
        assert_eq!(wire::encode(&message), bytes, "{message:?}");
    }
}

proptest! {
    #[test]
    fn messages_of_runners_come_back(message in arbitrary::to_server()) {
        let frame = wire::encode(&message);
        prop_assert_eq!(wire::decode::<ToServer>(&frame), Ok(message));
    }

    #[test]
    fn messages_to_runners_come_back(message in arbitrary::to_client()) {
        let frame = wire::encode(&message);
        prop_assert_eq!(wire::decode::<ToClient>(&frame), Ok(message));
    }

    #[test]
    fn serverless_payloads_come_back(message in arbitrary::to_serverless_server()) {
        let data = wire::encode_payload(&message);
        prop_assert_eq!(wire::decode_payload(&data), Ok(message));
    }

    #[test]
    fn random_bytes_are_refused_or_canonical(bytes in vec(any::<u8>(), 0..200)) {
        reads_only_what_it_writes(&bytes);
    }

    /// Bytes that begin like a frame get further into the decoder than random ones.
    #[test]
    fn mutated_golden_frames_are_refused_or_canonical(
        frame in 0..golden().len(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let mut bytes = golden().swap_remove(frame);
        for (place, byte, kind) in edits {
            let at = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                _ if at == bytes.len() => bytes.push(byte),
                2 => bytes[at] = byte,
                _ => drop(bytes.remove(at)),
            }
        }
        reads_only_what_it_writes(&bytes);
    }

    #[test]
    fn a_cut_message_is_truncated(message in arbitrary::to_server(), place in any::<prop::sample::Index>()) {
        let frame = wire::encode(&message);
        let cut = &frame[..place.index(frame.len())];
        prop_assert_eq!(wire::decode::<ToServer>(cut), Err(DecodeError::Truncated));
    }

    #[test]
    fn bytes_after_a_message_are_refused(message in arbitrary::to_client(), more in vec(any::<u8>(), 1..9)) {
        let mut frame = wire::encode(&message).to_vec();
        frame.extend(&more);
        let count = more.len();
        prop_assert_eq!(wire::decode::<ToClient>(&frame), Err(DecodeError::TrailingBytes { count }));
    }
}
