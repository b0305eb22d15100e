//! Frames of runners as the machine takes them.

use machines::control::input::{Frame, KvOp, RunnerEvent};
use protocol::id::RunnerId;
use protocol::wire::{EventWrapper, KvRequest, ToServer, ToServerInit};

use super::payloads::Payloads;
use crate::store::kv;

/// The machine's view of a message; its payload is held.
pub(super) fn frame(message: ToServer, payloads: &mut Payloads) -> Frame {
    match message {
        ToServer::Init(init) => self::init(init),
        ToServer::Events(events) => Frame::Events(events.into_iter().map(event).collect()),
        ToServer::AckCommands { last_command_checkpoints } => Frame::AckCommands(last_command_checkpoints),
        ToServer::Stopping => Frame::Stopping,
        ToServer::Pong { ts } => Frame::Pong { ts },
        ToServer::KvRequest(KvRequest { actor_id, request_id, data }) => {
            let op = if kv::changes(&data) { KvOp::Write } else { KvOp::Read };
            Frame::Kv { request: request_id, actor: actor_id, op, body: payloads.hold_kv(data) }
        }
        ToServer::TunnelMessage(_) => unreachable!("tunnel messages go to the gateway"),
    }
}

fn init(init: ToServerInit) -> Frame {
    let ToServerInit { name, version, total_slots, prepopulate_actor_names, metadata } = init;
    let names = prepopulate_actor_names.unwrap_or_default();
    let actor_names = names.iter().map(|(name, actor)| (name.to_owned(), actor.metadata.clone())).collect();
    let fresh = RunnerId::from_entropy(runtime::entropy::bytes("runner id"));
    Frame::Init { fresh, pool: name, version, total_slots, actor_names, metadata }
}

fn event(wrapper: EventWrapper) -> RunnerEvent {
    let EventWrapper { checkpoint, inner } = wrapper;
    RunnerEvent {
        actor: checkpoint.actor_id,
        generation: checkpoint.generation,
        index: checkpoint.index,
        event: inner,
    }
}
