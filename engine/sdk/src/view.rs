//! How the sessions of a process stand, for whoever looks from outside: health reports, tests, laws.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::id::RunnerKey;
use protocol::time::Mono;
use protocol::view::SessionView;

use crate::clock;

/// A look at the sessions it was given to. Clones see the same.
#[derive(Clone, Debug, Default)]
pub struct View(Arc<Mutex<BTreeMap<RunnerKey, Standing>>>);

type Standing = Arc<Mutex<Seen>>;

/// How a session stands, and when its engine was heard last; since its begin, if never.
#[derive(Debug)]
struct Seen {
    view: SessionView,
    heard: Mono,
}

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
        self.0.lock().iter().map(|(key, standing)| (key.clone(), standing.lock().view.clone())).collect()
    }

    /// Since when no engine was heard on any session, or since the last one began; none without sessions.
    #[must_use]
    pub fn silent_since(&self) -> Option<Mono> {
        self.0.lock().values().map(|standing| standing.lock().heard).max()
    }

    pub(crate) fn enter(&self, key: RunnerKey) -> Slot {
        let begun = Seen { view: SessionView::default(), heard: clock::now().mono };
        let standing = Arc::new(Mutex::new(begun));
        self.0.lock().insert(key.clone(), Arc::clone(&standing));
        Slot { view: self.clone(), key, standing }
    }
}

impl Slot {
    pub(crate) fn show(&self, standing: SessionView) {
        self.standing.lock().view = standing;
    }

    /// The engine has said something of its own accord.
    pub(crate) fn heard(&self, at: Mono) {
        self.standing.lock().heard = at;
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
