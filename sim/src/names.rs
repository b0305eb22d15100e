//! Names of what may be gone by the time an event is told. Kept only while events are.

use std::collections::BTreeMap;

/// The names of a run whose events are kept, and the texts of its notes and faults, by their hash.
pub(crate) struct Names {
    texts: BTreeMap<u64, String>,
    tasks: BTreeMap<u64, String>,
    connections: BTreeMap<u64, String>,
}

impl Names {
    pub(crate) const fn new() -> Self {
        Self { texts: BTreeMap::new(), tasks: BTreeMap::new(), connections: BTreeMap::new() }
    }
    pub(crate) fn task(&mut self, word: u64, name: String) {
        self.tasks.insert(word, name);
    }
    pub(crate) fn connection(&mut self, number: u64, name: String) {
        self.connections.insert(number, name);
    }
    pub(crate) fn text(&mut self, hash: u64, text: String) {
        self.texts.insert(hash, text);
    }
    pub(crate) fn of_text(&self, hash: u64) -> String {
        self.texts.get(&hash).cloned().unwrap_or_else(|| format!("{hash:016x}"))
    }
    pub(crate) fn of_task(&self, word: u64) -> String {
        self.tasks.get(&word).cloned().unwrap_or_else(|| format!("task {word:#x}"))
    }
    pub(crate) fn of_connection(&self, number: u64) -> String {
        self.connections.get(&number).cloned().unwrap_or_else(|| format!("connection {number}"))
    }
}
