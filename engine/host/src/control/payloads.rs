//! Payloads that the machine only speaks of.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::id::BodyId;
use protocol::wire::KvRequestData;

/// What a body id stands for.
#[derive(Debug)]
enum Payload {
    Kv(KvRequestData),
    Input(Bytes),
}

/// Payloads from the letter they came in until the machine has used or dropped them.
#[derive(Debug, Default)]
pub(super) struct Payloads {
    held: BTreeMap<BodyId, Payload>,
    next: u64,
}

impl Payloads {
    pub(super) fn hold_kv(&mut self, request: KvRequestData) -> BodyId {
        self.hold(Payload::Kv(request))
    }

    pub(super) fn hold_input(&mut self, input: Bytes) -> BodyId {
        self.hold(Payload::Input(input))
    }

    fn hold(&mut self, payload: Payload) -> BodyId {
        let body = BodyId(self.next);
        self.next += 1;
        self.held.insert(body, payload);
        body
    }

    pub(super) fn kv(&mut self, body: BodyId) -> KvRequestData {
        match self.held.remove(&body) {
            Some(Payload::Kv(request)) => request,
            held @ (Some(Payload::Input(_)) | None) => {
                unreachable!("a KV request is held until it is used or dropped, found {held:?}")
            }
        }
    }

    pub(super) fn input(&mut self, body: BodyId) -> Bytes {
        match self.held.remove(&body) {
            Some(Payload::Input(input)) => input,
            held @ (Some(Payload::Kv(_)) | None) => {
                unreachable!("an input is held until it is used or dropped, found {held:?}")
            }
        }
    }

    pub(super) fn drop(&mut self, body: BodyId) {
        self.held.remove(&body).expect("a payload is held until it is used or dropped");
    }
}
