//! Messages of the machine as the wire has them.

use machines::control::effect::{Command, CommandKind, Message};
use protocol::wire::{
    self, ActorConfig, Checkpoint, CommandWrapper, KvResponse, KvResponseData, ProtocolMetadata, StartActor,
    ToClient, ToClientInit,
};

use super::outbox::Outcomes;

/// The frame of a message; inputs of start commands are taken from the transaction's outcomes.
pub(super) fn frame(message: Message, outcomes: &mut Outcomes) -> ToClient {
    match message {
        Message::Init { runner, lost_threshold, stop_threshold, drain_grace } => {
            ToClient::Init(ToClientInit {
                runner_id: runner,
                metadata: ProtocolMetadata {
                    runner_lost_threshold: lost_threshold,
                    actor_stop_threshold: stop_threshold,
                    serverless_drain_grace_period: drain_grace,
                },
            })
        }
        Message::Commands(commands) => {
            ToClient::Commands(commands.into_iter().map(|command| wrap(command, outcomes)).collect())
        }
        Message::AckEvents(last_event_checkpoints) => ToClient::AckEvents { last_event_checkpoints },
        Message::Ping { ts } => ToClient::Ping { ts },
        Message::KvRefused { request, message } => {
            kv_response(request, KvResponseData::Error { message: message.to_owned() })
        }
    }
}

/// The frame of a KV answer.
pub(super) const fn kv_response(request_id: u32, data: KvResponseData) -> ToClient {
    ToClient::KvResponse(KvResponse { request_id, data })
}

fn wrap(command: Command, outcomes: &mut Outcomes) -> CommandWrapper {
    let Command { actor, generation, index, kind } = command;
    let inner = match kind {
        CommandKind::Start { name, key, create_ts, has_input } => {
            let input = if has_input { outcomes.input() } else { None };
            let config = ActorConfig { name, key, create_ts, input };
            wire::Command::StartActor(StartActor { config, hibernating_requests: Vec::new() })
        }
        CommandKind::Stop => wire::Command::StopActor,
    };
    CommandWrapper { checkpoint: Checkpoint { actor_id: actor, generation, index }, inner }
}
