//! Messages of the machine as the wire has them.

use bytes::Bytes;
use machines::control::effect::{Command, CommandKind, Message};
use protocol::limits::BODY_BYTES_MAX;
use protocol::wire::{
    self, ActorConfig, Checkpoint, CommandWrapper, KvResponse, KvResponseData, ProtocolMetadata, StartActor,
    ToClient, ToClientInit,
};

use super::outbox::Outcomes;

/// What surrounds the texts and the input of a command, in bytes: ids, numbers, lengths. 71 as they are.
const COMMAND_BYTES: usize = 128;

/// The frames of a message, in order; inputs of start commands are taken from the transaction's outcomes.
pub(super) fn frames(message: Message, outcomes: &mut Outcomes) -> Vec<ToClient> {
    let frame = match message {
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
            return split(commands.into_iter().map(|command| wrap(command, outcomes)));
        }
        Message::AckEvents(last_event_checkpoints) => ToClient::AckEvents { last_event_checkpoints },
        Message::Ping { ts } => ToClient::Ping { ts },
        Message::KvRefused { request, message } => {
            kv_response(request, KvResponseData::Error { message: message.to_owned() })
        }
    };
    vec![frame]
}

/// As many commands a frame as fit: each may carry an input of megabytes, and a session may be told hundreds at once.
fn split(commands: impl Iterator<Item = CommandWrapper>) -> Vec<ToClient> {
    let (mut frames, mut frame, mut bytes) = (Vec::new(), Vec::new(), 0);
    for command in commands {
        let size = size(&command);
        if bytes + size > BODY_BYTES_MAX && !frame.is_empty() {
            protocol::mark!("commands_in_several_frames");
            frames.push(ToClient::Commands(std::mem::take(&mut frame)));
            bytes = 0;
        }
        bytes += size;
        frame.push(command);
    }
    frames.push(ToClient::Commands(frame));
    frames
}

/// Bytes on the wire, at most.
fn size(command: &CommandWrapper) -> usize {
    COMMAND_BYTES
        + match &command.inner {
            wire::Command::StartActor(StartActor { config, .. }) => {
                let key = config.key.as_ref().map_or(0, String::len);
                config.name.len() + key + config.input.as_ref().map_or(0, Bytes::len)
            }
            wire::Command::StopActor => 0,
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

#[cfg(test)]
mod tests {
    use protocol::id::{ActorId, Generation};
    use protocol::limits::{ACTOR_INPUT_BYTES_MAX, FRAME_BYTES_MAX};

    use super::*;

    fn start(number: u8, input: usize) -> CommandWrapper {
        let checkpoint =
            Checkpoint { actor_id: ActorId::from_entropy([number; 16]), generation: Generation(1), index: 0 };
        let config = ActorConfig {
            name: "counter".to_owned(),
            key: Some("k".repeat(1024)),
            create_ts: i64::MAX,
            input: Some(vec![number; input].into()),
        };
        let start = StartActor { config, hibernating_requests: Vec::new() };
        CommandWrapper { checkpoint, inner: wire::Command::StartActor(start) }
    }

    #[test]
    fn many_large_commands_travel_in_order_in_frames_that_can_be_read() {
        let all: Vec<_> = (0..12).map(|number| start(number, ACTOR_INPUT_BYTES_MAX)).collect();
        let frames = split(all.clone().into_iter());
        assert_eq!(frames.len(), 3);
        let mut told = Vec::new();
        for frame in frames {
            assert!(wire::encode(&frame).len() <= FRAME_BYTES_MAX);
            let ToClient::Commands(commands) = frame else { panic!("{frame:?}") };
            told.extend(commands);
        }
        assert_eq!(told, all);
    }

    #[test]
    fn a_command_is_not_larger_than_it_is_counted() {
        let command = start(1, 100);
        let counted = size(&command);
        let written = wire::encode(&ToClient::Commands(vec![command])).len();
        assert!((counted - COMMAND_BYTES..=counted).contains(&written), "{written} bytes, {counted} counted");
    }
}
