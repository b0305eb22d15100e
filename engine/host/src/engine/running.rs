//! A running core: how it starts, and the two ways it ends.

use std::sync::Arc;
use std::time::Duration;

use machines::control::{Control, Effect};
use protocol::error::CloseReason;
use protocol::id::NamespaceId;
use runtime::{JoinHandle, TcpListener};

use super::core::Core;
use super::{RunError, View};
use crate::budget::Budget;
use crate::halt::{Halt, Roll};
use crate::serial::Serial;
use crate::sockets::Sockets;
use crate::store::{Store, StoreError};
use crate::{Options, clock, control, gateway, halt, http};

/// How long runners may take to answer their close frames, all together. Each has a second.
const SOCKETS_TIMEOUT: Duration = Duration::from_millis(1500);

/// A core at work.
pub(super) struct Running {
    control: JoinHandle<Result<Store, StoreError>>,
    gateway: JoinHandle<()>,
    sockets: Sockets,
    drain_timeout: Duration,
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
    /// Reads the store and starts everything.
    pub(super) async fn start(
        options: &Options,
        public_url: &Arc<str>,
        store: Store,
        listener: &Arc<TcpListener>,
        view: &View,
    ) -> Result<Self, RunError> {
        let (machine, restored) = match restore(options, &store).await {
            Ok(restored) => restored,
            Err(error) => {
                store.close().await;
                return Err(error);
            }
        };
        let (control, control_inbox) = control::mailbox();
        let (gateway, gateway_inbox) = gateway::mailbox();
        let (alive, all) = halt::roll();
        let core = Core {
            serial: Arc::new(Serial::default()),
            sockets: Sockets::default(),
            control: control.clone(),
            gateway: gateway.clone(),
            limits: Arc::new(options.limits.clone()),
            bodies: Budget::new(options.limits.bodies_bytes_max),
            public_url: Arc::clone(public_url),
            halt: Halt::new(),
            _alive: alive,
        };
        let (stop, drain) = (Halt::new(), Halt::new());
        let witness = Arc::clone(&options.witness);
        let driver = control::Driver::new(machine, options.check_every, core.clone(), Arc::clone(&witness));
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
        view.show(Some((control, gateway)));
        let running = Self {
            control: runtime::spawn("control", driving),
            gateway: runtime::spawn("gateway", gateway_driver.run()),
            sockets: core.sockets.clone(),
            drain_timeout: options.drain_timeout,
            view: view.clone(),
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
    pub(super) async fn failure(&mut self) -> StoreError {
        runtime::select! {
            ended = &mut self.control => match ended {
                Ok(Err(error)) => error,
                Ok(Ok(_)) => unreachable!("the control plane ends by itself only when the store fails"),
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
            Ok(stopped) => stopped,
            Err(error) => panic!("the control plane's driver ended: {error}"),
        };
        self.sockets.close_all(CloseReason::GoingAway);
        self.view.show(None);
        if runtime::timeout(SOCKETS_TIMEOUT, self.all.empty()).await.is_err() {
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

async fn restore(options: &Options, store: &Store) -> Result<(Control, Vec<Effect>), RunError> {
    let records = store.load().await?;
    tracing::debug!(records = records.len(), "store read");
    let namespace = NamespaceId::from_entropy(runtime::entropy::bytes("namespace id"));
    let mut restored = Vec::new();
    let control = Control::restore(options.control.clone(), clock::now(), namespace, records, &mut restored)?;
    control.check();
    Ok((control, restored))
}
