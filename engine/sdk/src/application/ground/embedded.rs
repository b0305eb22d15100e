//! An engine in this process.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Cause;
use crate::endpoint::Endpoint;
use crate::shutdown::Shutdown;

/// Opens an engine, and runs it until it is asked to end; then it ends in order.
pub(super) async fn live(options: &host::Options, end: Shutdown, up: impl FnOnce(Endpoint)) -> Option<Cause> {
    let engine = match host::Engine::open(options.clone()).await {
        Ok(engine) => engine,
        Err(error) => {
            let cause = cause(&error);
            match &cause {
                // What there is to say is said by the cause.
                Cause::PortOccupied { .. } => tracing::debug!(err = %error, "the engine cannot listen"),
                _ => tracing::error!(err = %error, "the embedded engine cannot be opened"),
            }
            return Some(cause);
        }
    };
    let endpoint = format!("http://{}", dialled(engine.local_addr()));
    // Whoever connects from here on waits until it runs.
    up(endpoint.parse().expect("an address makes an endpoint"));
    let asked = end.clone();
    let running = Box::pin(engine.run(async move { asked.draining().await }));
    match running.await {
        Ok(()) if end.is_draining() => None,
        Ok(()) => Some(Cause::EngineExited),
        Err(error) => {
            tracing::error!(err = %error, "the embedded engine ended");
            Some(Cause::EngineExited)
        }
    }
}

/// An address to dial: the loopback for one that stands for all.
const fn dialled(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn cause(error: &host::OpenError) -> Cause {
    match error {
        host::OpenError::Bind { bind, source } if source.kind() == io::ErrorKind::AddrInUse => {
            Cause::PortOccupied { port: bind.port() }
        }
        host::OpenError::Bind { bind, .. } => Cause::ListenFailed { port: bind.port() },
        // A store that another process has not let go of yet, a full disk.
        host::OpenError::Store(_) => Cause::StartFailed,
        host::OpenError::Tokens(_)
        | host::OpenError::Roots(_)
        | host::OpenError::Insecure { .. }
        | host::OpenError::PublicUrl { .. }
        | host::OpenError::NoPublicUrl { .. } => {
            Cause::Config { message: "the options of the embedded engine, see the log".to_owned() }
        }
    }
}
