//! The scripts. Each is a pair of parties, generic over nothing but `runtime`.
//!
//! The server gets a listener, the client its address, and each a [`Stage`]: where both meet beside the network, where
//! they write down what they observe, and the cable between them.

mod addresses;
mod cable;
mod closing;
mod flow;
mod halves;
mod http;
mod refusal;
mod reset;
mod web_socket;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use runtime::TcpListener;

use crate::party::Stage;

/// A party that runs.
pub(crate) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the kernel can play a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the loopback of whoever runs it.
    Loopback,
    /// On a loopback of its own, in a network namespace: its cable is cut, or the kernel's settings are others.
    Namespace,
}

/// A script.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) server: fn(Stage, TcpListener) -> Running,
    pub(crate) client: fn(Stage, SocketAddr) -> Running,
    pub(crate) place: Place,
    /// It moves more than a window holds: fewer seeds play it.
    pub(crate) moves_much: bool,
    /// What it needs that madsim does not have.
    pub(crate) lacking: Option<&'static str>,
}

impl Script {
    /// It moves more than a window holds.
    const fn moving_much(self) -> Self {
        Self { moves_much: true, ..self }
    }

    /// The kernel plays it in a network namespace.
    const fn in_a_namespace(self) -> Self {
        Self { place: Place::Namespace, ..self }
    }

    /// It makes a stream reset when it is dropped.
    const fn with_linger(self) -> Self {
        Self { lacking: Some("no `SO_LINGER`"), ..self }
    }

    /// It bounds how long bytes may stay without acknowledgement.
    const fn with_user_timeout(self) -> Self {
        Self { lacking: Some("no `TCP_USER_TIMEOUT`"), ..self }
    }

    /// It needs a listener's queue to end.
    const fn with_backlog(self) -> Self {
        Self { lacking: Some("its backlog has no bound"), ..self }
    }
}

/// Makes a script of two async functions.
macro_rules! script {
    ($name:ident, $server:path, $client:path) => {
        $crate::scripts::Script {
            name: stringify!($name),
            server: |stage, listener| Box::pin($server(stage, listener)),
            client: |stage, address| Box::pin($client(stage, address)),
            place: $crate::scripts::Place::Loopback,
            moves_much: false,
            lacking: None,
        }
    };
}
use script;

/// All of them, by what they are about.
pub(crate) fn all() -> Vec<(&'static str, Vec<Script>)> {
    vec![
        ("bytes", flow::scripts()),
        ("halves of a stream", halves::scripts()),
        ("how streams end", closing::scripts()),
        ("resets", reset::scripts()),
        ("addresses", addresses::scripts()),
        ("connections that fail, listeners that go", refusal::scripts()),
        ("a network that fails", cable::scripts()),
        ("HTTP (hyper)", http::scripts()),
        ("WebSocket (tungstenite)", web_socket::scripts()),
    ]
}
