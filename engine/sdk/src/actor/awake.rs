//! Staying awake.

use std::sync::Arc;

use super::context::Core;
use crate::instance::Ask;

/// Keeps its actor awake, and a stop waiting, until it is dropped.
#[derive(Debug)]
pub struct Awake(Arc<Core>);

impl Awake {
    pub(super) fn new(core: Arc<Core>) -> Self {
        core.ask(Ask::KeepAwake);
        Self(core)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.ask(Ask::LetSleep);
    }
}
