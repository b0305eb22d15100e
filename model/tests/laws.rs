//! Each law, seen to hold and seen to break, on evidence of a few lines.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{
    Active, ClientId, Evidence, Executed, Family, History, Kind, Law, OpId, Outcome, Place, Rest, Told,
};
use protocol::id::{ActorId, ConnId, Generation, RequestId, RunnerId, StreamId};
use protocol::time::Mono;
use protocol::view::{ActorView, ControlView, Fact, GenerationEnd, RunnerView};

const ONE: Generation = Generation(1);
const TWO: Generation = Generation(2);

fn actor() -> ActorId {
    ActorId::from_entropy([1; 16])
}

fn runner(number: u8) -> RunnerId {
    RunnerId::from_entropy([number; 16])
}

fn seconds(seconds: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(seconds)
}

/// Facts told one per second by the first boot of one node.
fn told(facts: impl IntoIterator<Item = Fact>) -> Evidence {
    on("engine", 1, facts)
}

fn on(node: &str, boot: u32, facts: impl IntoIterator<Item = Fact>) -> Evidence {
    let place = Place { node: node.to_owned(), boot };
    let told = (1..).zip(facts).map(|(at, fact)| Told { at: seconds(at), place: place.clone(), fact });
    Evidence { told: told.collect(), end: seconds(100), ..Evidence::default() }
}

impl Then for Evidence {
    fn then(mut self, later: Self) -> Self {
        self.told.extend(later.told);
        self
    }
}

trait Then {
    fn then(self, later: Self) -> Self;
}

fn holds(law: Law, evidence: &Evidence) {
    assert_eq!(law.check(evidence), Ok(()));
}

#[track_caller]
fn breaks(law: Law, evidence: &Evidence, text: &str) {
    let broken = law.check(evidence).expect_err("the law is broken");
    assert_eq!(broken.law, law.name());
    assert!(broken.text.contains(text), "{broken}");
    let all: Vec<_> = model::judge(evidence).broken.into_iter().map(|broken| broken.law).collect();
    assert!(all.contains(&law.name()), "a trial finds it too: {all:?}");
}

const fn commit(generation: Generation, conn: u64) -> impl Fn(ActorId) -> Fact {
    move |actor| Fact::KvCommitted { actor, generation, conn: ConnId(conn) }
}

fn placed(generation: Generation, on: u8) -> Fact {
    Fact::Placed { actor: actor(), generation, runner: runner(on) }
}

fn connected(number: u8, conn: u64) -> Fact {
    Fact::RunnerConnected { runner: runner(number), conn: ConnId(conn) }
}

fn ended(generation: Generation, how: GenerationEnd) -> Fact {
    Fact::Ended { actor: actor(), generation, how }
}

#[test]
fn a_generation_commits_from_its_placement_to_its_end() {
    let law = Law::OneCommittingGeneration;
    let first = [connected(1, 1), placed(ONE, 1), commit(ONE, 1)(actor())];
    let moved =
        [ended(ONE, GenerationEnd::RunnerLost), connected(2, 2), placed(TWO, 2), commit(TWO, 2)(actor())];
    let all = || first.iter().chain(&moved).cloned();
    holds(law, &told(all()));
    breaks(law, &told(all().chain([commit(ONE, 1)(actor())])), "after it ended");
    let unended = first.iter().cloned().chain([connected(2, 2), placed(TWO, 2), commit(ONE, 1)(actor())]);
    breaks(law, &told(unended), "after g2 was placed");
    breaks(law, &told([connected(1, 1), commit(ONE, 1)(actor())]), "without having been placed");
    breaks(law, &told([placed(TWO, 1), placed(ONE, 1)]), "is placed after g2");
}

#[test]
fn a_generation_commits_through_the_session_that_speaks_for_its_runner() {
    let law = Law::OneCommittingGeneration;
    let two = [connected(1, 1), connected(2, 2), placed(ONE, 1)];
    breaks(law, &told(two.into_iter().chain([commit(ONE, 2)(actor())])), "but is placed on");
    let again = || [connected(1, 1), placed(ONE, 1), connected(1, 2)];
    holds(law, &told(again().into_iter().chain([commit(ONE, 2)(actor())])));
    breaks(law, &told(again().into_iter().chain([commit(ONE, 1)(actor())])), "conn2 has replaced");
    let gone = [connected(1, 1), placed(ONE, 1), Fact::RunnerDisconnected { runner: runner(1) }];
    breaks(law, &told(gone.into_iter().chain([commit(ONE, 1)(actor())])), "which is closed");
    breaks(law, &told([placed(ONE, 1), commit(ONE, 7)(actor())]), "no runner has said who it is");
}

#[test]
fn a_placement_that_a_fall_swallowed_is_taken_at_its_word() {
    let law = Law::OneCommittingGeneration;
    let before = || told([connected(1, 1), placed(ONE, 1)]);
    let after = on("engine", 2, [connected(1, 1), commit(TWO, 1)(actor())]);
    holds(law, &before().then(after));
    let back = on("engine", 2, [connected(1, 1), commit(TWO, 1)(actor()), commit(ONE, 1)(actor())]);
    breaks(law, &before().then(back), "after g2 did");
    breaks(law, &before().then(on("engine", 2, [commit(ONE, 1)(actor())])), "no runner has said who it is");
}

fn start(generation: Generation) -> Fact {
    Fact::InstanceStarted { actor: actor(), generation }
}

fn stop(generation: Generation) -> Fact {
    Fact::InstanceStopped { actor: actor(), generation }
}

fn delivery(request: u8) -> Fact {
    Fact::Delivered { actor: actor(), generation: ONE, request: [9, 9, 9, 9, request, 0, 0, 0] }
}

#[test]
fn an_instance_starts_and_stops_once_and_works_between() {
    let law = Law::InstancesOnce;
    holds(law, &told([start(ONE), delivery(1), stop(ONE), start(TWO), stop(TWO)]));
    breaks(law, &told([start(ONE), start(ONE)]), "starts a second time");
    breaks(law, &told([start(ONE), stop(ONE), start(ONE)]), "starts a second time");
    breaks(law, &told([start(ONE), stop(ONE), stop(ONE)]), "stops a second time");
    breaks(law, &told([stop(ONE)]), "without having started");
    breaks(law, &told([delivery(1), start(ONE)]), "before its start");
    breaks(law, &told([start(ONE), stop(ONE), delivery(1)]), "after its stop");
    holds(law, &on("app", 1, [start(ONE)]).then(on("app", 2, [start(ONE)])));
    breaks(law, &on("app", 1, [start(ONE)]).then(on("other", 1, [start(ONE)])), "was started on app/1");
}

#[test]
fn only_safe_requests_are_delivered_again() {
    let law = Law::DeliveredAtMostOnce;
    let forwarded = |request: u8, safe| Fact::Forwarded {
        actor: actor(),
        conn: ConnId(1),
        request: RequestId([request, 0, 0, 0]),
        safe,
        attempt: 0,
    };
    holds(law, &told([forwarded(1, true), delivery(1), forwarded(1, true), delivery(1)]));
    holds(law, &told([forwarded(1, false), delivery(1), forwarded(2, false), delivery(2)]));
    breaks(
        law,
        &told([forwarded(1, false), delivery(1), forwarded(1, false), delivery(1)]),
        "had reached user code",
    );
    breaks(law, &told([delivery(1), delivery(1)]), "had reached user code");
}

fn op(invoked: u64, ended: Option<u64>, outcome: Outcome) -> History {
    let mut history = History::new();
    let id = history.invoke(ClientId(0), "a", Kind::Call("probe"), seconds(invoked), Duration::from_secs(10));
    if let Some(at) = ended {
        history.end(id, seconds(at), outcome);
    }
    history
}

fn ok() -> Outcome {
    Outcome::Acknowledged { value: 0 }
}

fn failure(code: &str, executed: Executed) -> Outcome {
    Outcome::Failed { code: code.to_owned(), executed }
}

fn heard(history: History) -> Evidence {
    Evidence { history, end: seconds(100), recovery: Duration::from_secs(20), ..Evidence::default() }
}

#[test]
fn whoever_asks_is_answered_in_time() {
    let law = Law::AnsweredWithinBound;
    holds(law, &heard(op(5, Some(15), ok())));
    breaks(law, &heard(op(5, Some(16), ok())), "took 11s");
    breaks(law, &heard(op(5, None, Outcome::Open)), "was never answered");
    holds(law, &heard(op(95, None, Outcome::Open)));
}

#[test]
fn failures_need_a_fault_that_explains_them() {
    let law = Law::ExplainedFailures;
    let ready = || failure("guard.actor_ready_timeout", Executed::No);
    let with = |family, from, until: Option<u64>, history| Evidence {
        faults: vec![Active { family, from: seconds(from), until: until.map(seconds) }],
        ..heard(history)
    };
    breaks(law, &heard(op(5, Some(9), ready())), "no fault was on");
    holds(law, &with(Family::EngineKilled, 1, Some(2), op(5, Some(9), ready())));
    holds(law, &with(Family::EngineKilled, 1, None, op(50, Some(59), ready())));
    breaks(law, &with(Family::EngineKilled, 1, Some(2), op(50, Some(59), ready())), "no fault was on");
    breaks(law, &with(Family::EngineKilled, 10, Some(12), op(5, Some(9), ready())), "no fault was on");
    breaks(law, &with(Family::ClientCut, 1, Some(2), op(5, Some(9), ready())), "only client_cut was on");
    let mistake = failure("api.bad_request", Executed::No);
    breaks(law, &with(Family::EngineKilled, 1, None, op(5, Some(9), mistake)), "which no fault explains");
    let unknown = failure("guard.shrugged", Executed::No);
    breaks(law, &with(Family::EngineKilled, 1, None, op(5, Some(9), unknown)), "no known failure");
    let wrong = failure("guard.actor_ready_timeout", Executed::Maybe);
    breaks(law, &with(Family::EngineKilled, 1, None, op(5, Some(9), wrong)), "recorded with executed Maybe");
}

#[test]
fn after_healing_everybody_is_served() {
    let law = Law::RoutableAgain;
    let healed = |history| Evidence { healed: Some(seconds(30)), ..heard(history) };
    holds(law, &heard(op(5, None, Outcome::Open)));
    breaks(law, &healed(op(5, Some(6), ok())), "of 0 operations begun since then");
    holds(law, &healed(op(31, Some(50), ok())));
    breaks(law, &healed(op(31, Some(51), ok())), "of 1 operations begun since then");
    let mut history = op(31, Some(32), ok());
    let id: OpId = history.invoke(ClientId(0), "a", Kind::Read, seconds(50), Duration::from_secs(10));
    history.end(id, seconds(51), failure("client.closed", Executed::Maybe));
    breaks(law, &healed(history), "#1 of \"a\" failed although everything was healed");
}

#[test]
fn a_count_that_goes_back_is_told_with_its_key() {
    let mut history = History::new();
    for at in [1, 3] {
        let kind = Kind::Increment { by: 1 };
        let id = history.invoke(ClientId(0), "tally", kind, seconds(at), Duration::from_secs(10));
        history.end(id, seconds(at + 1), Outcome::Acknowledged { value: 1 });
    }
    let text = "count of \"tally\": increments #0 and #1 were both acknowledged for the step to 1";
    breaks(Law::AcknowledgedIncrements, &heard(history), text);
}

#[test]
fn at_rest_everything_is_as_without_load() {
    let law = Law::NothingLeft;
    let counts =
        |tasks, sockets| BTreeMap::from([("tasks".to_owned(), tasks), ("sockets".to_owned(), sockets)]);
    let rest = |loaded, unloaded| Evidence {
        rest: Some(Rest { at: seconds(90), loaded, unloaded }),
        ..Evidence::default()
    };
    holds(law, &rest(counts(7, 2), counts(7, 2)));
    breaks(law, &rest(counts(8, 2), counts(7, 2)), "left at rest: tasks 8 instead of 7");
    breaks(law, &rest(counts(7, 2), BTreeMap::from([("tasks".to_owned(), 7)])), "sockets 2 instead of 0");
}

#[test]
fn slots_in_use_are_actors() {
    let law = Law::SlotsConserved;
    let view = |used_slots, total_slots, on: u8| {
        let hosted =
            ActorView { actor: actor(), phase: "running", generation: Some(ONE), runner: Some(runner(on)) };
        let host = RunnerView {
            runner: runner(1),
            conn: None,
            total_slots,
            used_slots,
            lingering_slots: 0,
            draining: false,
        };
        let view = ControlView { actors: vec![hosted], runners: vec![host], ..ControlView::default() };
        Evidence { views: vec![(seconds(1), view)], ..Evidence::default() }
    };
    holds(law, &view(1, 1, 1));
    let mut lingers = view(2, 2, 1);
    lingers.views[0].1.runners[0].lingering_slots = 1;
    holds(law, &lingers);
    breaks(law, &view(0, 1, 1), "uses 0 slots, hosts 1 actors, and 0 linger there");
    breaks(law, &view(2, 2, 1), "uses 2 slots, hosts 1 actors, and 0 linger there");
    breaks(law, &view(1, 0, 1), "uses 1 of its 0 slots");
    breaks(law, &view(0, 1, 2), "which does not exist");
    let mut twice = view(2, 2, 1);
    let again = twice.views[0].1.actors[0].clone();
    twice.views[0].1.actors.push(again);
    breaks(law, &twice, "is there twice");
}

#[test]
fn what_was_lost_did_not_end_in_order() {
    let law = Law::LostIsLost;
    let lost = || Fact::RunnerLost { runner: runner(1) };
    holds(law, &told([placed(ONE, 1), lost(), ended(ONE, GenerationEnd::RunnerLost)]));
    holds(law, &told([placed(ONE, 1), ended(ONE, GenerationEnd::Stopped), lost()]));
    breaks(law, &told([placed(ONE, 1), lost(), ended(ONE, GenerationEnd::Stopped)]), "ended as Stopped");
    breaks(law, &told([lost(), placed(ONE, 1)]), "is placed on");
}

#[test]
fn a_stream_ends_once() {
    let law = Law::StreamsEndOnce;
    let opened = || Fact::StreamOpened { stream: StreamId(1) };
    let over = |reason| Fact::StreamEnded { stream: StreamId(1), reason };
    holds(law, &told([opened(), over("cut")]).then(on("engine", 2, [opened(), over("cut")])));
    breaks(law, &told([opened(), over("cut"), over("refused")]), "ends with refused, and had ended with cut");
    breaks(law, &told([over("cut")]), "was never opened");
    breaks(law, &told([opened(), opened()]), "a second time");
}
