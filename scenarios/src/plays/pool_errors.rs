//! `pool_errors`: the endpoint of a pool spoils starts in every way in which endpoints do, while its actors are put to
//! sleep and asked again. Its error shows soon and goes as the law says, whoever asks meanwhile is turned away quickly, and
//! the pools beside it do not notice.

mod clients;

pub(super) use clients::look;

use std::time::Duration;

use model::Law;
use model::fault::Family;

use super::beside;
use super::rounds::Rounds;
use crate::phases::{Plot, Scale};
use crate::stack::odd::Spoil;
use crate::stack::{ODD_KEYS, Stack};

/// The actors of the pool: as many as starts must go well until its error goes.
const KEYS: &[&str] = &["odd/x", "odd/y", "odd/z"];

/// From one spell to the next: whether three starts go well in between is left to chance.
const WAITS: [(Duration, Duration); 2] =
    [(Duration::from_millis(100), Duration::from_secs(4)), (Duration::from_secs(4), Duration::from_secs(14))];

/// How long a spell lasts: for one start, or longer than anybody waits for a start.
const SPELLS: [(Duration, Duration); 2] = [
    (Duration::from_millis(200), Duration::from_secs(3)),
    (Duration::from_secs(11), Duration::from_secs(18)),
];

/// How long the first start may take to be asked for: somebody makes an actor, and one stream is opened.
const FIRST: Duration = Duration::from_secs(10);

/// When a stream breaks off: before it counts as stable.
const CUT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(4));

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct PoolErrors;

impl Plot for PoolErrors {
    fn recovery(&self) -> Duration {
        // At most 10 s until a silent endpoint is given up, 10 s of backoff, and the start of the actor.
        Duration::from_secs(30)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::EndpointFails]
    }

    fn laws(&self) -> &'static [Law] {
        &[Law::ErrorsShowAndClear]
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    fn beside(&self) -> &'static [&'static str] {
        KEYS
    }

    async fn open(&self, stack: &Stack) {
        beside::open(stack, &[&stack.workers[0]]).await;
        stack.odd.boot();
        stack.configure_odd().await;
        look(stack);
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let clients = clients::begin(stack, KEYS);
        let rounds = Rounds::new(stack, "spoil", &WAITS, end);
        // Nobody runs yet: the first start of every run is refused.
        let status = *rounds.of("first").one_of(&[404, 500, 503]);
        let refused = async || {
            let came = stack.until(FIRST, async || stack.odd.spoilt() > 0).await;
            assert!(came, "a start is asked for as soon as an actor is made");
        };
        spoil_for(stack, Spoil::Status(status), refused).await;
        loop {
            let cut = rounds.span("cut", CUT);
            let spoil = *rounds.of("spoil").one_of(&[
                Spoil::Status(404),
                Spoil::Status(500),
                Spoil::Status(503),
                Spoil::Hang,
                Spoil::Empty,
                Spoil::WrongType,
                Spoil::NoBase64,
                Spoil::NoMessage,
                Spoil::OnlyPings,
                Spoil::Cut(cut),
            ]);
            let spell = rounds.one_span("spell", &SPELLS);
            let Some(strikes) = rounds.next().await else { break };
            if !strikes {
                stack.world.sleep(spell).await;
                continue;
            }
            spoil_for(stack, spoil, async || stack.world.sleep(spell).await).await;
        }
        clients.end().await;
    }

    async fn heal(&self, _: &Stack) {}

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
    }
}

/// Starts are spoilt for so long.
async fn spoil_for(stack: &Stack, spoil: Spoil, spell: impl AsyncFnOnce()) {
    stack.world.note(format!("starts are spoilt: {spoil:?}"));
    let strike = stack.ledger.struck_within(Family::EndpointFails, ODD_KEYS);
    stack.odd.spoil(Some(spoil));
    spell().await;
    stack.odd.spoil(None);
    stack.world.note("starts are served");
    stack.ledger.repaired(strike);
}
