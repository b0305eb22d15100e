//! Any message, in the shapes a peer may send.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use protocol::id::{ActorId, GatewayId, Generation, RequestId, RunnerId};
use protocol::wire::{
    ActorConfig, ActorIntent, ActorName, ActorState, Checkpoint, Command, CommandWrapper, Event,
    EventWrapper, Headers, HibernatingRequest, KvListQuery, KvMetadata, KvRequest, KvRequestData, KvResponse,
    KvResponseData, Map, MessageId, ProtocolMetadata, StartActor, StopCode, ToClient, ToClientInit,
    ToClientKind, ToClientTunnelMessage, ToServer, ToServerInit, ToServerKind, ToServerTunnelMessage,
    ToServerlessServer,
};

fn actor() -> impl Strategy<Value = ActorId> {
    "[0-9a-z]{30}".prop_map(|text| text.parse().expect("thirty such characters are an id"))
}

fn runner() -> impl Strategy<Value = RunnerId> {
    any::<[u8; 16]>().prop_map(RunnerId::from_entropy)
}

/// Lengths on both sides of 127, where a varint grows to two bytes.
fn data() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn list() -> impl Strategy<Value = Vec<Bytes>> {
    vec(vec(any::<u8>(), 0..20).prop_map(Bytes::from), 0..6)
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,60}"
}

fn entries<V>(map: BTreeMap<String, V>) -> Vec<(String, V)> {
    map.into_iter().collect()
}

/// Entries in an order that is not the sorted one.
fn headers() -> impl Strategy<Value = Headers> {
    let shuffled = btree_map(text(), text(), 0..6).prop_map(entries).prop_shuffle();
    shuffled.prop_map(|entries| Headers::from_entries(entries).expect("keys of a BTreeMap differ"))
}

fn checkpoint() -> impl Strategy<Value = Checkpoint> {
    (actor(), any::<u32>(), any::<i64>()).prop_map(|(actor_id, generation, index)| Checkpoint {
        actor_id,
        generation: Generation(generation),
        index,
    })
}

fn event() -> impl Strategy<Value = EventWrapper> {
    let code = prop_oneof![Just(StopCode::Ok), Just(StopCode::Error)];
    let stopped =
        (code, option::of(text())).prop_map(|(code, message)| ActorState::Stopped { code, message });
    let state = prop_oneof![Just(ActorState::Running), stopped];
    let inner = prop_oneof![
        prop_oneof![Just(ActorIntent::Sleep), Just(ActorIntent::Stop)]
            .prop_map(|intent| Event::ActorIntent { intent }),
        state.prop_map(|state| Event::ActorStateUpdate { state }),
        option::of(any::<i64>()).prop_map(|alarm_ts| Event::SetAlarm { alarm_ts }),
    ];
    (checkpoint(), inner).prop_map(|(checkpoint, inner)| EventWrapper { checkpoint, inner })
}

fn command() -> impl Strategy<Value = CommandWrapper> {
    let config = (text(), option::of(text()), any::<i64>(), option::of(data()))
        .prop_map(|(name, key, create_ts, input)| ActorConfig { name, key, create_ts, input });
    let hibernating = any::<([u8; 4], [u8; 4])>().prop_map(|(gateway, request)| HibernatingRequest {
        gateway_id: GatewayId(gateway),
        request_id: RequestId(request),
    });
    let start = (config, vec(hibernating, 0..3)).prop_map(|(config, hibernating_requests)| {
        Command::StartActor(StartActor { config, hibernating_requests })
    });
    (checkpoint(), prop_oneof![start, Just(Command::StopActor)])
        .prop_map(|(checkpoint, inner)| CommandWrapper { checkpoint, inner })
}

fn message_id() -> impl Strategy<Value = MessageId> {
    any::<([u8; 4], [u8; 4], u16)>().prop_map(|(gateway, request, message_index)| MessageId {
        gateway_id: GatewayId(gateway),
        request_id: RequestId(request),
        message_index,
    })
}

fn close() -> impl Strategy<Value = (Option<u16>, Option<String>)> {
    (option::of(any::<u16>()), option::of(text()))
}

fn to_client_kind() -> impl Strategy<Value = ToClientKind> {
    let start = (actor(), text(), text(), headers(), option::of(data()), any::<bool>()).prop_map(
        |(actor_id, method, path, headers, body, stream)| ToClientKind::RequestStart {
            actor_id,
            method,
            path,
            headers,
            body,
            stream,
        },
    );
    prop_oneof![
        start,
        (data(), any::<bool>()).prop_map(|(body, finish)| ToClientKind::RequestChunk { body, finish }),
        Just(ToClientKind::RequestAbort),
        (actor(), text(), headers()).prop_map(|(actor_id, path, headers)| ToClientKind::WebSocketOpen {
            actor_id,
            path,
            headers
        }),
        (data(), any::<bool>()).prop_map(|(data, binary)| ToClientKind::WebSocketMessage { data, binary }),
        close().prop_map(|(code, reason)| ToClientKind::WebSocketClose { code, reason }),
    ]
}

fn to_server_kind() -> impl Strategy<Value = ToServerKind> {
    let start = (any::<u16>(), headers(), option::of(data()), any::<bool>()).prop_map(
        |(status, headers, body, stream)| ToServerKind::ResponseStart { status, headers, body, stream },
    );
    prop_oneof![
        start,
        (data(), any::<bool>()).prop_map(|(body, finish)| ToServerKind::ResponseChunk { body, finish }),
        Just(ToServerKind::ResponseAbort),
        any::<bool>().prop_map(|can_hibernate| ToServerKind::WebSocketOpen { can_hibernate }),
        (data(), any::<bool>()).prop_map(|(data, binary)| ToServerKind::WebSocketMessage { data, binary }),
        any::<u16>().prop_map(|index| ToServerKind::WebSocketMessageAck { index }),
        (close(), any::<bool>()).prop_map(|((code, reason), hibernate)| ToServerKind::WebSocketClose {
            code,
            reason,
            hibernate
        }),
    ]
}

fn kv_request() -> impl Strategy<Value = KvRequestData> {
    let query = prop_oneof![
        Just(KvListQuery::All),
        (data(), data(), any::<bool>()).prop_map(|(start, end, exclusive)| KvListQuery::Range {
            start,
            end,
            exclusive
        }),
        data().prop_map(|key| KvListQuery::Prefix { key }),
    ];
    prop_oneof![
        list().prop_map(|keys| KvRequestData::Get { keys }),
        (query, option::of(any::<bool>()), option::of(any::<u64>()))
            .prop_map(|(query, reverse, limit)| KvRequestData::List { query, reverse, limit }),
        (list(), list()).prop_map(|(keys, values)| KvRequestData::Put { keys, values }),
        list().prop_map(|keys| KvRequestData::Delete { keys }),
        (data(), data()).prop_map(|(start, end)| KvRequestData::DeleteRange { start, end }),
        Just(KvRequestData::Drop),
    ]
}

fn kv_response() -> impl Strategy<Value = KvResponseData> {
    let metadata = || {
        vec((data(), any::<i64>()).prop_map(|(version, update_ts)| KvMetadata { version, update_ts }), 0..3)
    };
    prop_oneof![
        text().prop_map(|message| KvResponseData::Error { message }),
        (list(), list(), metadata()).prop_map(|(keys, values, metadata)| KvResponseData::Get {
            keys,
            values,
            metadata
        }),
        (list(), list(), metadata()).prop_map(|(keys, values, metadata)| KvResponseData::List {
            keys,
            values,
            metadata
        }),
        Just(KvResponseData::Put),
        Just(KvResponseData::Delete),
        Just(KvResponseData::Drop),
    ]
}

fn to_server_init() -> impl Strategy<Value = ToServerInit> {
    let names = btree_map(text(), text().prop_map(|metadata| ActorName { metadata }), 0..4);
    let names = names.prop_map(entries).prop_shuffle();
    let names = names.prop_map(|names| Map::from_entries(names).expect("keys of a BTreeMap differ"));
    (text(), any::<u32>(), any::<u32>(), option::of(names), option::of(text())).prop_map(
        |(name, version, total_slots, prepopulate_actor_names, metadata)| ToServerInit {
            name,
            version,
            total_slots,
            prepopulate_actor_names,
            metadata,
        },
    )
}

pub(crate) fn to_server() -> impl Strategy<Value = ToServer> {
    let tunnel = (message_id(), to_server_kind())
        .prop_map(|(message_id, message_kind)| ToServerTunnelMessage { message_id, message_kind });
    let kv = (actor(), any::<u32>(), kv_request()).prop_map(|(actor_id, request_id, data)| KvRequest {
        actor_id,
        request_id,
        data,
    });
    prop_oneof![
        to_server_init().prop_map(ToServer::Init),
        vec(event(), 0..4).prop_map(ToServer::Events),
        vec(checkpoint(), 0..4)
            .prop_map(|last_command_checkpoints| ToServer::AckCommands { last_command_checkpoints }),
        Just(ToServer::Stopping),
        any::<i64>().prop_map(|ts| ToServer::Pong { ts }),
        kv.prop_map(ToServer::KvRequest),
        tunnel.prop_map(ToServer::TunnelMessage),
    ]
}

pub(crate) fn to_client() -> impl Strategy<Value = ToClient> {
    let init = (runner(), any::<(i64, i64, Option<i64>)>()).prop_map(|(runner_id, (lost, stop, drain))| {
        let metadata = ProtocolMetadata {
            runner_lost_threshold: lost,
            actor_stop_threshold: stop,
            serverless_drain_grace_period: drain,
        };
        ToClientInit { runner_id, metadata }
    });
    let tunnel = (message_id(), to_client_kind())
        .prop_map(|(message_id, message_kind)| ToClientTunnelMessage { message_id, message_kind });
    let kv = (any::<u32>(), kv_response()).prop_map(|(request_id, data)| KvResponse { request_id, data });
    prop_oneof![
        init.prop_map(ToClient::Init),
        vec(command(), 0..4).prop_map(ToClient::Commands),
        vec(checkpoint(), 0..4)
            .prop_map(|last_event_checkpoints| ToClient::AckEvents { last_event_checkpoints }),
        kv.prop_map(ToClient::KvResponse),
        tunnel.prop_map(ToClient::TunnelMessage),
        any::<i64>().prop_map(|ts| ToClient::Ping { ts }),
    ]
}

pub(crate) fn to_serverless_server() -> impl Strategy<Value = ToServerlessServer> {
    (runner(), any::<u16>()).prop_map(|(runner_id, runner_protocol_version)| ToServerlessServer::Init {
        runner_id,
        runner_protocol_version,
    })
}
