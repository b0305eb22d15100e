//! Several cuts on one direction: the first that is come to falls, whoever asked for it, and the others stay.

use runtime::TcpStream;
use sim::tap::{Grammar, Part, Place, Planned, Spans, Standing, Tap, Which, Wire};
use sim::{Connection, Cut, Node, Side, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, SECOND, connect, hold, plain, server};

const BYTE: Part = Part::Own { before: "cut before a byte", inside: "cut in a byte" };

/// Each byte is a part of its own.
struct Bytes;

impl Grammar for Bytes {
    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        for at in at..at + bytes.len() as u64 {
            spans.tell(BYTE, at, 0, at, 1);
        }
    }
}

/// Plans a cut before that byte of what an opener says.
fn plan(world: &World, byte: u64) -> Planned {
    world.plan_cut(Wire::any(), Side::Opener, Place::before(BYTE, Which::The(byte)), Cut::Reset)
}

async fn tapped(world: &World) -> Node {
    world.tap(Wire::any(), Tap::of(|_| Box::new(Bytes)));
    server(world, async |mut stream: TcpStream| drop(stream.read_to_end(&mut Vec::new()).await)).await
}

async fn open(world: &World) -> (TcpStream, Connection) {
    let stream = connect("server").await.expect("it listens");
    world.sleep(10 * MILLISECOND).await;
    (stream, world.connections().pop().expect("it is open"))
}

/// Writes ten bytes in these pieces; how many have been read after a while.
async fn say(world: &World, stream: &mut TcpStream, pieces: &[&[u8]]) -> u64 {
    for piece in pieces {
        stream.write_all(piece).await.expect("alive");
    }
    world.sleep(MILLISECOND / 2).await;
    let ordinal = world.connections().pop().expect("it is open").ordinal;
    world.sleep(10 * MILLISECOND).await;
    world.connection("script", "server", 80, ordinal).map_or(10, |connection| connection.read[0])
}

const PIECES: [&[&[u8]]; 3] = [&[b"0123456789"], &[b"01234", b"56789"], &[b"0", b"1", b"23", b"456", b"789"]];

#[test]
fn of_two_plans_the_earlier_falls_and_the_other_waits_for_another_connection() {
    for pieces in PIECES {
        for places in [[2, 7], [7, 2], [4, 4]] {
            let run = Sim::new(plain()).run(async move |world: World| {
                tapped(&world).await;
                let plans = places.map(|place| plan(&world, place));
                let mut read = Vec::new();
                for _ in 0..2 {
                    let (mut stream, _) = open(&world).await;
                    read.push(say(&world, &mut stream, pieces).await);
                    drop(stream);
                    world.sleep(10 * MILLISECOND).await;
                }
                (read, plans.map(|plan| plan.has_fallen()))
            });
            let mut places = places.to_vec();
            places.sort_unstable();
            assert_eq!(run.expect_ok(), (places, [true, true]), "{pieces:?}");
        }
    }
}

#[test]
fn a_plan_that_is_taken_back_leaves_the_others_that_are_under_way() {
    for pieces in PIECES {
        let run = Sim::new(plain()).run(async move |world: World| {
            tapped(&world).await;
            let [first, second] = [2, 7].map(|place| plan(&world, place));
            let (mut stream, _) = open(&world).await;
            for piece in pieces {
                stream.write_all(piece).await.unwrap();
            }
            assert_eq!([first.standing(), second.standing()], [Standing::Due; 2]);
            assert!(first.take_back());
            let read = say(&world, &mut stream, &[]).await;
            (read, first.standing(), second.standing())
        });
        assert_eq!(run.expect_ok(), (7, Standing::TakenBack, Standing::Fell), "{pieces:?}");
    }
}

#[sim::test(options = plain())]
async fn of_a_script_and_a_plan_the_earlier_cuts(world: World) {
    tapped(&world).await;
    for script_first in [true, false] {
        for (place, byte) in [(2, 7), (7, 2)] {
            let (mut stream, connection) = open(&world).await;
            let lay = || plan(&world, place);
            let cut = || assert!(world.cut_at(&connection, Side::Acceptor, byte, Cut::Reset));
            if script_first {
                cut();
            }
            let plan = lay();
            stream.write_all(b"0123456789").await.unwrap();
            if !script_first {
                cut();
            }
            assert_eq!(say(&world, &mut stream, &[]).await, 2);
            assert_eq!(plan.has_fallen(), place == 2);
            assert_ne!(plan.take_back(), place == 2);
            drop(stream);
            world.sleep(10 * MILLISECOND).await;
        }
    }
}

#[sim::test(options = plain())]
async fn behind_a_plan_that_is_taken_back_the_script_cuts(world: World) {
    tapped(&world).await;
    let plan = plan(&world, 2);
    let (mut stream, connection) = open(&world).await;
    assert!(world.cut_at(&connection, Side::Acceptor, 7, Cut::Reset));
    stream.write_all(b"0123456789").await.unwrap();
    assert!(plan.take_back());
    assert_eq!(say(&world, &mut stream, &[]).await, 7);
}

#[sim::test(options = plain())]
async fn a_plan_that_waits_again_reaches_connections_that_were_opened_meanwhile(world: World) {
    let node = tapped(&world).await;
    let plan = plan(&world, 2);
    let (mut first, _) = open(&world).await;
    let other = world.node("other");
    other.boot(|| async {
        let listener = runtime::TcpListener::bind(([0; 4], 80).into()).await.unwrap();
        hold(listener.accept().await.unwrap().0).await;
    });
    world.sleep(MILLISECOND).await;
    world.partition(&node, &world.node("script"));
    first.write_all(b"0123").await.unwrap();
    assert_eq!(plan.standing(), Standing::Due);
    let mut second = connect("other").await.unwrap();
    first.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(first);
    node.power_off();
    world.sleep(SECOND).await;
    assert_eq!(plan.standing(), Standing::Waits);
    second.write_all(b"0123").await.unwrap();
    world.sleep(10 * MILLISECOND).await;
    assert!(plan.has_fallen());
}

#[sim::test(options = plain())]
async fn a_plan_on_a_connection_that_another_cut_ended_waits_again(world: World) {
    tapped(&world).await;
    let plan = plan(&world, 7);
    let (mut stream, connection) = open(&world).await;
    stream.write_all(b"0123456789").await.unwrap();
    assert_eq!(plan.standing(), Standing::Due);
    assert!(world.cut(&connection, Cut::Silence, Side::Opener));
    assert_eq!(plan.standing(), Standing::Waits, "it can never fall there");
}

#[test]
fn a_cut_at_a_byte_that_never_comes_is_reported() {
    let run = Sim::new(plain()).run(async |world: World| {
        server(&world, async |mut stream: TcpStream| drop(stream.read_to_end(&mut Vec::new()).await)).await;
        let (mut stream, connection) = open(&world).await;
        assert!(world.cut_at(&connection, Side::Opener, 3, Cut::Fin));
        assert!(world.cut_at(&connection, Side::Acceptor, 70, Cut::Reset));
        assert!(
            world.cut_at(&connection, Side::Acceptor, 7, Cut::Silence),
            "it takes the place of the other"
        );
        stream.write_all(b"01234").await.unwrap();
        world.sleep(SECOND).await;
        let (mut second, connection) = open(&world).await;
        assert!(world.cut_at(&connection, Side::Acceptor, 4, Cut::Reset));
        second.write_all(b"01234").await.unwrap();
        world.sleep(SECOND).await;
    });
    let reasons: Vec<_> = run.unmet.iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "Fin of script→server:80#0 before byte 3 of what Acceptor says: it did not come",
            "Silence of script→server:80#0 before byte 7 of what Opener says: it did not come",
        ]
    );
    run.expect_ok();
}
