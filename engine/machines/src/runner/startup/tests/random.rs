//! Long random lives, beside what a start is in a few lines.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What the environment does next; what cannot be is passed over.
#[derive(Clone, Copy, Debug)]
enum Step {
    Prepare,
    Start(Mode),
    Watch,
    /// The ground, or the service, moves on: comes, or goes if it was asked to.
    Ground,
    Service,
    /// It fails.
    GroundFails(bool),
    ServiceFails(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let mode = prop_oneof![Just(Mode::Runner), Just(Mode::Serverless)];
    let step = prop_oneof![
        2 => Just(Step::Prepare),
        3 => mode.prop_map(Step::Start),
        1 => Just(Step::Watch),
        5 => Just(Step::Ground),
        5 => Just(Step::Service),
        1 => prop::bool::weighted(0.1).prop_map(Step::GroundFails),
        1 => prop::bool::weighted(0.1).prop_map(Step::ServiceFails),
    ];
    prop::collection::vec(step, 0..80)
}

#[derive(Default)]
struct Life {
    machine: Startup,
    tickets: u64,
    creates: u32,
    ground: Option<bool>,
    service: Option<bool>,
    waiting: BTreeMap<u64, ()>,
    first_permanent: Option<Cause>,
}

impl Life {
    fn feed(&mut self, input: Input) {
        for effect in step(&mut self.machine, at(0), input) {
            match effect {
                Effect::Create { .. } => {
                    assert!(self.ground.is_none() && self.first_permanent.is_none());
                    self.ground = Some(false);
                    self.creates += 1;
                }
                Effect::Begin { .. } => self.service = Some(false),
                Effect::Destroy { .. } | Effect::DrainService { .. } | Effect::StopService { .. } => {}
                Effect::Told { ticket, outcome } => {
                    self.waiting.remove(&ticket.0).expect("told once");
                    if let (Some(cause), Err(Refusal::Failed(told))) = (&self.first_permanent, outcome) {
                        assert_eq!(*cause, told, "a permanent failure stays what it was");
                    }
                }
                Effect::Ended { ticket, .. } => self.waiting.remove(&ticket.0).expect("told once"),
            }
        }
    }

    fn call(&mut self, input: impl FnOnce(Ticket) -> Input) {
        self.tickets += 1;
        self.waiting.insert(self.tickets, ());
        self.feed(input(Ticket(self.tickets)));
    }

    fn fails(&mut self, permanent: bool) -> Cause {
        let cause = if permanent { Cause::InvalidEndpoint } else { Cause::EngineExited };
        let first = !matches!(self.machine.standing(), Standing::Failed(_) | Standing::Draining);
        if permanent && first {
            self.first_permanent.get_or_insert_with(|| cause.clone());
        }
        cause
    }

    fn take(&mut self, step: Step) {
        let attempt = self.creates;
        let going = matches!(self.machine.standing(), Standing::Failed(_) | Standing::Draining);
        match step {
            Step::Prepare => self.call(|ticket| Input::Prepare { ticket }),
            Step::Start(mode) => self.call(|ticket| Input::Start { ticket, mode }),
            Step::Watch => self.call(|ticket| Input::Watch { ticket }),
            Step::Ground => match self.ground {
                Some(false) => {
                    self.ground = Some(true);
                    self.feed(Input::Created { attempt });
                }
                Some(true) if going && self.service.is_none() => {
                    self.ground = None;
                    self.feed(Input::Gone { attempt, cause: None });
                }
                Some(true) | None => {}
            },
            Step::Service => match self.service {
                Some(_) if going => {
                    self.service = None;
                    self.feed(Input::Finished { attempt, cause: None });
                }
                Some(false) => {
                    self.service = Some(true);
                    self.feed(Input::Began { attempt });
                }
                Some(true) | None => {}
            },
            Step::GroundFails(permanent) if self.ground.is_some() => {
                let cause = Some(self.fails(permanent));
                self.ground = None;
                self.feed(Input::Gone { attempt, cause });
            }
            Step::ServiceFails(permanent) if self.service.is_some() => {
                let cause = Some(self.fails(permanent));
                self.service = None;
                self.feed(Input::Finished { attempt, cause });
            }
            Step::GroundFails(_) | Step::ServiceFails(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// However long it lives and fails, an end comes, with everybody told and nothing left.
    #[test]
    fn every_life_can_end(steps in steps(), drain in any::<bool>()) {
        let mut life = Life::default();
        for step in steps {
            life.take(step);
        }
        life.call(|ticket| match drain {
            true => Input::Drain { ticket: Some(ticket), grace: None },
            false => Input::Stop { ticket: Some(ticket) },
        });
        // The service goes first; two rounds each, for what was only coming.
        for step in [Step::Service, Step::Ground, Step::Ground] {
            life.take(step);
        }
        prop_assert_eq!((life.ground, life.service), (None, None));
        prop_assert!(life.waiting.is_empty(), "{:?} were forgotten", life.waiting);
        prop_assert!(matches!(life.machine.standing(), Standing::Stopped(_)));
        life.call(|ticket| Input::Start { ticket, mode: Mode::Runner });
        prop_assert!(life.waiting.is_empty());
    }
}
