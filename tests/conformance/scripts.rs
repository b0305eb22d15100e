//! The scripts. Each is a pair of parties, generic over nothing but `runtime`.
//!
//! The server gets a listener, the client its address and a [`Meeting`] with the server beside the network, where a
//! script needs one party to wait for the other without a byte.

pub(crate) mod closing;
pub(crate) mod flow;
pub(crate) mod refusal;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use runtime::TcpListener;
use tokio::sync::Barrier;

use crate::party::Observed;

/// Where both parties wait for each other, beside the network.
pub(crate) type Meeting = Arc<Barrier>;

/// A party that runs.
pub(crate) type Running = Pin<Box<dyn Future<Output = Observed> + Send>>;

/// A script.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) server: fn(TcpListener, Meeting) -> Running,
    pub(crate) client: fn(SocketAddr, Meeting) -> Running,
}

/// Makes a script of two async functions.
macro_rules! script {
    ($name:literal, $server:path, $client:path) => {
        $crate::scripts::Script {
            name: $name,
            server: |listener, meeting| Box::pin($server(listener, meeting)),
            client: |address, meeting| Box::pin($client(address, meeting)),
        }
    };
}
use script;

/// Accepts one connection.
async fn accept(listener: &TcpListener) -> crate::party::Party {
    let (stream, _) = listener.accept().await.expect("the client connects");
    crate::party::Party::new(stream)
}

/// Connects.
async fn connect(address: SocketAddr) -> crate::party::Party {
    crate::party::Party::new(runtime::TcpStream::connect(address).await.expect("the server listens"))
}
