//! An engine's socket that keeps the storage of the actors, so that a test sees what it is about.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::id::{ActorId, Generation};
use protocol::wire::{
    ActorConfig, Checkpoint, Command, CommandWrapper, Event, KvListQuery, KvMetadata, KvRequestData,
    KvResponseData, StartActor, ToClient, ToServer,
};

use crate::engine::{Answer, Engine, Socket};

/// Whether a query means this key.
fn means(query: &KvListQuery, key: &Bytes) -> bool {
    match query {
        KvListQuery::All => true,
        KvListQuery::Prefix { key: prefix } => key.starts_with(prefix),
        KvListQuery::Range { start, end, exclusive } => {
            start <= key && (key < end || (!exclusive && key == end))
        }
    }
}

fn columns(found: impl Iterator<Item = (Bytes, Bytes)>) -> (Vec<Bytes>, Vec<Bytes>, Vec<KvMetadata>) {
    let (keys, values): (Vec<_>, Vec<_>) = found.unzip();
    let metadata = keys.iter().map(|_| KvMetadata { version: Bytes::new(), update_ts: 0 }).collect();
    (keys, values, metadata)
}

/// The engine's side of a socket, with a storage.
pub(crate) struct Keeper {
    pub(crate) socket: Socket,
    /// What is stored, of all actors.
    pub(crate) stored: BTreeMap<(ActorId, Bytes), Bytes>,
    /// Writes that were carried out.
    pub(crate) puts: usize,
    /// Lists that were carried out.
    pub(crate) lists: usize,
    /// Refuses so many writes from here on.
    pub(crate) refuses: usize,
}

impl Keeper {
    pub(crate) async fn greet(engine: &Engine) -> Self {
        Self { socket: engine.session().await, stored: BTreeMap::new(), puts: 0, lists: 0, refuses: 0 }
    }

    /// The same after its socket was cut off.
    pub(crate) async fn reconnected(self, engine: &Engine) -> Self {
        drop(self.socket);
        Self { socket: engine.session().await, ..self }
    }

    /// The next message that is not for the storage.
    pub(crate) async fn recv(&mut self) -> ToServer {
        loop {
            match self.socket.recv().await {
                ToServer::KvRequest(request) => {
                    let answer = self.carry_out(request.actor_id, request.data);
                    self.socket.kv_answer(request.request_id, answer).await;
                }
                other => return other,
            }
        }
    }

    /// Carries out a storage request.
    pub(crate) fn carry_out(&mut self, actor: ActorId, data: KvRequestData) -> KvResponseData {
        match data {
            KvRequestData::Put { .. } if self.refuses > 0 => {
                self.refuses -= 1;
                KvResponseData::Error { message: "not now".into() }
            }
            KvRequestData::Put { keys, values } => {
                self.puts += 1;
                self.stored.extend(keys.into_iter().map(|key| (actor, key)).zip(values));
                KvResponseData::Put
            }
            KvRequestData::Get { keys } => {
                let found = |key: Bytes| {
                    let value = self.stored.get(&(actor, key.clone()))?.clone();
                    Some((key, value))
                };
                let (keys, values, metadata) = columns(keys.into_iter().filter_map(found));
                KvResponseData::Get { keys, values, metadata }
            }
            KvRequestData::List { query, reverse: None, limit } => {
                let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
                self.lists += 1;
                let found = self.stored.iter().filter(|((of, key), _)| *of == actor && means(&query, key));
                let found = found.map(|((_, key), value)| (key.clone(), value.clone()));
                let (keys, values, metadata) = columns(found.take(limit));
                KvResponseData::List { keys, values, metadata }
            }
            KvRequestData::Delete { keys } => {
                self.stored.retain(|(of, key), _| *of != actor || !keys.contains(key));
                KvResponseData::Delete
            }
            KvRequestData::DeleteRange { start, end } => {
                let query = KvListQuery::Range { start, end, exclusive: true };
                self.stored.retain(|(of, key), _| *of != actor || !means(&query, key));
                KvResponseData::Delete
            }
            other => panic!("the storage of the test does not know {other:?}"),
        }
    }

    /// The events that come next, acknowledged.
    pub(crate) async fn events(&mut self) -> Vec<Event> {
        match self.recv().await {
            ToServer::Events(events) => {
                self.socket.ack(&events).await;
                events.into_iter().map(|event| event.inner).collect()
            }
            other => panic!("instead of events came {other:?}"),
        }
    }

    /// The answer of this number, which comes next.
    pub(crate) async fn answer(&mut self, number: u32) -> Answer {
        match self.recv().await {
            ToServer::TunnelMessage(message) => Answer::of(number, message),
            other => panic!("instead of an answer came {other:?}"),
        }
    }

    /// Calls an action, and waits for its answer.
    pub(crate) async fn call(&mut self, number: u32, actor: ActorId, action: &str, body: &str) -> Answer {
        self.ask(number, actor, action, body).await;
        self.answer(number).await
    }

    /// Calls an action.
    pub(crate) async fn ask(&mut self, number: u32, actor: ActorId, action: &str, body: &str) {
        self.socket.request_at(number, actor, "POST", &format!("/action/{action}"), body).await;
    }

    pub(crate) async fn start(&mut self, actor: ActorId, name: &str, generation: u32) {
        let config = ActorConfig { name: name.into(), key: Some("k".into()), create_ts: 1, input: None };
        let start = Command::StartActor(StartActor { config, hibernating_requests: Vec::new() });
        self.command(actor, generation, 0, start).await;
    }

    pub(crate) async fn stop(&mut self, actor: ActorId, generation: u32) {
        self.command(actor, generation, 1, Command::StopActor).await;
    }

    async fn command(&mut self, actor_id: ActorId, generation: u32, index: i64, inner: Command) {
        let checkpoint = Checkpoint { actor_id, generation: Generation(generation), index };
        self.socket.send(ToClient::Commands(vec![CommandWrapper { checkpoint, inner }])).await;
    }
}
