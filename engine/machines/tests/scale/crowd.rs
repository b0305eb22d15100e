//! A control plane with so many of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machines::control::effect::Message;
use machines::control::input::{Call, Frame, NewActor};
use machines::control::record::{self, Key, Phase, Record};
use machines::control::{Control, Effect, Input, Options};
use protocol::api::{CrashPolicy, RunnerConfig};
use protocol::id::{ActorId, ConnId, Generation, NamespaceId, RunnerId, RunnerKey, Ticket};
use protocol::time::{Mono, Now, Wall};

pub(crate) const NOW: Now = Now { mono: Mono(1 << 40), wall: Wall(1 << 40) };

/// Alarms, ages and pauses are this far away: nothing of it comes due here.
const LATER: u64 = 1 << 30;

pub(crate) struct Crowd {
    pub(crate) control: Control,
    out: Vec<Effect>,
    fresh: u64,
}

pub(crate) fn namespace() -> NamespaceId {
    NamespaceId::from_entropy([1; 16])
}

fn entropy(kind: u8, number: u64) -> [u8; 16] {
    let mut bytes = [kind; 16];
    // Spread, as entropy is.
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    bytes
}

pub(crate) fn actor(kind: u8, number: u64) -> ActorId {
    ActorId::from_entropy(entropy(kind, number))
}

fn runner(number: u64) -> RunnerId {
    RunnerId::from_entropy(entropy(b'r', number))
}

fn stored_actor(kind: u8, number: u64, pool: &str, phase: Phase) -> (Key, Record) {
    let id = actor(kind, number);
    let destroyed = (phase == Phase::Destroyed).then_some(NOW.wall);
    let record = record::Actor {
        id,
        namespace: namespace(),
        name: "counter".into(),
        key: Some(format!("{kind:03}-{number:028}").into()),
        pool: pool.into(),
        crash_policy: CrashPolicy::Sleep,
        has_input: false,
        generation: Some(Generation::FIRST),
        alarm: (phase == Phase::Sleeping).then_some(Wall(NOW.wall.0 + LATER + number)),
        rings: false,
        phase,
        retries: 0,
        retried: None,
        failure: None,
        created: Wall(NOW.wall.0 - number),
        started: Some(NOW.wall),
        connectable: None,
        slept: None,
        destroyed,
    };
    (Key::Actor(id), Record::Actor(record))
}

fn stored_runner(
    number: u64,
    pool: &str,
    lingering: BTreeMap<ActorId, Generation>,
    slots: u32,
) -> (Key, Record) {
    let id = runner(number);
    let record = record::Runner {
        id,
        namespace: namespace(),
        pool: pool.into(),
        key: key(number),
        version: 1,
        total_slots: slots,
        draining: None,
        serverless: false,
        created: Wall(NOW.wall.0 - number),
        connected: NOW.wall,
        away_since: Some(NOW.wall),
        metadata: None,
        actor_names: BTreeMap::new(),
        lingering,
    };
    (Key::Runner(id), Record::Runner(record))
}

fn key(number: u64) -> RunnerKey {
    RunnerKey::new(format!("runner{number}")).expect("a short key")
}

impl Crowd {
    /// So many that sleep with an alarm, that are destroyed, that wait in a pool whose one runner they all linger on, and
    /// so many runners of a pool of their own.
    pub(crate) fn new(many: u64) -> Self {
        let most = usize::try_from(many).expect("a count fits");
        let options = Options {
            destroyed_max: most,
            destroyed_kept: Duration::from_secs(LATER),
            sockets_max: most * 2,
            ..Options::default()
        };
        let space = record::Namespace {
            id: namespace(),
            name: "default".into(),
            display_name: "default".into(),
            created: NOW.wall,
        };
        let pools = ["sleepers", "held", "open"].map(|pool| {
            let config = RunnerConfig::normal();
            let record = record::RunnerConfig { namespace: namespace(), pool: pool.into(), config };
            (Key::RunnerConfig(namespace(), pool.to_owned()), Record::RunnerConfig(record))
        });
        let lingering = (0..many).map(|number| (actor(b'w', number), Generation::FIRST)).collect();
        let slots = u32::try_from(2 * many).expect("a count fits");
        let waiting = |number| Phase::Pending { since: Wall(NOW.wall.0 - many + number) };
        let records = [(Key::Namespace(namespace()), Record::Namespace(space))]
            .into_iter()
            .chain(pools)
            .chain((0..many).map(|number| stored_actor(b's', number, "sleepers", Phase::Sleeping)))
            .chain((0..many).map(|number| stored_actor(b'd', number, "sleepers", Phase::Destroyed)))
            .chain((0..many).map(|number| stored_actor(b'w', number, "held", waiting(number))))
            .chain([stored_runner(0, "held", lingering, slots)])
            .chain((1..=many).map(|number| stored_runner(number, "open", BTreeMap::new(), 4)));
        let mut out = Vec::new();
        let control = Control::restore(options, NOW, namespace(), records, &mut out).expect("they agree");
        let mut crowd = Self { control, out, fresh: 0 };
        crowd.connect(1, 0, "held", slots);
        for number in 1..=many {
            crowd.connect(number + 1, number, "open", 4);
        }
        crowd
    }

    pub(crate) fn step(&mut self, input: Input) -> &[Effect] {
        self.out.clear();
        self.control.handle(NOW, input, &mut self.out);
        &self.out
    }

    pub(crate) fn call(&mut self, call: Call) {
        self.fresh += 1;
        let ticket = Ticket(self.fresh);
        let effects = self.step(Input::Api { ticket, call });
        let answered = effects.iter().any(|it| matches!(it, Effect::Answer { answer, .. } if answer.is_ok()));
        assert!(answered, "{effects:?}");
    }

    /// Opens a socket of this runner up to its barrier, and passes it.
    pub(crate) fn connect(&mut self, conn: u64, number: u64, pool: &str, total_slots: u32) {
        let conn = ConnId(conn);
        self.step(Input::SocketOpened { conn, namespace: "default".into(), key: key(number) });
        let frame = Frame::Init {
            fresh: runner(number),
            pool: pool.to_owned(),
            version: 1,
            total_slots,
            actor_names: BTreeMap::new(),
            metadata: None,
        };
        let effects = self.step(Input::Frame { conn, frame });
        let ping = effects.iter().find_map(|effect| match effect {
            Effect::Send { message: Message::Ping { ts }, .. } => Some(*ts),
            _ => None,
        });
        let ts = ping.expect("an Init is followed by a ping");
        self.step(Input::Frame { conn, frame: Frame::Pong { ts } });
    }

    /// A new actor of this pool.
    pub(crate) fn create(&mut self, pool: &str) -> ActorId {
        self.fresh += 1;
        let fresh = actor(b'n', self.fresh);
        self.call(Call::CreateActor(NewActor {
            fresh,
            namespace: "default".into(),
            name: "counter".into(),
            key: Some(format!("new-{:028}", self.fresh)),
            pool: pool.to_owned(),
            crash_policy: CrashPolicy::Sleep,
            input: None,
        }));
        fresh
    }

    /// Runners of the open pool that host somebody.
    pub(crate) fn hosts(&self) -> usize {
        let runners: BTreeSet<RunnerId> =
            self.control.view().actors.iter().filter_map(|it| it.runner).collect();
        runners.len()
    }
}
