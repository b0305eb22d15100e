//! What hits a host of the application, and what is decided of it.

use std::time::Duration;

use model::fault::Family;
use sim::{Cut, Ratio, Side};

use super::cut::{mover, targets};
use super::spot::{SocketSpot, StreamSpot};
use crate::stack::{Application, Stack};
use crate::world::{Stream, World};

/// From one blow to the next: while the one before is being recovered from, or after.
const WAIT: [(Duration, Duration); 2] =
    [(Duration::from_millis(1), Duration::from_secs(2)), (Duration::from_secs(2), Duration::from_secs(12))];

/// How long the platform takes to start an instance again.
const PLATFORM: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(3));

/// How long an instance is paused or parted: a hiccup; below the lost threshold of 15 s; beyond it.
const AWAY: [(Duration, Duration); 3] = [
    (Duration::from_millis(100), Duration::from_secs(2)),
    (Duration::from_secs(2), Duration::from_secs(14)),
    (Duration::from_secs(16), Duration::from_secs(25)),
];

/// How long the engine is paused: after 15 s without a ping a runner dials again, and waits 5 s for its new session, so
/// that the engine finds the old one and the new one side by side.
const ENGINE_AWAY: (Duration, Duration) = (Duration::from_secs(14), Duration::from_secs(20));

/// How long a start dawdles: beyond the 30 s after which the engine gives it up.
const LATE_START: (Duration, Duration) = (Duration::from_secs(31), Duration::from_secs(40));

/// How long an answer dawdles: beyond the 15 s that the gateway waits, as the stack sets it.
const LATE_ANSWER: (Duration, Duration) = (Duration::from_secs(14), Duration::from_secs(20));

/// How far into a message a cut falls at most. Ours: most messages are longer than that, a ping is of nine bytes.
const DEPTH_MAX: u64 = 8;

/// How long a whim waits for somebody who follows it: a client asks every few seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is hit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Blow {
    /// The stream that the engine opened.
    Stream,
    /// The socket that the runner opened.
    Socket,
    /// The instance: killed.
    Kill,
    /// The instance: paused.
    Pause,
    /// The engine: paused for as long as its runners need to dial again.
    EnginePause,
    /// The path between its host and the engine.
    Partition,
    /// The next start of an actor, after a cut of its stream or the fall of its instance: the engine gives it up before
    /// it has come.
    LateStart,
    /// The next answer of an actor.
    LateAnswer,
}

/// How often each is drawn.
const BLOWS: [Blow; 11] = [
    Blow::Stream,
    Blow::Stream,
    Blow::Socket,
    Blow::Socket,
    Blow::Kill,
    Blow::Pause,
    Blow::EnginePause,
    Blow::Partition,
    Blow::Partition,
    Blow::LateStart,
    Blow::LateAnswer,
];

/// Which ways are blocked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ways {
    Both,
    ToEngine,
    FromEngine,
}

/// When a connection is cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    AtOnce,
    /// Between two bytes of what comes next, so many further on.
    After(u64),
    /// At a place of the protocol.
    AtSpot,
}

/// Everything that a blow may need, drawn whatever it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Details {
    pub(super) how: Cut,
    pub(super) near: Side,
    pub(super) moment: Moment,
    pub(super) reader: Side,
    pub(super) stream_spot: StreamSpot,
    pub(super) socket_spot: SocketSpot,
    /// How far into a message.
    pub(super) depth: u64,
    platform: Duration,
    away: Duration,
    engine_away: Duration,
    ways: Ways,
    /// Whether the platform sends new connections to the other host meanwhile, or the host's own connection is reset.
    pub(super) other: bool,
    late_start: Duration,
    late_answer: Duration,
}

impl Details {
    /// About how long a blow lasts.
    pub(super) const fn lasts(&self, blow: Blow) -> Duration {
        match blow {
            Blow::Stream | Blow::Socket => Duration::ZERO,
            Blow::Kill => self.platform,
            Blow::Pause | Blow::Partition => self.away,
            Blow::EnginePause => self.engine_away,
            Blow::LateStart => self.late_start,
            Blow::LateAnswer => self.late_answer,
        }
    }
}

/// What is decided, each in a stream of its own.
pub(super) struct Draws {
    world: World,
}

impl Draws {
    pub(super) fn new(world: &World) -> Self {
        Self { world: world.clone() }
    }

    fn of(&self, what: &str) -> Stream {
        self.world.stream(&format!("blow/app/{what}"))
    }

    pub(super) fn wait(&self) -> Duration {
        let bucket = self.of("bucket").one_of(&WAIT).to_owned();
        self.of("wait").span(bucket.0..=bucket.1)
    }

    pub(super) fn kind(&self) -> Blow {
        *self.of("kind").one_of(&BLOWS)
    }

    pub(super) fn details(&self) -> Details {
        let span = |what: &str, range: (Duration, Duration)| self.of(what).span(range.0..=range.1);
        let more = self.of("more").within(1..=40);
        let between = self.of("between").chance(Ratio::new(1, 2));
        let at_spot = self.of("at_spot").chance(Ratio::new(1, 2));
        let away = *self.of("away_bucket").one_of(&AWAY);
        Details {
            how: *self.of("how").one_of(&[Cut::Reset, Cut::Fin, Cut::Silence]),
            near: *self.of("near").one_of(&Side::BOTH),
            moment: match (at_spot, between) {
                (true, _) => Moment::AtSpot,
                (false, true) => Moment::After(more),
                (false, false) => Moment::AtOnce,
            },
            reader: *self.of("reader").one_of(&Side::BOTH),
            stream_spot: *self.of("stream_spot").one_of(&StreamSpot::ALL),
            socket_spot: *self.of("socket_spot").one_of(&SocketSpot::ALL),
            depth: self.of("depth").within(1..=DEPTH_MAX),
            platform: span("platform", PLATFORM),
            away: span("away", away),
            engine_away: span("engine_away", ENGINE_AWAY),
            ways: *self.of("ways").one_of(&[Ways::Both, Ways::ToEngine, Ways::FromEngine]),
            other: self.of("other").chance(Ratio::new(1, 2)),
            late_start: span("late_start", LATE_START),
            late_answer: span("late_answer", LATE_ANSWER),
        }
    }
}

/// The host on which a runner lives, or else the one that the platform prefers.
fn hosting(stack: &Stack) -> &Application {
    let from = targets(stack, Blow::Socket).into_iter().next().map(|socket| socket.from);
    let hosts = stack.hosts().into_iter();
    hosts.clone().find(|host| Some(&*host.node().name()) == from.as_deref()).unwrap_or(&stack.application)
}

fn other<'a>(stack: &'a Stack, host: &Application) -> &'a Application {
    let is_other = |other: &&Application| other.node().name() != host.node().name();
    stack.hosts().into_iter().find(is_other).expect("there are two hosts")
}

pub(super) async fn kill(stack: &Stack, details: &Details) {
    let host = hosting(stack);
    let name = host.node().name();
    stack.world.note(format!("platform kills the instance on {name}"));
    let strike = stack.ledger.struck(Family::InstanceKilled);
    host.node().kill();
    stack.world.sleep(details.platform).await;
    host.boot();
    stack.ledger.repaired(strike);
}

pub(super) async fn pause(stack: &Stack, details: &Details) {
    let host = hosting(stack);
    let name = host.node().name();
    stack.world.note(format!("platform pauses the instance on {name} for {:?}", details.away));
    let strike = stack.ledger.struck(Family::InstancePaused);
    host.node().pause();
    if details.other {
        stack.prefer(other(stack, host));
    }
    stack.world.sleep(details.away).await;
    host.node().resume();
    stack.world.note(format!("the instance on {name} goes on"));
    stack.ledger.repaired(strike);
}

pub(super) async fn pause_engine(stack: &Stack, details: &Details) {
    let node = stack.engine.node();
    stack.world.note(format!("the engine is paused for {:?}", details.engine_away));
    let strike = stack.ledger.struck(Family::EnginePaused);
    node.pause();
    stack.world.sleep(details.engine_away).await;
    node.resume();
    stack.world.note("the engine goes on");
    stack.ledger.repaired(strike);
}

/// Parts a host from the engine. A runner whose connection is reset meanwhile comes back while the engine still holds
/// its former session.
pub(super) async fn part(stack: &Stack, details: &Details) {
    let host = hosting(stack);
    let name = host.node().name();
    let (one, engine) = (host.node(), stack.engine.node());
    stack.world.note(format!("{name} and the engine are parted, {:?}, for {:?}", details.ways, details.away));
    let strike = stack.ledger.struck(Family::Partition);
    match details.ways {
        Ways::Both => stack.world.partition(one, engine),
        Ways::ToEngine => stack.world.block(one, engine),
        Ways::FromEngine => stack.world.block(engine, one),
    }
    if details.other {
        for socket in targets(stack, Blow::Socket).iter().filter(|socket| *socket.from == *name) {
            if stack.world.cut(socket, Cut::Reset, Side::Opener) {
                stack.world.note("and the runner's socket is reset");
                let strike = stack.ledger.struck(Family::SocketCut);
                stack.ledger.repaired(strike);
            }
        }
    } else {
        stack.prefer(other(stack, host));
    }
    stack.world.sleep(details.away).await;
    stack.world.heal(one, engine);
    stack.world.note(format!("{name} and the engine reach each other"));
    stack.ledger.repaired(strike);
}

pub(super) async fn start_late(stack: &Stack, details: &Details) {
    let strike = stack.ledger.struck(Family::ActorDawdles);
    stack.whims.next_start(details.late_start);
    if mover(stack) == Family::InstanceKilled {
        stack.world.note(format!("the next start takes {:?}", details.late_start));
        kill(stack, details).await;
    } else if let Some(stream) = targets(stack, Blow::Stream).into_iter().next() {
        let moves = stack.ledger.struck(Family::StreamCut);
        stack.world.cut(&stream, Cut::Reset, Side::Opener);
        stack.world.note(format!("the stream is cut, and the next start takes {:?}", details.late_start));
        stack.ledger.repaired(moves);
    }
    dawdle(stack, details.late_start).await;
    stack.ledger.repaired(strike);
}

pub(super) async fn answer_late(stack: &Stack, details: &Details) {
    let strike = stack.ledger.struck(Family::ActorDawdles);
    stack.whims.next_request(details.late_answer);
    stack.world.note(format!("the next answer takes {:?}", details.late_answer));
    dawdle(stack, details.late_answer).await;
    stack.ledger.repaired(strike);
}

/// Waits until the whim was followed to its end; one that nobody follows is taken back.
async fn dawdle(stack: &Stack, span: Duration) {
    let followed = stack.until(PATIENCE, async || stack.whims.is_followed()).await;
    stack.whims.forget();
    if followed {
        stack.world.sleep(span).await;
        let over = stack.until(PATIENCE, async || stack.whims.is_over()).await;
        assert!(over, "whoever dawdles does so for as long as it was told");
    }
}
