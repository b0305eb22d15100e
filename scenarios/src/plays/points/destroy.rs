//! `destroy_races`, small: an actor is made, asked, destroyed and made again under its key.

use model::fault::Family;

use super::Scene;
use crate::plays::destroy_races::rivals;
use crate::stack::Stack;

/// The key that is used again.
const KEY: &str = "steady/d";

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Destroy;

impl Scene for Destroy {
    const KEYS: &'static [&'static str] = &["steady/a"];
    const BESIDE: &'static [&'static str] = &[KEY];
    const FAMILIES: &'static [Family] = &[Family::ActorDestroyed];

    async fn open(&self, stack: &Stack) {
        super::work(stack, &stack.workers[..1]).await;
    }

    async fn happen(&self, stack: &Stack) {
        let strike = stack.ledger.struck_within(Family::ActorDestroyed, KEY);
        rivals::once(stack, KEY).await;
        stack.ledger.repaired(strike);
    }
}
