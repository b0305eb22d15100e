//! Whom a proxy connects to: names, how long their addresses are kept, which one is next.

use std::net::SocketAddr;
use std::time::Duration;

use runtime::Instant;

use crate::effects::Effect;
use crate::middlebox::felt::{felt, has_moved};

/// Which target is next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// One after the other, in the order of the names and of their addresses.
    RoundRobin,
    /// Any: decided in this stream of the node's entropy (`entropy/NODE/…`).
    Drawn(String),
}

/// Whom a proxy connects to.
#[derive(Clone, Debug)]
pub struct Targets {
    names: Vec<(String, u16)>,
    keep: Option<Duration>,
    pick: Pick,
}

impl Targets {
    /// These hosts and ports, resolved for each connection, one after the other.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = (&'a str, u16)>) -> Self {
        let names: Vec<_> = names.into_iter().map(|(host, port)| (host.to_owned(), port)).collect();
        assert!(!names.is_empty(), "a proxy connects to somebody");
        Self { names, keep: Some(Duration::ZERO), pick: Pick::RoundRobin }
    }

    /// Resolves them once, and again when the answer is so old; `None`: never, as nginx does without a `resolver`. A
    /// name that resolves no more keeps the addresses that it had.
    #[must_use]
    pub fn keep(self, ttl: Option<Duration>) -> Self {
        Self { keep: ttl, ..self }
    }

    /// Picks otherwise.
    #[must_use]
    pub fn pick(self, pick: Pick) -> Self {
        Self { pick, ..self }
    }
}

/// The addresses of targets, as they were when they were last asked for.
pub(super) struct Resolver {
    targets: Targets,
    /// Addresses, by name.
    known: Vec<Vec<SocketAddr>>,
    asked: Option<Instant>,
    turn: u64,
}

impl Resolver {
    pub(super) fn new(targets: Targets) -> Self {
        let known = targets.names.iter().map(|_| Vec::new()).collect();
        Self { targets, known, asked: None, turn: 0 }
    }

    /// The next target. `None`: no name has ever resolved.
    pub(super) async fn pick(&mut self) -> Option<SocketAddr> {
        self.resolve().await;
        let names = self.targets.names.iter().zip(&self.known);
        let all: Vec<(&str, SocketAddr)> =
            names.flat_map(|((host, _), known)| known.iter().map(move |one| (host.as_str(), *one))).collect();
        let count = u64::try_from(all.len()).expect("a few addresses");
        let turn = match &self.targets.pick {
            Pick::RoundRobin => self.turn,
            Pick::Drawn(stream) => runtime::entropy::u64(stream),
        };
        self.turn += 1;
        let place = turn.checked_rem(count)?;
        let (host, address) = all[usize::try_from(place).expect("a few addresses")];
        if has_moved(host, address.ip()) {
            felt(Effect::StaleName);
        }
        Some(address)
    }

    async fn resolve(&mut self) {
        let is_fresh = self.asked.is_some_and(|asked| {
            self.targets.keep.is_none_or(|ttl| runtime::now().saturating_since(asked) < ttl)
        });
        if is_fresh {
            return;
        }
        for ((host, port), known) in self.targets.names.iter().zip(&mut self.known) {
            if let Ok(fresh) = runtime::resolve(host, *port).await {
                *known = fresh;
            }
        }
        self.asked = self.known.iter().any(|known| !known.is_empty()).then(runtime::now);
    }
}
