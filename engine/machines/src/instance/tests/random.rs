//! Lives at random: a driver that answers every effect when it likes, and what must be true whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use protocol::id::Ticket;
use protocol::time::{Mono, Now, Wall};

use crate::instance::{Effect, Hook, Input, Instance, Options, Saved, When, WorkKind};
use crate::runner::StoreFailure;

/// What somebody does next.
#[derive(Clone, Debug)]
enum Move {
    /// Time passes, in milliseconds.
    Pass(u64),
    /// The state has been read, or not.
    Load(Option<bool>),
    /// The n-th hook that runs returns.
    Return(usize, bool),
    Ask(WorkKind),
    /// The n-th work ends.
    End(usize),
    Unask(usize),
    KeepAwake,
    LetSleep,
    Park(bool),
    Change,
    Save(Option<u64>),
    Written(Saved),
    Sleep,
    Destroy,
    Stop,
    Cut,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let kind = prop_oneof![Just(WorkKind::Request), Just(WorkKind::Action), Just(WorkKind::Task)];
    let written = prop_oneof![
        4 => Just(Saved::Done),
        1 => Just(Saved::Failed(StoreFailure::NotDone)),
        1 => Just(Saved::Failed(StoreFailure::Indeterminate)),
        1 => Just(Saved::Unfit),
    ];
    let one = prop_oneof![
        8 => (0_u64..40_000).prop_map(Move::Pass),
        6 => prop_oneof![4 => any::<bool>().prop_map(Some), 1 => Just(None)].prop_map(Move::Load),
        8 => (any::<usize>(), prop::bool::weighted(0.1)).prop_map(|(which, fails)| Move::Return(which, fails)),
        6 => kind.prop_map(Move::Ask),
        6 => any::<usize>().prop_map(Move::End),
        2 => any::<usize>().prop_map(Move::Unask),
        1 => Just(Move::KeepAwake),
        1 => Just(Move::LetSleep),
        2 => any::<bool>().prop_map(Move::Park),
        6 => Just(Move::Change),
        4 => prop::option::of(0_u64..3_000).prop_map(Move::Save),
        8 => written.prop_map(Move::Written),
        1 => Just(Move::Sleep),
        1 => Just(Move::Destroy),
        2 => Just(Move::Stop),
        1 => Just(Move::Cut),
    ];
    prop::collection::vec(one, 1..120)
}

/// What is known of a life from what was said and heard of it.
#[derive(Default)]
struct Model {
    loading: bool,
    hooks: Vec<Hook>,
    called: Vec<Hook>,
    works: Vec<(Ticket, WorkKind)>,
    started: bool,
    stopping: bool,
    ended: Option<Option<String>>,
    keeps: u32,
    parked: bool,
    sleeps: u32,
    destroys: u32,
    wanted: bool,
    cut: bool,
    /// When something last kept it awake.
    awake: Duration,
    /// Changes made, changes in the write that runs, changes known to be stored.
    changes: u64,
    writing: Option<u64>,
    stored: Option<u64>,
    /// Who waits for which change.
    savers: BTreeMap<Ticket, u64>,
    timed_out: BTreeSet<Ticket>,
    now: Duration,
}

impl Model {
    fn hear(&mut self, effect: &Effect) {
        let answers = matches!(effect, Effect::Refuse { .. } | Effect::TellSaved { .. });
        assert!(self.ended.is_none() || answers, "nothing follows the end: {effect:?}");
        match effect {
            Effect::Load => self.loading = true,
            Effect::Call(hook) => {
                assert!(!self.called.contains(hook), "{hook:?} is called once");
                match hook {
                    Hook::Create | Hook::Start => assert!(!self.started && !self.stopping),
                    Hook::Run => assert!(self.started && !self.stopping),
                    Hook::Sleep | Hook::Destroy => assert!(self.stopping, "{hook:?} is of a stop"),
                }
                self.called.push(*hook);
                self.hooks.push(*hook);
            }
            Effect::Started => {
                assert!(
                    self.called.contains(&Hook::Start) && !self.started,
                    "it starts once, after its hook"
                );
                if self.called.contains(&Hook::Create) {
                    assert!(self.stored.is_some(), "a first state is stored before it is said that it runs");
                }
                self.started = true;
                self.awake = self.now;
            }
            Effect::Take { .. } | Effect::Refuse { .. } | Effect::TellSaved { .. } => {}
            Effect::TimeOut { ticket } => {
                assert!(self.works.contains(&(*ticket, WorkKind::Action)), "only a call that runs is late");
                assert!(self.timed_out.insert(*ticket), "it is said once");
            }
            Effect::Abandon { ticket } => assert!(self.works.iter().any(|(work, _)| work == ticket)),
            Effect::Save { .. } => {
                assert!(self.writing.is_none(), "one write at a time");
                self.writing = Some(self.changes);
            }
            Effect::Sleep => {
                self.sleeps += 1;
                if !self.wanted {
                    let idle = self.now - self.awake;
                    assert!(!self.busy() && idle >= Duration::from_secs(30), "awake for {idle:?} only");
                }
            }
            Effect::Destroy => self.destroys += 1,
            Effect::Stopping => self.stopping = true,
            Effect::Drop => {
                self.hooks.clear();
                self.works.clear();
            }
            Effect::Ended { error } => {
                assert!(self.hooks.is_empty() && self.works.is_empty(), "nothing of it runs");
                assert!(self.savers.is_empty(), "everybody was told");
                self.ended = Some(error.clone());
            }
        }
    }

    fn busy(&self) -> bool {
        let works = self.works.iter().any(|(_, kind)| *kind != WorkKind::Task);
        works || self.keeps > 0 || (self.hooks.contains(&Hook::Run) && !self.parked) || !self.started
    }
}

struct Driver {
    instance: Instance,
    model: Model,
    next: u64,
}

impl Driver {
    fn put(&mut self, input: Input) -> Vec<Effect> {
        let mono = Mono(u64::try_from(self.model.now.as_nanos()).expect("a short life"));
        let mut out = Vec::new();
        self.instance.handle(Now { mono, wall: Wall(0) }, input, &mut out);
        self.instance.check();
        for effect in &out {
            if let Effect::TellSaved { ticket, outcome } = effect {
                let change = self.model.savers.remove(ticket).expect("only who asked is told, once");
                if outcome.is_ok() {
                    assert!(self.model.stored.unwrap_or(0) >= change, "what is said to be stored is stored");
                }
            }
            self.model.hear(effect);
        }
        if self.model.busy() {
            self.model.awake = self.model.now;
        }
        out
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }

    fn pass(&mut self, span: Duration) {
        let until = self.model.now + span;
        for _ in 0..10_000 {
            let Some((at, _)) = self.instance.next_deadline() else { break };
            let at = Duration::from_nanos(at.0);
            if at > until {
                break;
            }
            self.model.now = self.model.now.max(at);
            self.put(Input::Tick);
        }
        assert!(
            self.instance.next_deadline().is_none_or(|(at, _)| Duration::from_nanos(at.0) > until),
            "what is due is done"
        );
        self.model.now = until;
        if self.model.busy() {
            self.model.awake = until;
        }
    }

    fn play(&mut self, what: Move) {
        let over = self.model.ended.is_some();
        match what {
            Move::Pass(ms) => self.pass(Duration::from_millis(ms)),
            Move::Load(outcome) if self.model.loading && !over => {
                self.model.loading = false;
                let failed = || Input::LoadFailed { error: "unreadable".into() };
                self.put(outcome.map_or_else(failed, |first| Input::Loaded { first }));
            }
            Move::Return(which, fails) if !self.model.hooks.is_empty() => {
                let hook = self.model.hooks.remove(which % self.model.hooks.len());
                self.put(Input::HookEnded { hook, error: fails.then(|| "hook".to_owned()) });
            }
            Move::Ask(kind) => {
                let ticket = self.ticket();
                let out = self.put(Input::Ask { ticket, kind });
                let taken = out.contains(&Effect::Take { ticket });
                let refused =
                    out.iter().any(|e| matches!(e, Effect::Refuse { ticket: t, .. } if *t == ticket));
                assert!(taken != refused, "everything that is asked is taken or refused");
                if taken {
                    assert!(
                        self.model.started || kind == WorkKind::Task,
                        "nothing is taken before the start"
                    );
                    self.model.works.push((ticket, kind));
                    if self.model.busy() {
                        self.model.awake = self.model.now;
                    }
                }
            }
            Move::End(which) if !self.model.works.is_empty() => {
                let (ticket, _) = self.model.works.remove(which % self.model.works.len());
                self.put(Input::Done { ticket });
            }
            Move::Unask(which) if !self.model.works.is_empty() => {
                let (ticket, _) = self.model.works[which % self.model.works.len()];
                self.put(Input::Unasked { ticket });
            }
            Move::KeepAwake => {
                self.model.keeps += 1;
                self.put(Input::KeepAwake);
            }
            Move::LetSleep if self.model.keeps > 0 => {
                self.model.keeps -= 1;
                self.put(Input::LetSleep);
            }
            Move::Park(parked) => {
                self.model.parked = parked;
                self.put(Input::Parked(parked));
            }
            Move::Change if !self.model.loading && !over => {
                self.model.changes += 1;
                self.put(Input::Changed);
            }
            Move::Save(within) if !self.model.loading => {
                let ticket = self.ticket();
                self.model.savers.insert(ticket, self.model.changes);
                let when = within.map_or(When::Now, |ms| When::Within(Duration::from_millis(ms)));
                self.put(Input::Save { ticket, when });
                if over {
                    assert!(!self.model.savers.contains_key(&ticket), "nobody waits for ever");
                }
            }
            Move::Written(outcome) => {
                if let Some(changes) = self.model.writing.take() {
                    if outcome == Saved::Done {
                        self.model.stored = self.model.stored.max(Some(changes));
                    }
                    self.put(Input::Saved { outcome, jitter: u64::MAX / 2 });
                }
            }
            Move::Sleep => self.want(Input::Sleep),
            Move::Destroy => self.want(Input::Destroy),
            Move::Stop if self.model.started => drop(self.put(Input::Stop)),
            Move::Cut => {
                self.model.cut = true;
                self.put(Input::Cut);
            }
            Move::Load(_)
            | Move::Return(..)
            | Move::End(_)
            | Move::Unask(_)
            | Move::LetSleep
            | Move::Change
            | Move::Save(_)
            | Move::Stop => {}
        }
        assert!(self.model.sleeps <= 1 && self.model.destroys <= 1, "it says once what it wants");
    }

    fn want(&mut self, input: Input) {
        self.model.wanted = true;
        self.put(input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_a_life_keeps_its_order_and_its_stop_is_bounded(moves in moves()) {
        let mut driver =
            Driver { instance: Instance::new(Options::default()), model: Model::default(), next: 0 };
        driver.put(Input::Begin);
        for what in moves {
            driver.play(what);
        }
        if driver.model.started {
            driver.put(Input::Stop);
        }
        // Whatever does not answer, it ends: within a start, or the graces of a stop.
        driver.pass(Duration::from_secs(30));
        prop_assert!(driver.model.ended.is_some(), "it does not end: {:?}", driver.instance);
        let model = &driver.model;
        if model.started && !model.cut && model.destroys == 0 && model.ended == Some(None) {
            prop_assert_eq!(model.stored.unwrap_or(0), model.changes, "an end in order leaves nothing unwritten");
        }
    }
}
