//! Taps on the connections between hosts of the application and the engine: what `sim` reads by itself, and the runner
//! messages in its WebSocket frames.

use sim::Side;
use sim::tap::{Grammar, Part, Spans, Tap, Wire};

use super::{APPLICATION_PORT, ENGINE_PORT, Stack};

/// Any message between a runner and the engine.
pub const MESSAGE: Part =
    Part::Own { before: "cut before a runner message", inside: "cut in a runner message" };

/// One that asks for storage, or answers.
pub const STORAGE: Part =
    Part::Own { before: "cut before a storage message", inside: "cut in a storage message" };

/// One that carries a request or its answer.
pub const TUNNEL: Part =
    Part::Own { before: "cut before a tunnel message", inside: "cut in a tunnel message" };

/// One of commands or events: what becomes of actors.
pub const LIFE: Part =
    Part::Own { before: "cut before a command or event", inside: "cut in a command or event" };

impl Stack {
    /// Taps the connections that hosts of the application open to the engine, and the engine to them, from here on.
    pub fn tap(&self) {
        let engine = self.engine.node().name();
        for host in self.hosts() {
            let host = host.node().name();
            self.world.tap(Wire::between(&engine, &host).port(APPLICATION_PORT), Tap::http());
            let messages = Tap::messages(|speaker| Box::new(Messages::new(speaker)));
            self.world.tap(Wire::between(&host, &engine).port(ENGINE_PORT), messages);
        }
    }
}

/// The messages of one side of a runner's socket: their first byte is the tag of a union, of which each side has one.
struct Messages {
    speaker: Side,
    /// The how-manieth it is at, from zero.
    number: u64,
    bytes: u64,
    kind: Option<Part>,
}

impl Messages {
    const fn new(speaker: Side) -> Self {
        Self { speaker, number: 0, bytes: 0, kind: None }
    }

    /// The tags of `protocol::wire::ToServer` and `ToClient`; a test compares.
    const fn kind(&self, tag: u8) -> Option<Part> {
        match (self.speaker, tag) {
            (Side::Opener | Side::Acceptor, 1) => Some(LIFE),
            (Side::Opener, 5) | (Side::Acceptor, 3) => Some(STORAGE),
            (Side::Opener, 6) | (Side::Acceptor, 4) => Some(TUNNEL),
            (Side::Opener | Side::Acceptor, _) => None,
        }
    }
}

impl Grammar for Messages {
    fn begin(&mut self) {
        (self.bytes, self.kind) = (0, None);
    }

    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        if let (0, Some(tag)) = (self.bytes, bytes.first()) {
            self.kind = self.kind(*tag);
        }
        for part in [Some(MESSAGE), self.kind].into_iter().flatten() {
            spans.tell(part, self.number, self.bytes, at, bytes.len());
        }
        self.bytes += bytes.len() as u64;
    }

    fn end(&mut self) {
        self.number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::wire::{Message, ToClient, ToServer, encode};

    /// The parts that a message is told as.
    fn told<M: Message>(speaker: Side, message: &M) -> Vec<Part> {
        let mut told = Vec::new();
        let mut each = |span: sim::tap::Span| told.push(span.part);
        let mut grammar = Messages::new(speaker);
        grammar.begin();
        grammar.feed(0, &encode(message), &mut Spans::new(&mut each));
        grammar.end();
        told
    }

    #[test]
    fn messages_are_told_by_what_they_are() {
        use protocol::id::{ActorId, GatewayId, RequestId};
        use protocol::wire::{
            KvRequest, KvRequestData, KvResponse, KvResponseData, MessageId, ToClientKind,
            ToClientTunnelMessage, ToServerKind, ToServerTunnelMessage,
        };
        let actor_id: ActorId = "92b0v53yn8v8313b5kjargx4l0cl00".parse().unwrap();
        let message_id =
            MessageId { gateway_id: GatewayId([0; 4]), request_id: RequestId([0; 4]), message_index: 0 };
        let request = KvRequest { actor_id, request_id: 1, data: KvRequestData::Drop };
        let up = [
            (ToServer::Stopping, None),
            (ToServer::Pong { ts: 0 }, None),
            (ToServer::Events(vec![]), Some(LIFE)),
            (ToServer::KvRequest(request), Some(STORAGE)),
            (
                ToServer::TunnelMessage(ToServerTunnelMessage {
                    message_id,
                    message_kind: ToServerKind::ResponseAbort,
                }),
                Some(TUNNEL),
            ),
        ];
        for (message, kind) in up {
            let expected: Vec<_> = [MESSAGE].into_iter().chain(kind).collect();
            assert_eq!(told(Side::Opener, &message), expected, "{message:?}");
        }
        let down = [
            (ToClient::Ping { ts: 0 }, None),
            (ToClient::Commands(vec![]), Some(LIFE)),
            (ToClient::KvResponse(KvResponse { request_id: 1, data: KvResponseData::Put }), Some(STORAGE)),
            (
                ToClient::TunnelMessage(ToClientTunnelMessage {
                    message_id,
                    message_kind: ToClientKind::RequestAbort,
                }),
                Some(TUNNEL),
            ),
        ];
        for (message, kind) in down {
            let expected: Vec<_> = [MESSAGE].into_iter().chain(kind).collect();
            assert_eq!(told(Side::Acceptor, &message), expected, "{message:?}");
        }
    }
}
