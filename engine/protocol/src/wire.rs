//! The runner protocol, version 7: what a runner and the engine say on their socket.
//!
//! Every binary frame is one union, [`ToServer`] upwards or [`ToClient`] downwards, in BARE (little endian, lengths
//! as varints, unions by declaration order). [`ToServerlessServer`] is what a serverless application writes into its
//! event stream. Frames carry no version: it is agreed in the URL of the socket. [`codec`] turns frames into messages
//! and back, and takes nothing that it would not write itself.

pub mod codec;
pub mod command;
pub mod event;
pub mod headers;
pub mod incarnation;
pub mod kv;
mod list;
pub mod map;
pub mod serverless;
pub mod to_client;
pub mod to_server;
pub mod tunnel;

pub use codec::{DecodeError, Message, decode, encode};
pub use command::{ActorConfig, Command, CommandWrapper, HibernatingRequest, StartActor};
pub use event::{ActorIntent, ActorState, Checkpoint, Event, EventWrapper, StopCode};
pub use headers::Headers;
pub use kv::{KvListQuery, KvMetadata, KvRequest, KvRequestData, KvResponse, KvResponseData};
pub use map::{DoubledKey, Map};
pub use serverless::{PayloadError, ToServerlessServer, decode_payload, encode_payload};
pub use to_client::{ProtocolMetadata, ToClient, ToClientInit};
pub use to_server::{ActorName, ToServer, ToServerInit};
pub use tunnel::{
    ENVOY_ACTOR_NOT_FOUND, ERROR_HEADER, MessageId, RUNNER_ACTOR_NOT_FOUND, ToClientKind,
    ToClientTunnelMessage, ToServerKind, ToServerTunnelMessage,
};

/// The version of the runner protocol spoken here, in `protocol_version` of the socket's URL and before the payload
/// of an event stream.
pub const PROTOCOL_VERSION: u16 = 7;
