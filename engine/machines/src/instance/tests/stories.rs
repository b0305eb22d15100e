//! Lives told line by line.

use std::time::Duration;

use protocol::id::Ticket;
use protocol::time::{Mono, Now, Wall};

use crate::instance::{Effect, Hook, Input, Instance, Options, Refusal, SaveFailure, Saved, When, WorkKind};
use crate::runner::StoreFailure;

pub(super) const SEC: Duration = Duration::from_secs(1);

/// An instance at a time.
struct Life {
    instance: Instance,
    now: Mono,
}

impl Life {
    fn new(options: Options) -> Self {
        Self { instance: Instance::new(options), now: Mono::ZERO }
    }

    fn put(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        self.instance.handle(Now { mono: self.now, wall: Wall(0) }, input, &mut out);
        self.instance.check();
        out
    }

    fn pass(&mut self, span: Duration) -> Vec<Effect> {
        let until = self.now + span;
        let mut all = Vec::new();
        while let Some((at, _)) = self.instance.next_deadline().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            all.extend(self.put(Input::Tick));
        }
        self.now = until;
        all
    }

    fn ended(&mut self, hook: Hook) -> Vec<Effect> {
        self.put(Input::HookEnded { hook, error: None })
    }

    fn saved(&mut self, outcome: Saved) -> Vec<Effect> {
        self.put(Input::Saved { outcome, jitter: u64::MAX })
    }

    /// Runs, for the first time, its background code at its end.
    fn running(options: Options) -> Self {
        let mut life = Self::new(options);
        life.put(Input::Begin);
        life.put(Input::Loaded { first: false });
        assert_eq!(life.ended(Hook::Start), [Effect::Started, Effect::Call(Hook::Run)]);
        assert_eq!(life.ended(Hook::Run), []);
        life
    }

    fn ask(&mut self, ticket: u64, kind: WorkKind) -> Vec<Effect> {
        self.put(Input::Ask { ticket: Ticket(ticket), kind })
    }

    fn done(&mut self, ticket: u64) -> Vec<Effect> {
        self.put(Input::Done { ticket: Ticket(ticket) })
    }

    fn save(&mut self, ticket: u64, when: When) -> Vec<Effect> {
        self.put(Input::Save { ticket: Ticket(ticket), when })
    }
}

fn take(ticket: u64) -> Effect {
    Effect::Take { ticket: Ticket(ticket) }
}

fn told(ticket: u64, outcome: Result<(), SaveFailure>) -> Effect {
    Effect::TellSaved { ticket: Ticket(ticket), outcome }
}

fn ended(error: Option<&str>) -> Effect {
    Effect::Ended { error: error.map(str::to_owned) }
}

const SAVE: Effect = Effect::Save { begun: true };

#[test]
fn a_first_start_is_known_only_when_its_state_is_stored() {
    let mut life = Life::new(Options::default());
    assert_eq!(life.put(Input::Begin), [Effect::Load]);
    assert_eq!(life.put(Input::Loaded { first: true }), [Effect::Call(Hook::Create)]);
    // What it saves meanwhile is not the state of an actor that has begun.
    assert_eq!(life.put(Input::Changed), []);
    assert_eq!(life.save(7, When::Now), [Effect::Save { begun: false }]);
    assert_eq!(life.ended(Hook::Create), [Effect::Call(Hook::Start)]);
    assert_eq!(life.saved(Saved::Done), [told(7, Ok(()))]);
    assert_eq!(life.put(Input::Changed), []);
    assert_eq!(life.ended(Hook::Start), [SAVE]);
    assert_eq!(
        life.ask(1, WorkKind::Action),
        [Effect::Refuse { ticket: Ticket(1), refusal: Refusal::Starting }]
    );
    assert_eq!(life.saved(Saved::Failed(StoreFailure::NotDone)), []);
    assert_eq!(life.pass(SEC), [SAVE]);
    assert_eq!(life.saved(Saved::Done), [Effect::Started, Effect::Call(Hook::Run)]);
}

#[test]
fn a_start_that_fails_or_takes_too_long_ends_with_its_reason() {
    let mut life = Life::new(Options::default());
    life.put(Input::Begin);
    assert_eq!(life.put(Input::LoadFailed { error: "gone".into() }), [ended(Some("gone"))]);
    let mut life = Life::new(Options::default());
    life.put(Input::Begin);
    life.put(Input::Loaded { first: false });
    let failed = Input::HookEnded { hook: Hook::Start, error: Some("no".into()) };
    assert_eq!(life.put(failed), [ended(Some("no"))]);
    let mut life = Life::new(Options::default());
    life.put(Input::Begin);
    life.put(Input::Loaded { first: false });
    assert_eq!(life.pass(29 * SEC), []);
    assert_eq!(life.pass(SEC), [Effect::Drop, ended(Some("the actor did not start in time"))]);
    // A state that can never be written is no first state.
    let mut life = Life::new(Options::default());
    life.put(Input::Begin);
    life.put(Input::Loaded { first: true });
    life.ended(Hook::Create);
    life.ended(Hook::Start);
    assert!(matches!(life.saved(Saved::Unfit).as_slice(), [Effect::Ended { error: Some(_) }]));
}

#[test]
fn an_idle_instance_falls_asleep_and_whatever_it_does_begins_the_time_anew() {
    let mut life = Life::running(Options::default());
    assert_eq!(life.pass(29 * SEC), []);
    assert_eq!(life.ask(1, WorkKind::Request), [take(1)]);
    assert_eq!(life.pass(100 * SEC), []);
    assert_eq!(life.done(1), []);
    assert_eq!(life.pass(29 * SEC), []);
    life.put(Input::KeepAwake);
    life.put(Input::LetSleep);
    assert_eq!(life.pass(29 * SEC), []);
    assert_eq!(life.pass(SEC), [Effect::Sleep]);
    assert_eq!(life.pass(100 * SEC), [], "it is asked once");
}

#[test]
fn a_task_does_not_keep_it_awake_and_a_parked_run_does_not_either() {
    let mut life = Life::new(Options::default());
    life.put(Input::Begin);
    life.put(Input::Loaded { first: false });
    life.ended(Hook::Start);
    assert_eq!(life.ask(1, WorkKind::Task), [take(1)]);
    assert_eq!(life.pass(100 * SEC), [], "its background code runs");
    life.put(Input::Parked(true));
    assert_eq!(life.pass(30 * SEC), [Effect::Sleep]);
}

#[test]
fn an_instance_that_never_sleeps_does_not_by_itself() {
    let mut life = Life::running(Options { sleep_timeout: None, ..Options::default() });
    assert_eq!(life.pass(1000 * SEC), []);
    assert_eq!(life.put(Input::Sleep), [Effect::Sleep]);
}

#[test]
fn changes_within_an_interval_are_written_once() {
    let mut life = Life::running(Options::default());
    assert_eq!(life.put(Input::Changed), [SAVE]);
    assert_eq!(life.put(Input::Changed), []);
    assert_eq!(life.saved(Saved::Done), []);
    assert_eq!(life.put(Input::Changed), []);
    assert_eq!(life.pass(SEC / 2), []);
    assert_eq!(life.pass(SEC / 2), [SAVE]);
    assert_eq!(life.saved(Saved::Done), []);
    assert_eq!(life.pass(28 * SEC), []);
}

#[test]
fn whoever_waits_for_a_write_learns_of_the_one_that_holds_what_they_did() {
    let mut life = Life::running(Options::default());
    assert_eq!(life.save(1, When::Now), [told(1, Ok(()))], "nothing to write");
    assert_eq!(life.put(Input::Changed), [SAVE]);
    assert_eq!(life.save(2, When::Now), [], "it is being written");
    life.put(Input::Changed);
    assert_eq!(life.save(3, When::Within(SEC / 10)), [], "it is in the next one");
    assert_eq!(
        life.saved(Saved::Failed(StoreFailure::Indeterminate)),
        [told(2, Err(SaveFailure::Store(StoreFailure::Indeterminate)))]
    );
    assert_eq!(life.pass(SEC / 10), [SAVE]);
    assert_eq!(life.saved(Saved::Done), [told(3, Ok(()))]);
    life.put(Input::Changed);
    assert_eq!(life.save(4, When::Now), [SAVE]);
    assert_eq!(life.saved(Saved::Unfit), [told(4, Err(SaveFailure::Unfit))]);
    assert_eq!(life.pass(SEC), [], "what cannot be written is not tried again");
}

#[test]
fn a_call_that_takes_too_long_is_told_so_and_goes_on() {
    let mut life = Life::running(Options::default());
    life.ask(1, WorkKind::Action);
    life.ask(2, WorkKind::Action);
    assert_eq!(life.put(Input::Unasked { ticket: Ticket(2) }), [Effect::Abandon { ticket: Ticket(2) }]);
    assert_eq!(life.pass(60 * SEC), [Effect::TimeOut { ticket: Ticket(1) }]);
    assert_eq!(life.pass(100 * SEC), [], "both keep it awake");
    life.done(1);
    life.done(2);
    assert_eq!(life.pass(30 * SEC), [Effect::Sleep]);
}

#[test]
fn a_stop_waits_for_everything_and_then_writes_what_changed() {
    let mut life = Life::running(Options::default());
    life.ask(1, WorkKind::Action);
    life.ask(2, WorkKind::Task);
    assert_eq!(life.put(Input::Stop), [Effect::Stopping, Effect::Call(Hook::Sleep)]);
    assert_eq!(life.put(Input::Stop), []);
    assert_eq!(life.ended(Hook::Sleep), []);
    assert_eq!(life.done(1), []);
    // What a task leaves behind is finished too.
    assert_eq!(life.ask(3, WorkKind::Task), [take(3)]);
    assert_eq!(life.done(2), []);
    assert_eq!(life.put(Input::Changed), [SAVE]);
    life.put(Input::Changed);
    assert_eq!(life.done(3), []);
    assert_eq!(
        life.ask(4, WorkKind::Task),
        [Effect::Refuse { ticket: Ticket(4), refusal: Refusal::Stopping }]
    );
    assert_eq!(life.saved(Saved::Done), [SAVE]);
    assert_eq!(life.saved(Saved::Done), [ended(None)]);
}

#[test]
fn a_stop_does_without_what_takes_longer_than_its_grace() {
    let mut life = Life::running(Options::default());
    life.ask(1, WorkKind::Request);
    life.put(Input::KeepAwake);
    life.put(Input::Stop);
    assert_eq!(life.pass(14 * SEC), []);
    assert_eq!(life.pass(SEC), [Effect::Drop, ended(None)]);
    assert_eq!(life.put(Input::LetSleep), []);
}

#[test]
fn a_last_write_that_fails_is_no_stop_in_order() {
    let mut life = Life::running(Options::default());
    life.put(Input::Changed);
    life.put(Input::Stop);
    life.ended(Hook::Sleep);
    for _ in 0..3 {
        life.saved(Saved::Failed(StoreFailure::NotDone));
        assert_eq!(life.pass(Duration::from_millis(400)), [SAVE]);
    }
    let end = life.pass(15 * SEC);
    assert!(matches!(end.as_slice(), [Effect::Ended { error: Some(_) }]), "{end:?}");
}

#[test]
fn who_wants_to_be_destroyed_while_it_falls_asleep_is() {
    let mut life = Life::running(Options::default());
    life.put(Input::Changed);
    life.put(Input::Stop);
    assert_eq!(life.put(Input::Destroy), [Effect::Destroy]);
    assert_eq!(life.put(Input::Destroy), []);
    assert_eq!(life.ended(Hook::Sleep), [Effect::Call(Hook::Destroy)]);
    // Its state is not needed any more.
    assert_eq!(life.ended(Hook::Destroy), [ended(None)]);
}

#[test]
fn background_code_that_fails_stops_the_instance_in_order_and_as_a_failure() {
    let mut life = Life::new(Options::default());
    life.put(Input::Begin);
    life.put(Input::Loaded { first: false });
    life.ended(Hook::Start);
    let failed = Input::HookEnded { hook: Hook::Run, error: Some("boom".into()) };
    assert_eq!(life.put(failed), [Effect::Stopping, Effect::Call(Hook::Sleep)]);
    assert_eq!(life.ended(Hook::Sleep), [ended(Some("boom"))]);
}

#[test]
fn one_without_rights_ends_at_once_and_tells_everybody() {
    let mut life = Life::running(Options::default());
    life.ask(1, WorkKind::Request);
    life.put(Input::Changed);
    life.save(2, When::Now);
    assert_eq!(life.put(Input::Cut), [Effect::Drop, told(2, Err(SaveFailure::Ended)), ended(None)]);
    assert_eq!(life.saved(Saved::Done), []);
    assert_eq!(
        life.ask(3, WorkKind::Action),
        [Effect::Refuse { ticket: Ticket(3), refusal: Refusal::Stopping }]
    );
    assert_eq!(life.save(4, When::Now), [told(4, Err(SaveFailure::Ended))]);
}

#[test]
fn works_are_bounded() {
    let mut life = Life::running(Options { work_max: 1, ..Options::default() });
    life.ask(1, WorkKind::Request);
    assert_eq!(
        life.ask(2, WorkKind::Request),
        [Effect::Refuse { ticket: Ticket(2), refusal: Refusal::Overloaded }]
    );
}
