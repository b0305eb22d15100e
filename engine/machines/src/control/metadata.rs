//! What applications tell of themselves: asked for when a pool is configured, from time to time, and at a caller's wish.
//!
//! It tells which actors there are, for people, and the application's version: what a newer one leads to is decided in
//! [`super::upgrade`]. That an application does not tell is no error of its pool: only starts count there.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::api::ServerlessConfig;
use protocol::error::{ApiError, ServerlessMetadataError};
use protocol::id::{FetchId, Ticket};
use protocol::mark;

use super::Control;
use super::effect::{Answer, Effect};
use super::hash::fnv;
use super::input::AppFacts;
use super::pool::{Pool, PoolKey};
use super::step::Step;
use super::timers::Due;

/// What is known of a pool's application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Metadata {
    /// The version it told last.
    pub(super) version: Option<u32>,
    /// It is being asked.
    asked: Option<FetchId>,
    /// It did not tell, so many times in a row.
    failures: u32,
}

/// Where an application is asked, and with which headers.
pub(super) type Endpoint = (String, BTreeMap<String, String>);

/// An application that is being asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fetch {
    /// That of a pool, because it is time.
    Poll(PoolKey),
    /// That of a pool, at a caller's wish, as it was configured then.
    Refresh(PoolKey, Endpoint, Ticket),
    /// Any, at a caller's wish.
    Check(Ticket),
}

impl Fetch {
    /// Whether a caller waits for it.
    const fn is_called(&self) -> bool {
        match self {
            Self::Poll(_) => false,
            Self::Refresh(..) | Self::Check(_) => true,
        }
    }
}

impl Control {
    /// Asks the pool's application, unless it is being asked.
    pub(super) fn poll(&mut self, step: &mut Step, key: &PoolKey) {
        let Some(pool) = self.pools.get(key) else { return };
        let Some(config) = pool.serverless().filter(|_| pool.metadata.asked.is_none()) else { return };
        let (url, headers) = (config.url.clone(), config.headers.clone());
        let fetch = self.ask(step, Fetch::Poll(key.clone()), url, headers);
        self.pool_mut(key).metadata.asked = Some(fetch);
    }

    /// The pool's configuration was stored, changed or removed.
    pub(super) fn poll_configured(&mut self, step: &mut Step, key: &PoolKey, endpoint_changed: bool) {
        if endpoint_changed {
            let metadata = std::mem::take(&mut self.pool_mut(key).metadata);
            if let Some(fetch) = metadata.asked {
                self.fetches.remove(&fetch);
                self.thresholds.clear(Due::Fetch(fetch));
                step.perform(Effect::DropFetch { fetch });
            }
            self.thresholds.clear(Due::Poll(key.clone()));
            self.poll(step, key);
        } else if self.pools[key].metadata.asked.is_none() {
            // Whoever stores it often does not put the next look off.
            let before = self.thresholds.get(&Due::Poll(key.clone()));
            self.poll_again(key);
            let after = self.thresholds.get(&Due::Poll(key.clone()));
            self.thresholds.put(Due::Poll(key.clone()), before.into_iter().chain(after).min());
        }
    }

    /// After a boot applications are not asked all at once, but each within its interval.
    pub(super) fn poll_after_boot(&mut self, key: &PoolKey) {
        if let Some(config) = self.pools[key].serverless() {
            let interval = u64::try_from(config.poll_interval().as_millis()).unwrap_or(u64::MAX);
            let share = Duration::from_millis(fnv(key.name.bytes()) % interval.max(1));
            self.thresholds.set(Due::Poll(key.clone()), self.now.mono + share);
        }
    }

    /// When it is asked next.
    fn poll_again(&mut self, key: &PoolKey) {
        let pool = &self.pools[key];
        let doublings = pool.metadata.failures.min(self.options.metadata_backoff_exponent);
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        let after = pool.serverless().map(|config| config.poll_interval().saturating_mul(factor));
        self.thresholds.put(Due::Poll(key.clone()), after.map(|after| self.now.mono + after));
    }

    /// Asks any application at a caller's wish.
    pub(super) fn check_endpoint(
        &mut self,
        step: &mut Step,
        ticket: Ticket,
        url: String,
        headers: BTreeMap<String, String>,
    ) {
        match self.has_room_for_a_call() {
            Ok(()) => {
                self.ask(step, Fetch::Check(ticket), url, headers);
            }
            Err(error) => step.answer(ticket, Err(error)),
        }
    }

    /// Asks a pool's application at a caller's wish.
    pub(super) fn refresh_metadata(
        &mut self,
        step: &mut Step,
        ticket: Ticket,
        namespace: &str,
        name: String,
    ) {
        let key = self.namespace(namespace).map(|namespace| PoolKey { namespace, name: name.into() });
        let asked = key.and_then(|key| {
            self.has_room_for_a_call()?;
            let config = self.pools.get(&key).and_then(Pool::serverless);
            let config = config.ok_or(ApiError::ServerlessRunnerPoolNotFound)?;
            Ok((config.url.clone(), config.headers.clone(), key))
        });
        match asked {
            Ok((url, headers, key)) => {
                let endpoint = (url.clone(), headers.clone());
                self.ask(step, Fetch::Refresh(key, endpoint, ticket), url, headers);
            }
            Err(error) => step.answer(ticket, Err(error)),
        }
    }

    fn has_room_for_a_call(&self) -> Result<(), ApiError> {
        if self.metadata_calls < self.options.metadata_calls_max {
            Ok(())
        } else {
            Err(ApiError::GuardServiceUnavailable)
        }
    }

    fn ask(
        &mut self,
        step: &mut Step,
        why: Fetch,
        url: String,
        headers: BTreeMap<String, String>,
    ) -> FetchId {
        let fetch = self.next_fetch;
        self.next_fetch = fetch.next();
        self.metadata_calls += usize::from(why.is_called());
        self.fetches.insert(fetch, why);
        self.thresholds.set(Due::Fetch(fetch), self.now.mono + self.options.metadata_timeout);
        step.perform(Effect::FetchMetadata { fetch, url, headers });
        fetch
    }

    /// It did not answer in time.
    pub(super) fn fetch_timed_out(&mut self, step: &mut Step, fetch: FetchId) {
        mark!("control.metadata_timeout");
        step.perform(Effect::DropFetch { fetch });
        self.told(step, fetch, Err(ServerlessMetadataError::RequestTimedOut {}));
    }

    /// An application has answered; one that nobody waits for any more is passed over.
    pub(super) fn told(
        &mut self,
        step: &mut Step,
        fetch: FetchId,
        told: Result<AppFacts, ServerlessMetadataError>,
    ) {
        let Some(why) = self.fetches.remove(&fetch) else { return };
        self.thresholds.clear(Due::Fetch(fetch));
        self.metadata_calls -= usize::from(why.is_called());
        match why {
            Fetch::Poll(key) => {
                let metadata = &mut self.pool_mut(&key).metadata;
                assert_eq!(
                    metadata.asked.take(),
                    Some(fetch),
                    "a pool's application is asked once at a time"
                );
                match told {
                    Ok(facts) => self.learn(step, &key, &facts),
                    Err(_) => metadata.failures = metadata.failures.saturating_add(1),
                }
                self.poll_again(&key);
            }
            Fetch::Refresh(key, (url, headers), ticket) => {
                // The pool may be configured otherwise by now; then what was told is another's.
                let configured = self.pools.get(&key).and_then(Pool::serverless);
                if let Ok(facts) = &told
                    && configured.map(ServerlessConfig::endpoint) == Some((&url, &headers))
                {
                    self.learn(step, &key, facts);
                }
                let failed = |reason| ApiError::ServerlessRunnerPoolFailedToFetchMetadata { reason };
                step.answer(ticket, told.map(|_| Answer::MetadataRefreshed).map_err(failed));
            }
            Fetch::Check(ticket) => {
                step.answer(ticket, Ok(Answer::Endpoint(told.map(|facts| facts.runtime_version))));
            }
        }
    }

    fn learn(&mut self, step: &mut Step, key: &PoolKey, facts: &AppFacts) {
        self.learn_names(step, key.namespace, &facts.actor_names);
        let metadata = &mut self.pool_mut(key).metadata;
        metadata.failures = 0;
        metadata.version = facts.version;
        step.pools.insert(key.clone());
        self.scout(step, key);
    }

    /// Panics where those that callers wait for are miscounted.
    pub(super) fn check_fetches(&self) {
        let calls = self.fetches.values().filter(|fetch| fetch.is_called()).count();
        assert_eq!(self.metadata_calls, calls, "callers that wait are counted");
    }

    /// Panics where a pool's application is asked by nobody, or never again.
    pub(super) fn check_metadata(&self, key: &PoolKey, pool: &Pool) {
        let asked = pool.metadata.asked;
        let known = asked.map(|fetch| self.fetches.get(&fetch));
        assert!(known.is_none_or(|fetch| fetch == Some(&Fetch::Poll(key.clone()))), "{key:?} is asked");
        let waits = self.thresholds.get(&Due::Poll(key.clone())).is_some();
        let polled = waits != asked.is_some();
        assert!(polled == pool.serverless().is_some(), "{key:?} is asked now or later");
    }
}
