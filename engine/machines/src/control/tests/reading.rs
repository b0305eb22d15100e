//! A control plane that may not write: what it still does, and that it stores nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::error::CloseReason;
use protocol::id::{BodyId, ConnId, NamespaceId, RunnerKey};
use protocol::time::{Now, Wall};

use super::plane::{Plane, actor, runner};
use crate::control::effect::Message;
use crate::control::input::{Frame, KvOp};
use crate::control::record::{Key, Record};
use crate::control::{Control, Effect, Input, Options};
use crate::route::Route;

/// Of a runner with four slots.
fn init() -> Frame {
    Frame::Init {
        fresh: runner("fresh"),
        pool: "default".into(),
        version: 1,
        total_slots: 4,
        actor_names: BTreeMap::new(),
        metadata: None,
    }
}

/// Restored from what a plane has stored, so many milliseconds later.
struct Reader {
    control: Control,
    now: Now,
    stored: BTreeMap<Key, Record>,
}

impl Reader {
    fn of(plane: &Plane, away: u64) -> Self {
        let (stored, now) = (plane.stored.clone(), plane.now.after(Duration::from_millis(away)));
        let fresh = NamespaceId::from_entropy([9; 16]);
        let control = Control::restore(Options::default(), now, fresh, stored.clone(), &mut Vec::new());
        let mut control = control.unwrap();
        control.read_only();
        Self { control, now, stored }
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        self.control.handle(self.now, input, &mut out);
        self.control.check();
        let writes = |effect: &Effect| {
            matches!(
                effect,
                Effect::Put(..) | Effect::Delete(_) | Effect::KeepInput { .. } | Effect::Erase { .. }
            )
        };
        assert!(!out.iter().any(writes), "nothing is stored: {out:?}");
        out
    }

    fn connect(&mut self, conn: u64, name: &str) -> Vec<Effect> {
        let (conn, key) = (ConnId(conn), RunnerKey::new(name).unwrap());
        self.input(Input::SocketOpened { conn, namespace: "default".into(), key });
        self.input(Input::Frame { conn, frame: init() })
    }

    /// Lets time pass; the runner on this socket answers pings, if there is one.
    fn after(&mut self, ms: u64, answers: Option<u64>) -> Vec<Effect> {
        let end = self.now.after(Duration::from_millis(ms));
        let mut all = Vec::new();
        while let Some((due, _)) = self.control.next_deadline().filter(|(due, _)| *due <= end.mono) {
            self.now = self.now.after(due.since(self.now.mono));
            let out = self.input(Input::Tick);
            let pinged = out.iter().find_map(|effect| match effect {
                Effect::Send { conn, message: Message::Ping { ts } } => Some((*conn, *ts)),
                _ => None,
            });
            all.extend(out);
            if let Some((conn, ts)) = pinged
                && answers == Some(conn.0)
            {
                all.extend(self.input(Input::Frame { conn, frame: Frame::Pong { ts } }));
            }
        }
        self.now = end;
        all
    }
}

/// An actor that runs, one that sleeps, one that waits for a place.
fn plane() -> Plane {
    let mut plane = Plane::new();
    plane
        .normal()
        .runner("r", 2)
        .create("a")
        .create("b")
        .running("r", "a")
        .running("r", "b")
        .sleeps("r", "b");
    plane
}

#[test]
fn a_known_runner_comes_back_and_its_actors_are_routed_to() {
    let mut reader = Reader::of(&plane(), 1_000);
    let out = reader.input(Input::Watch { actor: actor("a") });
    assert_eq!(out, [Effect::Route { actor: actor("a"), route: Route::Waiting }]);
    let out = reader.connect(50, "r");
    let route = out.iter().find_map(|effect| match effect {
        Effect::Route { route, .. } => Some(*route),
        _ => None,
    });
    assert!(matches!(route, Some(Route::Ready { conn: ConnId(50), .. })), "{out:?}");
    let kv = |op| Frame::Kv { request: 1, actor: actor("a"), op, body: BodyId(9) };
    let out = reader.input(Input::Frame { conn: ConnId(50), frame: kv(KvOp::Read) });
    assert!(matches!(&out[..], [Effect::Kv { .. }]), "{out:?}");
}

/// No request holds it open any more, and none can be made: what it hosts could not go elsewhere.
#[test]
fn a_known_serverless_runner_comes_back_and_keeps_its_actors() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 4);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a");
    let mut reader = Reader::of(&plane, 1_000);
    reader.input(Input::Watch { actor: actor("a") });
    let out = reader.connect(50, "r");
    let ready = |effect: &Effect| matches!(effect, Effect::Route { route: Route::Ready { .. }, .. });
    assert!(out.iter().any(ready), "{out:?}");
    assert!(!reader.control.view().runners[0].draining);
}

#[test]
fn it_wakes_places_and_starts_nobody_however_long_it_takes() {
    let mut plane = plane();
    plane.create("c");
    let mut reader = Reader::of(&plane, 1_000);
    assert_eq!(
        reader.input(Input::Watch { actor: actor("b") }),
        [Effect::Route { actor: actor("b"), route: Route::Waiting }]
    );
    reader.connect(50, "r");
    let all = reader.after(600_000, Some(50));
    let actors = |(key, record): (Key, Record)| matches!(key, Key::Actor(_)).then_some((key, record));
    let stands: BTreeMap<_, _> = reader.control.records().filter_map(actors).collect();
    assert_eq!(
        stands,
        reader.stored.clone().into_iter().filter_map(actors).collect(),
        "all stand where they stood"
    );
    let only = all.iter().all(|effect| matches!(effect, Effect::Send { message: Message::Ping { .. }, .. }));
    assert!(only, "{all:?}");
}

#[test]
fn an_unknown_runner_is_asked_to_come_back_later() {
    let mut reader = Reader::of(&plane(), 1_000);
    let out = reader.connect(50, "stranger");
    assert_eq!(out, [Effect::Close { conn: ConnId(50), reason: CloseReason::GoingAway }]);
}

#[test]
fn a_runner_that_falls_silent_loses_its_socket_and_keeps_its_actors() {
    let mut reader = Reader::of(&plane(), 1_000);
    reader.input(Input::Watch { actor: actor("a") });
    reader.connect(50, "r");
    let all = reader.after(20_000, None);
    assert!(all.contains(&Effect::Close { conn: ConnId(50), reason: CloseReason::TimedOut }), "{all:?}");
    assert!(all.contains(&Effect::Route { actor: actor("a"), route: Route::Waiting }), "{all:?}");
    let out = reader.connect(51, "r");
    assert!(
        out.iter().any(|effect| matches!(effect, Effect::Route { route: Route::Ready { .. }, .. })),
        "{out:?}"
    );
}

#[test]
fn a_runner_that_was_here_all_the_time_is_not_lost_when_it_can_be_written_again() {
    let mut reader = Reader::of(&plane(), 1_000);
    reader.connect(50, "r");
    reader.after(60_000, Some(50));
    let kept = reader.control.kept(reader.now.wall);
    assert_eq!(kept.len(), 2, "the runner, and that the engine lived: {kept:?}");
    let after = |stored: BTreeMap<Key, Record>, now: Now| {
        let fresh = NamespaceId::from_entropy([9; 16]);
        let mut control = Control::restore(Options::default(), now, fresh, stored, &mut Vec::new()).unwrap();
        let mut out = Vec::new();
        let key = RunnerKey::new("r").unwrap();
        control.handle(
            now,
            Input::SocketOpened { conn: ConnId(1), namespace: "default".into(), key },
            &mut out,
        );
        control.handle(now, Input::Frame { conn: ConnId(1), frame: init() }, &mut out);
        control.records().any(|(key, _)| key == Key::Runner(runner("fresh")))
    };
    assert!(after(reader.stored.clone(), reader.now), "without what is kept it is another one");
    let stored = reader.stored.clone().into_iter().chain(kept).collect();
    let now = Now { wall: Wall(reader.now.wall.0 + 1_000), ..reader.now };
    assert!(!after(stored, now), "it keeps its id");
}
