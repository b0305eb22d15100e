//! Laws of what the platform tells: placements, sessions, instances, deliveries, slots, streams.

use model::{Evidence, Law};
use protocol::id::{ConnId, Generation, RequestId, StreamId, Ticket};
use protocol::view::{ActorView, ControlView, Fact, GenerationEnd, RunnerView};

use crate::support::{
    ONE, TWO, Then, actor, breaks, commit, connected, ended, holds, on, placed, runner, says_nothing,
    seconds, told,
};

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
    let running = Fact::Running { actor: actor(), generation: TWO };
    holds(law, &before().then(on("engine", 1, [connected(1, 1), commit(TWO, 1)(actor())])));
    holds(law, &before().then(on("engine", 1, [connected(1, 1), running, commit(TWO, 1)(actor())])));
    holds(law, &on("engine", 1, [connected(1, 1), commit(ONE, 1)(actor())]));
    holds(
        law,
        &before().then(on("engine", 1, [])).then(on("engine", 2, [connected(2, 1), commit(TWO, 1)(actor())])),
    );
    let back = on("engine", 1, [connected(1, 1), commit(TWO, 1)(actor()), commit(ONE, 1)(actor())]);
    breaks(law, &before().then(back), "after g2 did");
    breaks(law, &before().then(on("engine", 1, [commit(ONE, 1)(actor())])), "no runner has said who it is");
}

#[test]
fn only_what_a_fall_can_have_swallowed_is_taken_at_its_word() {
    let law = Law::OneCommittingGeneration;
    let before = || told([connected(1, 1), placed(ONE, 1)]);
    let unplaced = "without having been placed";
    let later = |facts: Vec<Fact>| before().then(on("engine", 1, facts));
    breaks(law, &later(vec![connected(1, 1), commit(Generation(3), 1)(actor())]), unplaced);
    let twice = vec![connected(1, 1), commit(TWO, 1)(actor()), commit(Generation(3), 1)(actor())];
    breaks(law, &later(twice), unplaced);
    let told_before = vec![connected(1, 1), ended(ONE, GenerationEnd::RunnerLost), commit(TWO, 1)(actor())];
    breaks(law, &later(told_before), unplaced);
    let moved = vec![connected(1, 1), commit(TWO, 1)(actor()), connected(2, 2), commit(TWO, 2)(actor())];
    breaks(law, &later(moved), "but is placed on");
    breaks(law, &told([connected(1, 1), commit(ONE, 1)(actor())]), unplaced);
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
    holds(law, &on("app", 0, [start(ONE)]).then(on("app", 1, [start(ONE)])));
    breaks(law, &on("app", 0, [start(ONE)]).then(on("other", 0, [start(ONE)])), "was started on app/0");
}

#[test]
fn only_safe_requests_are_delivered_again() {
    let law = Law::DeliveredAtMostOnce;
    let forwarded = |ticket, request: u8, safe| Fact::Forwarded {
        ticket: Ticket(ticket),
        actor: actor(),
        conn: ConnId(1),
        request: RequestId([request, 0, 0, 0]),
        safe,
        attempt: 0,
    };
    let again = "its request had reached user code";
    holds(law, &told([forwarded(1, 1, true), delivery(1), forwarded(1, 2, true), delivery(2)]));
    holds(law, &told([forwarded(1, 1, false), delivery(1), forwarded(2, 2, false), delivery(2)]));
    holds(law, &told([forwarded(1, 1, false), forwarded(1, 2, false), delivery(2)]));
    let attempts = [forwarded(1, 1, false), delivery(1), forwarded(1, 2, false), delivery(2)];
    breaks(law, &told(attempts), again);
    breaks(law, &told([forwarded(1, 1, false), delivery(1), delivery(1)]), again);
    breaks(law, &told([delivery(1), delivery(1)]), again);
    let first = told([forwarded(1, 1, false), delivery(1)]);
    holds(law, &first.then(on("engine", 1, [forwarded(1, 2, false), delivery(2)])));
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
    holds(law, &told([opened(), over("cut")]).then(on("engine", 1, [opened(), over("cut")])));
    breaks(law, &told([opened(), over("cut"), over("refused")]), "ends with refused, and had ended with cut");
    breaks(law, &told([over("cut")]), "was never opened");
    breaks(law, &told([opened(), opened()]), "a second time");
    let there = |on, reason| Fact::EventStreamEnded { runner: Some(runner(on)), reason };
    let early = |reason| Fact::EventStreamEnded { runner: None, reason };
    holds(law, &on("app", 0, [there(1, "stopped"), there(2, "stopped"), early("stopped"), early("stopped")]));
    holds(law, &on("app", 0, [there(1, "stopped")]).then(on("app", 1, [there(1, "stopped")])));
    let twice = [there(1, "client_closed"), there(1, "write_error")];
    breaks(law, &on("app", 0, twice), "ends with write_error, and had ended with client_closed");
}

#[test]
fn a_law_that_was_shown_nothing_says_nothing() {
    for law in Law::ALL {
        says_nothing(law, &Evidence::default());
    }
    says_nothing(Law::LostIsLost, &told([connected(1, 1)]));
    says_nothing(Law::OneCommittingGeneration, &told([placed(ONE, 1)]));
    let view = ControlView::default();
    says_nothing(Law::SlotsConserved, &Evidence { views: vec![(seconds(1), view)], ..Evidence::default() });
}
