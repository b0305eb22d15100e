//! A running core: how it starts, and the two ways it ends.

use std::sync::Arc;
use std::time::Duration;

use machines::control::record::{Key, Record};
use machines::control::{Control, Effect, RestoreError};
use machines::durability::Durability;
use protocol::error::CloseReason;
use protocol::id::NamespaceId;
use protocol::view::Witness;
use runtime::{JoinHandle, TcpListener};
use tokio::sync::Semaphore;

use super::core::Core;
use super::{RunError, View};
use crate::access::{self, Door};
use crate::budget::Budget;
use crate::halt::{Halt, Roll};
use crate::metrics::{Counting, Metrics};
use crate::outbound::Dialler;
use crate::serial::Serial;
use crate::sockets::Sockets;
use crate::store::{Store, StoreError};
use crate::{Options, clock, control, gateway, halt, http};

/// Backups at one time. Ours: each reads the whole store, and keeps what is overwritten meanwhile.
const COPIES_MAX: usize = 1;

/// What outlives a core: the same for each core of an engine.
pub(super) struct Shared {
    pub(super) public_url: Arc<str>,
    pub(super) door: Door,
    pub(super) dialler: Dialler,
    pub(super) metrics: Metrics,
    pub(super) view: View,
}

/// A core at work.
pub(super) struct Running {
    control: JoinHandle<control::Ended>,
    gateway: JoinHandle<()>,
    sockets: Sockets,
    drain_timeout: Duration,
    /// How long runners may take to answer their close frames, all together.
    sockets_timeout: Duration,
    view: View,
    /// Ends the intake of new requests.
    drain: Halt,
    /// Ends the control plane, between two commits.
    stop: Halt,
    /// Ends all else.
    halt: Halt,
    /// The listener and the connections of clients.
    clients: Roll,
    /// Whoever has the core.
    all: Roll,
}

impl Running {
    /// Starts everything, with these records of the store.
    pub(super) async fn start(
        options: &Options,
        shared: &Shared,
        store: Store,
        records: Vec<(Key, Record)>,
        durability: Durability,
        listener: &Arc<TcpListener>,
    ) -> Result<Self, RunError> {
        let (machine, restored) = match restore(options, records, &durability) {
            Ok(restored) => restored,
            Err(error) => {
                store.close().await;
                return Err(error.into());
            }
        };
        let (control, control_inbox) = control::mailbox();
        let (gateway, gateway_inbox) = gateway::mailbox();
        let (alive, all) = halt::roll();
        let (stop, drain) = (Halt::new(), Halt::new());
        let core = Core {
            serial: Arc::new(Serial::default()),
            sockets: Sockets::default(),
            control: control.clone(),
            gateway: gateway.clone(),
            limits: Arc::new(options.limits.clone()),
            door: shared.door.clone(),
            dialler: shared.dialler.clone(),
            metrics: shared.metrics.clone(),
            bodies: Budget::new(options.limits.bodies_bytes_max),
            public_url: Arc::clone(&shared.public_url),
            copies: Arc::new(Semaphore::new(COPIES_MAX)),
            going: drain.clone(),
            halt: Halt::new(),
            _alive: alive,
        };
        let witness = Counting::new(shared.metrics.clone(), Arc::clone(&options.witness));
        let witness: Arc<dyn Witness> = Arc::new(witness);
        let driver = control::Driver::new(
            machine,
            durability,
            options.store(),
            options.check_every,
            core.clone(),
            Arc::clone(&witness),
        );
        let driving = driver.run(store, control_inbox, restored, stop.clone());
        let gateway_driver = gateway::Driver::new(
            options.gateway.clone(),
            options.check_every,
            gateway_inbox,
            control.clone(),
            core.sockets.clone(),
            witness,
        );
        let (client, clients) = halt::roll();
        let listening = http::listener::listen(core.clone(), Arc::clone(listener), drain.clone(), client);
        shared.view.show(Some((control, gateway)));
        access::watch(&shared.door, options.tokens_interval, core.halt.clone());
        let running = Self {
            control: runtime::spawn("control", driving),
            gateway: runtime::spawn("gateway", gateway_driver.run()),
            sockets: core.sockets.clone(),
            drain_timeout: options.drain_timeout,
            sockets_timeout: options.limits.close_timeout * 3 / 2,
            view: shared.view.clone(),
            drain,
            stop,
            halt: core.halt,
            clients,
            all,
        };
        drop(runtime::spawn("http listener", listening));
        Ok(running)
    }

    /// Waits for the end that nobody asked for.
    pub(super) async fn ended(&mut self) -> control::Ended {
        runtime::select! {
            ended = &mut self.control => match ended {
                Ok(ended) => ended,
                Err(error) => panic!("the control plane's driver ended: {error}"),
            },
            ended = &mut self.gateway => panic!("the gateway's driver ended: {ended:?}"),
        }
    }

    /// Stops in order: requests in flight end, then the machines, then the sockets, then the store.
    pub(super) async fn stop(mut self) -> Result<(), StoreError> {
        self.drain.give();
        if runtime::timeout(self.drain_timeout, self.clients.empty()).await.is_err() {
            protocol::mark!("drain_timed_out");
            tracing::warn!("requests were still in flight after {:?}", self.drain_timeout);
        }
        self.stop.give();
        let store = match (&mut self.control).await {
            Ok(stopped) => stopped.store,
            Err(error) => panic!("the control plane's driver ended: {error}"),
        };
        self.sockets.close_all(CloseReason::GoingAway);
        self.view.show(None);
        if runtime::timeout(self.sockets_timeout, self.all.empty()).await.is_err() {
            protocol::mark!("going_away_unanswered");
        }
        self.abandon().await;
        store?.close().await;
        Ok(())
    }

    /// Ends everything that is left, at once. The control plane has ended.
    pub(super) async fn abandon(mut self) {
        self.view.show(None);
        self.halt.give();
        self.all.empty().await;
        if let Err(error) = self.gateway.await {
            panic!("the gateway's driver ended: {error}");
        }
        assert_eq!(self.sockets.len(), 0, "a socket leaves the register when it ends");
    }
}

/// The store, and every record in it.
pub(super) async fn read(store: Store) -> Result<(Store, Vec<(Key, Record)>), StoreError> {
    match store.load().await {
        Ok(records) => {
            tracing::debug!(records = records.len(), "store read");
            Ok((store, records))
        }
        Err(error) => {
            store.close().await;
            Err(error)
        }
    }
}

fn restore(
    options: &Options,
    records: Vec<(Key, Record)>,
    durability: &Durability,
) -> Result<(Control, Vec<Effect>), RestoreError> {
    let namespace = NamespaceId::from_entropy(runtime::entropy::bytes("namespace id"));
    let mut restored = Vec::new();
    let mut control =
        Control::restore(options.control.clone(), clock::now(), namespace, records, &mut restored)?;
    control.check();
    if durability.is_read_only() {
        control.read_only();
        restored.clear();
    }
    Ok((control, restored))
}
