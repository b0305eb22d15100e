//! Probing after healing: each counter is incremented and read, first as fast as it fails, then steadily, until told
//! to end; and the engine is asked whether it knows the pool as it was configured last.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use model::history::Kind;
use runtime::Instant;

use super::client::{Answer, Client, RETRY};
use super::http::Http;

/// From one probe to the next while recovery may still take its time, once one was answered. Ours.
const STEADY: Duration = Duration::from_secs(8);

/// The same once everybody is due. Ours: a failure that comes and goes has five chances in the 10 s that follow.
const DUE: Duration = Duration::from_secs(2);

/// Between two attempts of whoever waits for an answer. Ours: short against what is measured so.
const AGAIN: Duration = Duration::from_millis(20);

impl Client {
    /// Probes one counter, on its node, until [`Self::end`]; everybody is due after `recovery`.
    pub fn probe(&self, key: &'static str, recovery: Duration) {
        let client = self.clone();
        self.node().boot(move || {
            let client = client.clone();
            async move { client.probe_counter(key, runtime::now() + recovery).await }
        });
    }

    /// Makes or finds the counter of a key, on its node, however often it takes. Returns its id.
    pub async fn found(&self, key: &'static str) -> String {
        let found = Rc::new(RefCell::new(String::new()));
        let (client, told) = (self.clone(), Rc::clone(&found));
        self.node().boot(move || {
            let (client, told) = (client.clone(), Rc::clone(&told));
            async move {
                let actor = client.make(&mut Http::new(), key).await;
                *told.borrow_mut() = actor;
            }
        });
        self.node().ended().await;
        found.take()
    }

    /// Reads one counter, on its node, until it answers or [`Self::end`].
    pub fn wait_for(&self, key: &'static str, actor: &str) {
        let (client, actor) = (self.clone(), actor.to_owned());
        self.node().boot(move || {
            let (client, actor) = (client.clone(), actor.clone());
            async move {
                let mut http = Http::new();
                while client.operate(&mut http, key, &actor, Kind::Read).await != Answer::Good
                    && !client.is_over()
                {
                    runtime::sleep(AGAIN).await;
                }
            }
        });
    }

    /// Asks until the engine knows the pool with so many slots per runner, and once more when everybody is due.
    pub fn probe_pool(&self, slots: u32, recovery: Duration) {
        let client = self.clone();
        self.node().boot(move || {
            let client = client.clone();
            async move {
                let due = runtime::now() + recovery;
                let mut http = Http::new();
                while !client.check_pool(&mut http, slots).await && !client.is_over() {
                    runtime::sleep(RETRY).await;
                }
                runtime::sleep(due.saturating_since(runtime::now())).await;
                // On a connection of its own: the engine may be closing one that was idle for so long.
                client.check_pool(&mut Http::new(), slots).await;
            }
        });
    }

    async fn probe_counter(self, key: &'static str, due: Instant) {
        let mut http = Http::new();
        let mut actor = None;
        let mut served = false;
        let kinds = [Kind::Increment { by: 1 }, Kind::Read];
        let mut turn = 0;
        while !self.is_over() {
            if actor.is_none() {
                actor = self.try_make(&mut http, key).await;
            }
            if let Some(actor) = &actor {
                let kind = kinds[turn % kinds.len()];
                let good = self.operate(&mut http, key, actor, kind).await == Answer::Good;
                // Until an increment succeeds, increments are what is asked.
                turn += usize::from(served || good);
                served |= good;
            }
            let pause = match (served, runtime::now() >= due) {
                (false, _) => RETRY,
                (true, false) => STEADY,
                (true, true) => DUE,
            };
            runtime::sleep(pause).await;
        }
    }
}
