//! Full creates through the control plane: the call, the placement with its start command, and the runner's Running.
//!
//! A hundred runners with room for all; keys of 32 bytes. Each create is two steps, with all their effects. Required:
//! 50,000 creates a second on one core, the median of [`ROUNDS`] planes that begin empty. Else the process fails.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use machines::control::effect::Message;
use machines::control::input::{Call, Frame, NewActor, RunnerEvent};
use machines::control::{Control, Effect, Input, Options};
use protocol::api::{CrashPolicy, RunnerConfig};
use protocol::id::{ActorId, ConnId, Generation, NamespaceId, RunnerId, RunnerKey, Ticket};
use protocol::time::{Mono, Now, Wall};
use protocol::wire::{ActorState, Event};
use scales::Words;

/// What is required.
const PER_SECOND_MIN: f64 = 50_000.0;

/// Planes that are filled. Odd, so that there is a median.
const ROUNDS: usize = 7;

const RUNNERS: u64 = 100;

/// Creates in one plane.
const CREATES: u32 = 20_000;

const NOW: Now = Now { mono: Mono(1 << 40), wall: Wall(1 << 40) };

/// A control plane with runners, and what they were told.
struct Plane {
    control: Control,
    out: Vec<Effect>,
    words: Words,
    ticket: u64,
}

impl Plane {
    fn new() -> Self {
        let mut words = Words::new(7);
        let mut out = Vec::new();
        let namespace = NamespaceId::from_entropy(words.entropy());
        let control =
            Control::restore(Options::default(), NOW, namespace, [], &mut out).expect("nothing is stored");
        let mut plane = Self { control, out, words, ticket: 0 };
        let (namespace, pool) = ("default".to_owned(), "default".to_owned());
        plane.call(Call::UpsertRunnerConfig { namespace, pool, config: RunnerConfig::normal() });
        for number in 0..RUNNERS {
            plane.connect(number);
        }
        plane
    }

    fn step(&mut self, input: Input) {
        self.out.clear();
        self.control.handle(NOW, input, &mut self.out);
        black_box(&self.out);
    }

    fn call(&mut self, call: Call) {
        self.ticket += 1;
        self.step(Input::Api { ticket: Ticket(self.ticket), call });
    }

    fn connect(&mut self, number: u64) {
        let (conn, fresh) = (ConnId(number + 1), RunnerId::from_entropy(self.words.entropy()));
        let key = RunnerKey::new(format!("runner{number}")).expect("a short key");
        self.step(Input::SocketOpened { conn, namespace: "default".into(), key });
        let init = Frame::Init {
            fresh,
            pool: "default".into(),
            version: 1,
            total_slots: CREATES,
            actor_names: BTreeMap::new(),
            metadata: None,
        };
        self.step(Input::Frame { conn, frame: init });
        let pinged = self.out.iter().find_map(|effect| match effect {
            Effect::Send { message: Message::Ping { ts }, .. } => Some(*ts),
            _ => None,
        });
        let ts = pinged.expect("a runner is pinged after its Init");
        self.step(Input::Frame { conn, frame: Frame::Pong { ts } });
    }

    /// An actor is created, placed, and runs.
    fn create(&mut self, number: u32) {
        let fresh = ActorId::from_entropy(self.words.entropy());
        self.call(Call::CreateActor(NewActor {
            fresh,
            namespace: "default".into(),
            name: "counter".into(),
            key: Some(format!("{number:032}")),
            pool: "default".into(),
            crash_policy: CrashPolicy::Sleep,
            input: None,
        }));
        let started = self.out.iter().find_map(|effect| match effect {
            Effect::Send { conn, message: Message::Commands(_) } => Some(*conn),
            _ => None,
        });
        let conn = started.expect("there is room");
        let event = Event::ActorStateUpdate { state: ActorState::Running };
        let events = vec![RunnerEvent { actor: fresh, generation: Generation::FIRST, index: 0, event }];
        self.step(Input::Frame { conn, frame: Frame::Events(events) });
    }
}

fn main() -> ExitCode {
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let mut plane = Plane::new();
            let begun = runtime::now();
            (0..CREATES).for_each(|number| plane.create(number));
            let took: Duration = begun.elapsed();
            plane.control.check();
            f64::from(CREATES) / took.as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[ROUNDS / 2], rates[ROUNDS - 1]);
    println!(
        "control_step: {median:.0} creates a second in the median of {ROUNDS} planes ({least:.0} to {most:.0})"
    );
    if median < PER_SECOND_MIN {
        eprintln!("at least {PER_SECOND_MIN} a second are required");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
