//! Names of tasks and connections that may be gone by the time an event is told. Kept only while events are.

use std::collections::BTreeMap;

/// The names of a run whose events are kept.
pub(crate) struct Names {
    tasks: BTreeMap<u64, String>,
    connections: BTreeMap<u64, String>,
}

impl Names {
    pub(crate) const fn new() -> Self {
        Self { tasks: BTreeMap::new(), connections: BTreeMap::new() }
    }
    pub(crate) fn task(&mut self, word: u64, name: String) {
        self.tasks.insert(word, name);
    }
    pub(crate) fn connection(&mut self, number: u64, name: String) {
        self.connections.insert(number, name);
    }
    pub(crate) fn of_task(&self, word: u64) -> String {
        self.tasks.get(&word).cloned().unwrap_or_else(|| format!("task {word:#x}"))
    }
    pub(crate) fn of_connection(&self, number: u64) -> String {
        self.connections.get(&number).cloned().unwrap_or_else(|| format!("connection {number}"))
    }
}
