//! Evidence of a few lines, and what is said of it.

use std::time::Duration;

use model::{ClientId, Evidence, Executed, History, Judgement, Kind, Law, Outcome, Place, Told};
use protocol::id::{ActorId, ConnId, Generation, RunnerId};
use protocol::time::Mono;
use protocol::view::{Fact, GenerationEnd};

pub(crate) const ONE: Generation = Generation(1);
pub(crate) const TWO: Generation = Generation(2);

pub(crate) fn actor() -> ActorId {
    ActorId::from_entropy([1; 16])
}

pub(crate) fn runner(number: u8) -> RunnerId {
    RunnerId::from_entropy([number; 16])
}

pub(crate) fn seconds(seconds: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(seconds)
}

/// Facts told one per second by the first boot of one node.
pub(crate) fn told(facts: impl IntoIterator<Item = Fact>) -> Evidence {
    on("engine", 0, facts)
}

pub(crate) fn on(node: &str, boot: u32, facts: impl IntoIterator<Item = Fact>) -> Evidence {
    let place = Place { node: node.to_owned(), boot };
    let told = (1..).zip(facts).map(|(at, fact)| Told { at: seconds(at), place: place.clone(), fact });
    Evidence { told: told.collect(), end: seconds(100), ..Evidence::default() }
}

pub(crate) trait Then {
    fn then(self, later: Self) -> Self;
}

impl Then for Evidence {
    fn then(mut self, later: Self) -> Self {
        self.told.extend(later.told);
        self
    }
}

#[track_caller]
pub(crate) fn holds(law: Law, evidence: &Evidence) {
    assert_eq!(law.check(evidence), Judgement::Held);
    assert!(model::judge(evidence).held.contains(&law.name()));
}

#[track_caller]
pub(crate) fn says_nothing(law: Law, evidence: &Evidence) {
    assert_eq!(law.check(evidence), Judgement::NotJudged);
    assert!(model::judge(evidence).unjudged.contains(&law.name()));
}

#[track_caller]
pub(crate) fn breaks(law: Law, evidence: &Evidence, text: &str) {
    let Judgement::Broken(broken) = law.check(evidence) else { panic!("{} is not broken", law.name()) };
    assert_eq!(broken.law, law.name());
    assert!(broken.text.contains(text), "{broken}");
    let all: Vec<_> = model::judge(evidence).broken.into_iter().map(|broken| broken.law).collect();
    assert!(all.contains(&law.name()), "a trial finds it too: {all:?}");
}

pub(crate) const fn commit(generation: Generation, conn: u64) -> impl Fn(ActorId) -> Fact {
    move |actor| Fact::KvCommitted { actor, generation, conn: ConnId(conn) }
}

pub(crate) fn placed(generation: Generation, on: u8) -> Fact {
    Fact::Placed { actor: actor(), generation, runner: runner(on) }
}

pub(crate) fn connected(number: u8, conn: u64) -> Fact {
    connected_as(number, conn, 1)
}

/// A runner of that version has a session.
pub(crate) fn connected_as(number: u8, conn: u64, version: u32) -> Fact {
    Fact::RunnerConnected { runner: runner(number), conn: ConnId(conn), pool: "pool".to_owned(), version }
}

pub(crate) fn ended(generation: Generation, how: GenerationEnd) -> Fact {
    Fact::Ended { actor: actor(), generation, how }
}

/// One operation with a bound of 10 s.
pub(crate) fn op(invoked: u64, ended: Option<u64>, outcome: Outcome) -> History {
    let mut history = History::new();
    let id = history.invoke(ClientId(0), "a", Kind::Call("probe"), seconds(invoked), Duration::from_secs(10));
    if let Some(at) = ended {
        history.end(id, seconds(at), outcome);
    }
    history
}

pub(crate) fn ok() -> Outcome {
    Outcome::Acknowledged { value: 0 }
}

pub(crate) fn failure(code: &str, executed: Executed) -> Outcome {
    Outcome::Failed { code: code.to_owned(), executed }
}

/// Its recovery takes 20 s.
pub(crate) fn heard(history: History) -> Evidence {
    Evidence { history, end: seconds(100), recovery: Duration::from_secs(20), ..Evidence::default() }
}
