//! `pool_errors`, small: the endpoint refuses one start, and serves the next.

use std::time::Duration;

use model::Law;
use model::fault::Family;

use super::Scene;
use crate::stack::odd;
use crate::stack::{ODD_KEYS, Stack};

/// How long the refused start is waited for, and then the one that goes well.
const STARTS: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Spoil;

impl Scene for Spoil {
    const KEYS: &'static [&'static str] = &["odd/a"];
    const LEAVES_OUT: &'static [Law] = &[];
    const FAMILIES: &'static [Family] = &[Family::EndpointFails];

    async fn open(&self, stack: &Stack) {
        stack.odd.boot();
        stack.odd.spoil(Some(odd::Spoil::Status(503)));
        stack.configure_odd().await;
    }

    async fn happen(&self, stack: &Stack) {
        let strike = stack.ledger.struck_within(Family::EndpointFails, ODD_KEYS);
        stack.until(STARTS, async || stack.odd.spoilt() > 0).await;
        stack.odd.spoil(None);
        stack.ledger.repaired(strike);
        stack.world.sleep(STARTS).await;
    }
}
