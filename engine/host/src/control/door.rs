//! What letters ask of the store, and how those are answered that it cannot take.

use machines::control::input::{Call, NewActor};
use machines::durability::Ask;
use protocol::error::ApiError;
use protocol::wire::{KvRequest, KvRequestData, KvResponseData, ToServer};

use super::mailbox::Letter;

/// What taking the letter would mean for the store.
pub(super) fn ask(letter: &Letter) -> Ask {
    match letter {
        Letter::Api { call, input, asker: _ } => {
            let bytes = input.as_ref().map_or(0, |input| input.len() as u64);
            of_call(call, bytes)
        }
        Letter::Frame { conn: _, message } => of_frame(message),
        Letter::ReadKv { .. }
        | Letter::Watch { .. }
        | Letter::Observe { .. }
        | Letter::Unwatch { .. }
        | Letter::SocketOpened { .. }
        | Letter::FrameInvalid { .. }
        | Letter::SocketClosed { .. }
        | Letter::Snapshot(_)
        | Letter::Count(_)
        | Letter::View(_) => Ask::Read,
        Letter::Disowned { .. }
        | Letter::StreamOpened { .. }
        | Letter::StreamInit { .. }
        | Letter::StreamPing { .. }
        | Letter::StreamEnded { .. }
        | Letter::Metadata { .. } => Ask::Report,
    }
}

fn of_call(call: &Call, bytes: u64) -> Ask {
    match call {
        Call::ListActors { .. }
        | Call::FindActor { .. }
        | Call::ListActorNames { .. }
        | Call::ListRunnerConfigs { .. }
        | Call::ListRunners { .. }
        | Call::ListRunnerNames { .. }
        | Call::ReadKv { .. }
        | Call::ListNamespaces { .. } => Ask::Read,
        Call::CreateActor(_) | Call::CreateNamespace { .. } | Call::UpsertRunnerConfig { .. } => {
            Ask::Grow { bytes }
        }
        Call::GetOrCreateActor(_) => Ask::Find { bytes },
        // Whoever asks for the health asks whether a row can be written.
        Call::Health
        | Call::DeleteActor { .. }
        | Call::SleepActor { .. }
        | Call::RescheduleActor { .. }
        | Call::DeleteRunnerConfig { .. }
        | Call::CheckEndpoint { .. }
        | Call::RefreshMetadata { .. } => Ask::Shrink,
    }
}

fn of_frame(message: &ToServer) -> Ask {
    match message {
        ToServer::Init(_) | ToServer::Pong { .. } | ToServer::TunnelMessage(_) => Ask::Read,
        ToServer::Events(_) | ToServer::AckCommands { .. } | ToServer::Stopping => Ask::Report,
        ToServer::KvRequest(KvRequest { data, .. }) => match data {
            KvRequestData::Get { .. } | KvRequestData::List { .. } => Ask::Read,
            KvRequestData::Put { keys, values } => {
                let bytes = keys.iter().chain(values).map(|part| part.len() as u64).sum();
                Ask::Grow { bytes }
            }
            KvRequestData::Delete { .. } | KvRequestData::DeleteRange { .. } | KvRequestData::Drop => {
                Ask::Shrink
            }
        },
    }
}

/// The same call, which finds and does not create.
pub(super) fn find_only(call: Call, refusal: ApiError) -> Call {
    match call {
        Call::GetOrCreateActor(new) => Call::FindActor { new: NewActor { input: None, ..new }, refusal },
        other => unreachable!("only a get-or-create finds: {other:?}"),
    }
}

/// What an actor whose KV request is refused is told.
pub(super) fn kv_refusal(error: &ApiError) -> KvResponseData {
    KvResponseData::Error { message: format!("{}: {error}", error.code()) }
}
