//! Clients of a play's own that do what it is about until told to end, beside the load and those who probe.

use std::cell::Cell;
use std::rc::Rc;

use crate::stack::Stack;
use crate::stack::client::Client;

/// Numbers of these clients begin here: they are no load, and no probers.
const FIRST: u32 = 40;

/// Whether a crew is to end.
#[derive(Clone, Default)]
pub(super) struct Over(Rc<Cell<bool>>);

impl Over {
    /// Whether it is.
    pub(super) fn is_over(&self) -> bool {
        self.0.get()
    }
}

/// Clients that are at it until told to end.
pub(super) struct Crew {
    over: Over,
    clients: Vec<Client>,
}

impl Crew {
    /// Begins, a client a key; a key that is there twice has two.
    pub(super) fn begin<W, F>(stack: &Stack, keys: impl IntoIterator<Item = &'static str>, work: W) -> Self
    where
        W: Fn(Client, &'static str, Over) -> F + Clone + 'static,
        F: Future<Output = ()> + 'static,
    {
        let over = Over::default();
        let begin = |(key, number): (&'static str, u32)| {
            let client = Client::new(&stack.world, &stack.ledger, number);
            let (working, over, work) = (client.clone(), over.clone(), work.clone());
            client.node().boot(move || work(working.clone(), key, over.clone()));
            client
        };
        let clients = keys.into_iter().zip(FIRST..).map(begin).collect();
        Self { over, clients }
    }

    /// Lets them end.
    pub(super) async fn end(self) {
        self.over.0.set(true);
        for client in self.clients {
            client.node().ended().await;
        }
    }
}

/// Lets one client do something to its end.
pub(super) async fn alone<W, F>(stack: &Stack, work: W)
where
    W: Fn(Client) -> F + 'static,
    F: Future<Output = ()> + 'static,
{
    let client = Client::new(&stack.world, &stack.ledger, FIRST);
    let working = client.clone();
    client.node().boot(move || work(working.clone()));
    client.node().ended().await;
}
