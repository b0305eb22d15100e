//! `pool_errors`, small: the endpoint refuses one start, and serves the next.

use std::time::Duration;

use model::Law;
use model::fault::Family;

use super::Scene;
use crate::plays::pool_errors::look;
use crate::stack::odd;
use crate::stack::{ODD_KEYS, Stack};

/// How long the refused start is waited for, and then the one that goes well.
const STARTS: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Spoil;

impl Scene for Spoil {
    const KEYS: &'static [&'static str] = &["odd/a"];
    const LAWS: &'static [Law] = &[Law::ErrorsShowAndClear];
    const LEAVES_OUT: &'static [Law] = &[];
    const FAMILIES: &'static [Family] = &[Family::EndpointFails];

    async fn open(&self, stack: &Stack) {
        stack.odd.boot();
        spoil(stack);
        stack.configure_odd().await;
        look(stack);
    }

    async fn happen(&self, stack: &Stack) {
        stack.until(STARTS, async || stack.odd.spoilt() > 0).await;
        stack.world.sleep(STARTS).await;
    }
}

/// Starts are refused from here on until one was: a client may ask for one as soon as there is a pool.
fn spoil(stack: &Stack) {
    let strike = stack.ledger.struck_within(Family::EndpointFails, ODD_KEYS);
    stack.odd.spoil(Some(odd::Spoil::Status(503)));
    let stack = stack.clone();
    drop(stack.world.clone().spawn("spoil", async move {
        stack.until(super::BEFORE + STARTS, async || stack.odd.spoilt() > 0).await;
        stack.odd.spoil(None);
        stack.ledger.repaired(strike);
    }));
}
