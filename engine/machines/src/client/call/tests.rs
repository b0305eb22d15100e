//! Calls whose attempts end at random, judged by a table of our own; and the waits in between.

use std::time::Duration;

use proptest::prelude::*;
use protocol::error::Code;
use protocol::time::{Mono, Now};

use super::{Call, Effect, End, Input, Options};
use crate::client::{Answer, Executed, Failure};

/// What a failure is worth, said a second time: whether it had an effect, whether the same or another actor is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Never,
    Same,
    Other,
    Ask,
}

const FAILURES: [(Failure, Executed, Again); 14] = [
    (Failure::Unreachable, Executed::No, Again::Same),
    (Failure::Platform(Code::GuardActorStoppedWhileWaiting), Executed::No, Again::Same),
    (Failure::Platform(Code::GuardRetryAttemptsExceeded), Executed::No, Again::Same),
    (Failure::Actor(Answer::Unready), Executed::No, Again::Same),
    (Failure::Broken, Executed::Maybe, Again::Same),
    (Failure::Platform(Code::GuardTunnelResponseClosed), Executed::Maybe, Again::Same),
    (Failure::Actor(Answer::BrokenOff), Executed::Maybe, Again::Same),
    (Failure::Platform(Code::ActorNotFound), Executed::No, Again::Other),
    (Failure::Actor(Answer::Gone), Executed::No, Again::Other),
    (Failure::Platform(Code::GuardActorRunnerFailed), Executed::No, Again::Ask),
    (Failure::Platform(Code::ApiForbidden), Executed::No, Again::Never),
    (Failure::Platform(Code::CoreInternalError), Executed::Maybe, Again::Never),
    (Failure::Actor(Answer::Uncertain), Executed::Maybe, Again::Never),
    (Failure::Actor(Answer::Failed), Executed::Yes, Again::Never),
];

/// How a work ends: after so many milliseconds, well or by the n-th failure.
type Step = (u64, Option<usize>, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let failure = prop::option::weighted(0.85, 0..FAILURES.len());
    prop::collection::vec((0_u64..600, failure, any::<u64>()), 150)
}

/// A call that is led through what happens.
struct Script {
    call: Call,
    now: Now,
    out: Vec<Effect>,
}

impl Script {
    fn new(options: Options) -> Self {
        let mut script = Self { call: Call::new(options), now: Now::default(), out: Vec::new() };
        script.step(Input::Begin);
        script
    }

    fn step(&mut self, input: Input) {
        self.out.clear();
        self.call.handle(self.now, input, &mut self.out);
    }

    fn work(&self) -> u64 {
        match self.out.last() {
            Some(Effect::Resolve { work } | Effect::Send { work } | Effect::Explain { work }) => *work,
            other => panic!("no work: {other:?}"),
        }
    }

    fn end(&mut self, outcome: Result<(), Failure>, jitter: u64) {
        self.step(Input::Ended { work: self.work(), outcome, jitter });
    }

    /// Finds the actor and fails there; returns the wait that follows.
    fn fail(&mut self, failure: Failure, jitter: u64) -> Duration {
        self.end(Ok(()), 0);
        assert!(matches!(self.out[..], [Effect::Send { .. }]));
        self.end(Err(failure), jitter);
        self.wait()
    }

    /// Lets the wait for the next attempt pass.
    fn wait(&mut self) -> Duration {
        let begun = self.now.mono;
        if let Some((until, "next attempt")) = self.call.next_deadline() {
            self.now = self.now.after(until.since(begun));
            self.step(Input::Tick);
        }
        self.now.mono.since(begun)
    }
}

/// The same, judged: what a call may do, from what was said and heard.
struct Judge {
    options: Options,
    script: Script,
    /// What the attempts did that have ended, and how each kind of failure was met.
    executed: Executed,
    same: u32,
    other: u32,
    asked: bool,
    /// Whether a further attempt is expected.
    again: bool,
    settled: Option<End>,
}

impl Judge {
    fn heard(&mut self) {
        for effect in self.script.out.clone() {
            assert!(self.settled.is_none(), "nothing follows the end: {effect:?}");
            match effect {
                Effect::Resolve { .. } | Effect::Send { .. } => {
                    assert!(self.executed == Executed::No || self.options.idempotent, "sent twice");
                    assert!(self.script.now.mono < Mono::ZERO + self.options.deadline, "too late");
                    self.again = false;
                }
                Effect::Explain { .. } => assert!(!std::mem::replace(&mut self.asked, true), "asked once"),
                Effect::Forget | Effect::Cancel { .. } => {}
                Effect::Settled(end) => self.settled = Some(end),
            }
        }
    }

    /// Ends the work that is out. Returns the end that this must have, if it must have one.
    fn end(&mut self, (_, failure, jitter): Step) -> Option<End> {
        let sending = matches!(self.script.out.last(), Some(Effect::Send { .. }));
        let explaining = matches!(self.script.out.last(), Some(Effect::Explain { .. }));
        let failed = failure.map(|n| FAILURES[n]);
        self.script.end(failed.map_or(Ok(()), |(failure, ..)| Err(failure)), jitter);
        let Some((_, executed, again)) = failed else {
            return if sending {
                Some(End::Answered)
            } else {
                explaining.then_some(End::Failed { executed: self.executed })
            };
        };
        if sending {
            self.executed = self.executed.max(executed);
        }
        let over = Some(End::Failed { executed: self.executed });
        if explaining || (sending && executed != Executed::No && !self.options.idempotent) {
            return over;
        }
        self.again = match again {
            Again::Never => false,
            Again::Same => {
                self.same += 1;
                self.same < self.options.attempts_max
            }
            Again::Other => {
                self.other += 1;
                self.other <= self.options.moves_max
            }
            Again::Ask => return if sending { None } else { over },
        };
        if self.again { None } else { over }
    }

    fn run(mut self, steps: Vec<Step>) {
        self.heard();
        for step in steps {
            let by = Mono::ZERO + self.options.deadline;
            let ends = self.script.now.after(Duration::from_millis(step.0));
            let sending = matches!(self.script.out.last(), Some(Effect::Send { .. }));
            let explaining = matches!(self.script.out.last(), Some(Effect::Explain { .. }));
            if ends.mono >= by {
                self.script.now = self.script.now.after(by.since(self.script.now.mono));
                self.script.step(Input::Tick);
                self.heard();
                let executed = if sending { self.executed.max(Executed::Maybe) } else { self.executed };
                let end = if explaining { End::Failed { executed } } else { End::TimedOut { executed } };
                assert_eq!(self.settled, Some(end), "its deadline ends it");
                return;
            }
            self.script.now = ends;
            let end = self.end(step);
            self.heard();
            if end.is_some() {
                assert_eq!(self.settled, end);
                return;
            }
            let waited = self.script.wait();
            assert!(waited <= Duration::from_millis(200), "{waited:?}");
            if !waited.is_zero() {
                self.heard();
            }
            if self.settled.is_some() {
                // There was no time left to wait.
                assert!(self.again, "given up for no reason");
                let left = by.since(self.script.now.mono);
                assert!(left <= Duration::from_millis(200), "given up {left:?} before its deadline");
                return;
            }
            assert!(!self.again, "another attempt is made");
        }
        panic!("it never ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn only_what_is_safe_is_sent_again_and_the_end_says_what_may_have_happened(
        steps in steps(),
        idempotent in any::<bool>(),
        moves_max in prop_oneof![Just(0), Just(3), Just(60)],
        deadline in 1_u64..20_000,
    ) {
        let deadline = Duration::from_millis(deadline);
        let options = Options { deadline, idempotent, moves_max, ..Options::default() };
        let judge = Judge {
            script: Script::new(options.clone()),
            options,
            executed: Executed::No,
            same: 0,
            other: 0,
            asked: false,
            again: false,
            settled: None,
        };
        judge.run(steps);
    }
}

#[test]
fn boundaries_are_waited_out_a_few_times() {
    let mut script = Script::new(Options::default());
    let waits: Vec<u128> = (0..4).map(|_| script.fail(Failure::Unreachable, u64::MAX).as_micros()).collect();
    assert_eq!(waits, [24_999, 49_999, 99_999, 199_999], "full jitter: the longest is below the bound");
    script.fail(Failure::Unreachable, 0);
    assert_eq!(script.out, [Effect::Settled(End::Failed { executed: Executed::No })], "five attempts");
}

#[test]
fn the_first_move_is_followed_at_once_and_further_ones_are_not_chased() {
    let moves_max = Options::MOVES_OF_GET;
    let mut script = Script::new(Options { moves_max, ..Options::default() });
    let gone = Failure::Platform(Code::ActorNotFound);
    assert_eq!(script.fail(gone, 0), Duration::ZERO);
    for _ in 1..moves_max {
        assert_eq!(script.fail(gone, 0), Duration::from_millis(100));
    }
    script.fail(gone, 0);
    assert_eq!(script.out, [Effect::Forget, Effect::Settled(End::Failed { executed: Executed::No })]);
}

#[test]
fn an_idempotent_call_that_may_have_been_carried_out_says_so_at_its_end() {
    let mut script = Script::new(Options { idempotent: true, ..Options::default() });
    script.fail(Failure::Broken, 0);
    script.end(Ok(()), 0);
    script.end(Err(Failure::Platform(Code::ApiForbidden)), 0);
    assert_eq!(script.out, [Effect::Settled(End::Failed { executed: Executed::Maybe })]);
}

#[test]
fn what_comes_of_a_work_that_was_cancelled_changes_nothing() {
    let mut script = Script::new(Options::default());
    let work = script.work();
    script.now = script.now.after(Duration::from_secs(120));
    script.step(Input::Tick);
    let timed_out = Effect::Settled(End::TimedOut { executed: Executed::No });
    assert_eq!(script.out, [Effect::Cancel { work }, timed_out]);
    script.step(Input::Ended { work, outcome: Ok(()), jitter: 0 });
    assert_eq!((script.out.as_slice(), script.call.next_deadline()), (&[][..], None));
}
