//! How the sessions of a process stand, for whoever looks from outside: health reports, tests, laws.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::id::RunnerKey;
use protocol::view::SessionView;

/// A look at the sessions it was given to. Clones see the same.
#[derive(Clone, Debug, Default)]
pub struct View(Arc<Mutex<BTreeMap<RunnerKey, Standing>>>);

type Standing = Arc<Mutex<SessionView>>;

/// One session's place in a view, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    view: View,
    key: RunnerKey,
    standing: Standing,
}

impl View {
    /// How each living session stands.
    #[must_use]
    pub fn sessions(&self) -> Vec<(RunnerKey, SessionView)> {
        self.0.lock().iter().map(|(key, standing)| (key.clone(), standing.lock().clone())).collect()
    }

    pub(crate) fn enter(&self, key: RunnerKey) -> Slot {
        let standing = Standing::default();
        self.0.lock().insert(key.clone(), Arc::clone(&standing));
        Slot { view: self.clone(), key, standing }
    }
}

impl Slot {
    pub(crate) fn show(&self, standing: SessionView) {
        *self.standing.lock() = standing;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut sessions = self.view.0.lock();
        // A session of the same key may have come after this one.
        if sessions.get(&self.key).is_some_and(|standing| Arc::ptr_eq(standing, &self.standing)) {
            sessions.remove(&self.key);
        }
    }
}
