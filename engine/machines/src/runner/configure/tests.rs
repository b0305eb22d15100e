//! Scripts of the configuration machine, and its envelope over random outcomes.

use std::time::Duration;

use proptest::prelude::*;
use protocol::time::{Mono, Now, Wall};

use super::{Configure, Effect, Failure, Input, Options, Outcome, Standing};

struct Script {
    machine: Configure,
    now: Now,
}

impl Script {
    fn new(options: Options) -> Self {
        Self { machine: Configure::new(options), now: Now { mono: Mono(1_000), wall: Wall(0) } }
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        self.machine.handle(self.now, input, &mut out);
        out
    }

    /// Lets time pass to the next deadline and ticks.
    fn wait(&mut self) -> (Duration, &'static str, Vec<Effect>) {
        let (until, why) = self.machine.next_deadline().expect("there is something to wait for");
        let waited = until.since(self.now.mono);
        self.now = self.now.after(waited);
        (waited, why, self.step(Input::Tick))
    }

    fn end(&mut self, attempt: u64, outcome: Outcome) -> Vec<Effect> {
        self.step(Input::Ended { attempt, outcome, jitter: u64::MAX / 3 })
    }
}

fn status(status: u16) -> Outcome {
    Outcome::Status { status, code: "test".into(), retry_after: None }
}

fn down() -> Outcome {
    Outcome::Unreachable { message: "refused".into() }
}

#[test]
fn three_unavailable_answers_take_four_attempts_inside_the_envelope() {
    let mut script = Script::new(Options::default());
    assert_eq!(script.step(Input::Want), [Effect::Attempt { attempt: 1 }]);
    for attempt in 1..=3 {
        assert_eq!(script.end(attempt, status(503)), []);
        let (waited, why, effects) = script.wait();
        assert_eq!(why, "next attempt");
        assert!(
            waited <= Duration::from_millis(250) * 2_u32.pow(u32::try_from(attempt).unwrap() - 1),
            "{waited:?}"
        );
        assert_eq!(effects, [Effect::Attempt { attempt: attempt + 1 }]);
    }
    assert_eq!(script.end(4, Outcome::Done), [Effect::Settled(Ok(()))]);
    assert_eq!(script.machine.standing(), Standing::Configured);
}

#[test]
fn a_refusal_for_good_fails_fast_and_sticks() {
    for code in [400, 401, 403, 409, 422] {
        let mut script = Script::new(Options::default());
        script.step(Input::Want);
        let failure = Failure::Status { status: code, code: "test".into() };
        assert_eq!(script.end(1, status(code)), [Effect::Settled(Err(failure.clone()))]);
        assert_eq!(script.machine.next_deadline(), None);
        assert_eq!(script.step(Input::Want), [Effect::Settled(Err(failure))]);
    }
}

#[test]
fn everybody_shares_one_cycle() {
    let mut script = Script::new(Options::default());
    script.step(Input::Want);
    for _ in 0..100 {
        assert_eq!(script.step(Input::Want), [], "no second attempt");
    }
    assert_eq!(script.end(1, Outcome::Done), [Effect::Settled(Ok(()))], "one outcome");
    assert_eq!(script.step(Input::Want), [Effect::Settled(Ok(()))], "late comers are told at once");
}

#[test]
fn after_the_deadline_the_background_recovers() {
    let mut script = Script::new(Options::default());
    let begun = script.now.mono;
    script.step(Input::Want);
    let mut attempt = 1;
    let settled = loop {
        let mut effects = script.end(attempt, down());
        if effects.is_empty() {
            effects = script.wait().2;
        }
        match effects.as_slice() {
            [Effect::Attempt { attempt: next }] => attempt = *next,
            [Effect::Settled(outcome)] => break outcome.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(settled, Err(Failure::Unreachable { message: "refused".into() }));
    assert_eq!(script.now.mono.since(begun), Duration::from_secs(60));
    assert!(matches!(script.machine.standing(), Standing::Failing(_)));
    let (waited, _, effects) = script.wait();
    assert!(waited <= Duration::from_secs(30));
    assert_eq!(effects, [Effect::Attempt { attempt: attempt + 1 }]);
    assert_eq!(script.end(attempt + 1, Outcome::Done), [], "nobody waits any more");
    assert_eq!(script.machine.standing(), Standing::Configured);
}

#[test]
fn a_silent_engine_is_given_up_after_the_attempt_timeout() {
    let mut script = Script::new(Options::default());
    script.step(Input::Want);
    let (waited, why, effects) = script.wait();
    assert_eq!((waited, why), (Duration::from_secs(5), "attempt timeout"));
    assert_eq!(effects, [Effect::Cancel { attempt: 1 }]);
    assert_eq!(script.end(1, Outcome::Done), [], "what was cancelled says nothing any more");
    assert_eq!(script.wait().2, [Effect::Attempt { attempt: 2 }]);
}

#[test]
fn retry_after_is_kept() {
    let mut script = Script::new(Options::default());
    script.step(Input::Want);
    let asked = Duration::from_secs(7);
    script.end(1, Outcome::Status { status: 429, code: "slow down".into(), retry_after: Some(asked) });
    assert_eq!(script.wait().0, asked);
}

#[test]
fn a_deadline_of_zero_means_one_attempt() {
    let mut script = Script::new(Options { deadline: Duration::ZERO, ..Options::default() });
    assert_eq!(script.step(Input::Want), [Effect::Attempt { attempt: 1 }]);
    assert_eq!(script.step(Input::Tick), []);
    assert!(matches!(script.end(1, down()).as_slice(), [Effect::Settled(Err(_))]));
}

#[test]
fn stop_ends_everything_at_once() {
    let mut script = Script::new(Options::default());
    script.step(Input::Want);
    let effects = script.step(Input::Stop);
    assert_eq!(effects, [Effect::Cancel { attempt: 1 }, Effect::Settled(Err(Failure::Stopped))]);
    assert_eq!(script.machine.next_deadline(), None);
    assert_eq!(script.step(Input::Want), [Effect::Settled(Err(Failure::Stopped))]);
}

#[test]
fn a_success_is_asserted_anew() {
    let mut script = Script::new(Options::default());
    script.step(Input::Want);
    script.end(1, Outcome::Done);
    let (waited, _, effects) = script.wait();
    assert_eq!(waited, Duration::from_secs(30));
    assert_eq!(effects, [Effect::Attempt { attempt: 2 }]);
    assert_eq!(script.machine.standing(), Standing::Configured);
}

#[test]
fn what_an_engine_has_forgotten_is_asserted_at_once_and_once() {
    let mut script = Script::new(Options::default());
    assert_eq!(script.step(Input::Forgotten), [], "nobody has asked for it yet");
    script.step(Input::Want);
    assert_eq!(script.step(Input::Forgotten), [], "an attempt runs");
    script.end(1, Outcome::Done);
    assert_eq!(script.step(Input::Forgotten), [Effect::Attempt { attempt: 2 }]);
    assert_eq!(script.step(Input::Forgotten), []);
    assert_eq!(script.machine.standing(), Standing::Configured);
}

/// An engine that is away so long, with attempts that are refused at once.
#[test]
fn an_engine_that_comes_up_is_told_within_the_deadline_or_in_the_background() {
    for (away, settles) in [(500, true), (5_000, true), (29_000, true), (61_000, false)] {
        let mut script = Script::new(Options::default());
        let begun = script.now.mono;
        let mut told = Vec::new();
        let mut effects = script.step(Input::Want);
        while script.machine.standing() != Standing::Configured {
            let mut next = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Attempt { attempt } => {
                        let up = script.now.mono.since(begun) >= Duration::from_millis(away);
                        next.extend(script.end(attempt, if up { Outcome::Done } else { down() }));
                    }
                    Effect::Settled(outcome) => told.push(outcome),
                    Effect::Cancel { .. } => unreachable!("no attempt takes long"),
                }
            }
            let waits = next.is_empty() && script.machine.standing() != Standing::Configured;
            effects = if waits { script.wait().2 } else { next };
        }
        told.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Settled(outcome) => Some(outcome),
            Effect::Attempt { .. } | Effect::Cancel { .. } => None,
        }));
        assert_eq!(told.len(), 1, "one outcome");
        assert_eq!(told[0].is_ok(), settles, "away for {away} ms");
        let late = script.now.mono.since(begun) - Duration::from_millis(away);
        assert!(late <= Duration::from_secs(30), "found {late:?} after it came up");
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Done),
        (200_u16..600, proptest::option::of(0_u64..100)).prop_map(|(code, after)| Outcome::Status {
            status: code,
            code: String::new(),
            retry_after: after.map(Duration::from_secs),
        }),
        Just(down()),
        Just(Outcome::NoDatacenter),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => Just(Input::Tick),
        1 => Just(Input::Want),
        1 => Just(Input::Forgotten),
        4 => (0_u64..4, outcome(), any::<u64>())
            .prop_map(|(attempt, outcome, jitter)| Input::Ended { attempt, outcome, jitter }),
    ]
}

proptest! {
    /// Whatever happens: every cycle settles once, at its deadline at the latest, and waits stay in their bounds.
    #[test]
    fn each_want_settles_in_time(script in proptest::collection::vec((input(), 0_u64..20_000), 1..200)) {
        let mut run = Script::new(Options::default());
        let mut wanted: Option<Mono> = None;
        let mut begun = 0;
        for (input, pause) in script {
            // Never past a deadline without its tick, as the driver does.
            let target = run.now.after(Duration::from_millis(pause));
            while let Some((until, _)) = run.machine.next_deadline().filter(|(until, _)| *until <= target.mono) {
                run.now = run.now.after(until.since(run.now.mono));
                let effects = run.step(Input::Tick);
                observe(&effects, run.now.mono, &mut wanted, &mut begun);
            }
            run.now = target;
            let input = match input {
                Input::Ended { attempt, outcome, jitter } if begun > 0 => {
                    Input::Ended { attempt: begun.saturating_sub(attempt), outcome, jitter }
                }
                Input::Ended { .. } => continue,
                Input::Want => {
                    wanted = wanted.or(Some(run.now.mono));
                    Input::Want
                }
                Input::Tick | Input::Forgotten | Input::Stop => input,
            };
            let effects = run.step(input);
            observe(&effects, run.now.mono, &mut wanted, &mut begun);
            if let Some((until, _)) = run.machine.next_deadline() {
                prop_assert!(until.since(run.now.mono) <= Duration::from_secs(30));
            }
        }
    }
}

fn observe(effects: &[Effect], now: Mono, wanted: &mut Option<Mono>, begun: &mut u64) {
    for effect in effects {
        match effect {
            Effect::Attempt { attempt } => {
                assert_eq!(*attempt, *begun + 1, "attempts are numbered in order");
                *begun = *attempt;
            }
            Effect::Cancel { attempt } => assert_eq!(attempt, begun, "only the running attempt is cancelled"),
            Effect::Settled(_) => {
                let since = wanted.take().expect("somebody waits");
                assert!(now.since(since) <= Duration::from_secs(60), "settled {:?} late", now.since(since));
            }
        }
    }
    if let Some(since) = *wanted {
        assert!(now.since(since) <= Duration::from_secs(60), "not settled in time");
    }
}
