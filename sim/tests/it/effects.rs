//! Every fault family, on a small system: what is felt of it, and that nothing is with the family off.
//!
//! The table names for each effect the test that shows it and the test that shows it gone; it is matched without a
//! wildcard, so an effect that is added has no place in it until it has both.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::tap::Part;
use sim::{Cut, Effect, Fall, Node, Options, Overrides, Side, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{SECOND, connect, plain, process};

/// Where an effect is shown, and where that it is gone.
struct Shown {
    on: &'static str,
    off: &'static str,
}

macro_rules! table {
    ($($effect:pat, $example:expr => $on:literal, $off:literal;)*) => {
        fn shown(effect: Effect) -> Shown {
            match effect {
                $($effect => Shown { on: $on, off: $off },)*
            }
        }
        const ALL: &[Effect] = &[$($example),*];
    };
}

macro_rules! plain_table {
    ($($name:ident => $on:literal, $off:literal;)*) => {
        table! {
            $(Effect::$name, Effect::$name => $on, $off;)*
            Effect::CutBefore(_), Effect::CutBefore(Part::Mask) =>
                "taps::a_cut_falls_at_the_place_that_a_plan_names", "taps::a_tap_without_a_plan_changes_nothing";
            Effect::CutIn(_), Effect::CutIn(Part::Mask) =>
                "taps::a_cut_falls_inside_frames_and_the_messages_in_them", "taps::a_tap_without_a_plan_changes_nothing";
        }
    };
}

plain_table! {
    Kill => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    PowerOff => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    DiskCrash => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    LostSectors => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    Pause => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    Blocked => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    CutReset => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    CutFin => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    CutSilence => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    Reset => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    Refused => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    ConnectTimeout => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    Timeout => "effects::a_fault_is_felt_and_without_it_nothing_is",
        "effects::a_fault_is_felt_and_without_it_nothing_is";
    Queued => "segments::a_path_with_little_bandwidth_queues_what_goes_its_way",
        "segments::a_path_with_little_bandwidth_queues_what_goes_its_way";
    ReadError => "disk_faults::each_operation_fails_as_linux_tells_it_once_or_for_ever",
        "disk_faults::each_operation_fails_as_linux_tells_it_once_or_for_ever";
    WriteError => "disk_faults::a_write_fails_for_the_drive_or_for_want_of_room",
        "disk_faults::a_disk_without_faults_gives_none";
    SyncError => "disk_faults::each_operation_fails_as_linux_tells_it_once_or_for_ever",
        "disk_faults::each_operation_fails_as_linux_tells_it_once_or_for_ever";
    DiskFull => "disk_faults::a_write_fails_for_the_drive_or_for_want_of_room",
        "disk_faults::a_disk_without_faults_gives_none";
    LyingSync => "disk_faults::what_a_lying_sync_covered_is_lost_with_the_power",
        "disk_faults::what_an_honest_sync_covered_is_there";
    DroppedPages => "disk_faults::a_failed_sync_is_forgotten_and_what_it_covered_with_it",
        "disk_faults::what_an_honest_sync_covered_is_there";
    FlippedBit => "disk_faults::a_bit_that_flips_at_rest_is_read_by_whoever_reads_it",
        "disk_faults::a_bit_that_flips_at_rest_is_read_by_whoever_reads_it";
    SlowDisk => "disk_faults::a_slow_disk_takes_so_many_times_as_long",
        "disk_faults::a_slow_disk_is_felt_where_something_takes_longer";
    DiskStall => "disk_faults::nothing_ends_on_a_stalled_disk_until_it_is_released",
        "disk_faults::nothing_ends_on_a_stalled_disk_until_it_is_released";
    DiskWiped => "disk_faults::a_wiped_disk_is_empty", "disk_faults::a_wiped_disk_is_empty";
    DiskSwapped => "disk_faults::swapped_disks_hold_what_the_other_node_wrote",
        "disk_faults::swapped_disks_hold_what_the_other_node_wrote";
    ClockStep => "clocks::a_step_moves_the_wall_clock_alone_forward_or_back",
        "clocks::a_step_moves_the_wall_clock_alone_forward_or_back";
    IdleClosed => "middleboxes::an_idle_connection_is_closed_and_one_that_moves_is_not",
        "middleboxes::an_idle_connection_is_closed_and_one_that_moves_is_not";
    HeldBack =>
        "middleboxes::small_writes_are_held_back_until_there_are_enough_or_it_is_late_or_the_end_comes",
        "middleboxes::small_writes_are_held_back_until_there_are_enough_or_it_is_late_or_the_end_comes";
    CarriedTooMuch => "middleboxes::a_stream_is_reset_behind_so_many_bytes_and_not_behind_as_many",
        "middleboxes::a_stream_is_reset_behind_so_many_bytes_and_not_behind_as_many";
    StaleName => "middleboxes::a_balancer_that_keeps_an_answer_goes_where_the_name_led_before",
        "middleboxes::a_balancer_goes_round_over_names_and_addresses";
    ClockDrift => "clocks::timers_follow_the_clock_of_their_node_fast_or_slow",
        "clocks::drifts_are_decided_per_node_and_move_nothing_else";
    ClockFreeze => "clocks::timers_wait_while_their_clock_stands_still",
        "clocks::timers_follow_the_clock_of_their_node_fast_or_slow";
    LateTimer => "clocks::late_timers_fire_after_their_deadline_and_never_before",
        "clocks::late_timers_fire_after_their_deadline_and_never_before";
}

#[test]
fn every_effect_has_a_test_that_shows_it_and_one_that_shows_it_gone() {
    let sources = [
        ("clocks", include_str!("clocks.rs")),
        ("disk_faults", include_str!("disk_faults.rs")),
        ("effects", include_str!("effects.rs")),
        ("middleboxes", include_str!("middleboxes.rs")),
        ("segments", include_str!("segments.rs")),
        ("taps", include_str!("taps.rs")),
    ];
    for effect in ALL {
        let Shown { on, off } = shown(*effect);
        for name in [on, off] {
            let (module, test) = name.split_once("::").expect("a test in a module");
            let source = sources.iter().find(|(name, _)| *name == module).expect("a module of this crate").1;
            let signature = [format!("fn {test}("), format!("async fn {test}(")];
            assert!(signature.iter().any(|signature| source.contains(signature)), "{effect}: {name}");
        }
    }
    assert_eq!(ALL.iter().collect::<BTreeSet<_>>().len(), ALL.len(), "none is there twice");
}

/// A server that writes down each byte that it is sent, answers with it, and syncs every fifth.
async fn keep() {
    let listener = TcpListener::bind(([0; 4], 80).into()).await.expect("port 80 is free");
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        drop(runtime::spawn("keep", async move {
            let mut byte = [0];
            while let Ok(1) = stream.read(&mut byte).await {
                let [number] = byte;
                runtime::disk::blocking(move || {
                    let file = runtime::disk::open("log").expect("one client, one connection");
                    file.write(u64::from(number) * 512, &[1; 512]).expect("a disk that works");
                    if number % 5 == 4 {
                        file.sync().expect("a disk that works");
                    }
                })
                .await;
                if stream.write_all(&byte).await.is_err() {
                    return;
                }
            }
        }));
    }
}

/// One byte after the other on one connection, and a new one if that breaks: one second apart.
async fn exchange(stream: &mut Option<TcpStream>, byte: u8) -> io::Result<()> {
    if stream.is_none() {
        *stream = Some(connect("server").await?);
    }
    let open = stream.as_mut().expect("it is connected");
    open.write_all(&[byte]).await?;
    let mut answer = [0];
    open.read_exact(&mut answer).await?;
    assert_eq!(answer, [byte]);
    Ok(())
}

/// What a client heard, each exchange with its outcome and how long it took, and which bytes are on the server's disk at
/// the end.
type Story = (Vec<(Result<(), io::ErrorKind>, Duration)>, BTreeSet<usize>);

/// A fault at 3.5 seconds, and what undoes it when the client has gone through.
type Family = (Effect, fn(&World, &Node), fn(&World, &Node));

async fn story(world: World, fault: Option<Family>) -> Story {
    let (server, client) = (world.node("server"), world.node("client"));
    server.boot(keep);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let (place, clock) = (Rc::clone(&heard), world.clone());
    client.boot(move || {
        let (place, clock) = (Rc::clone(&place), clock.clone());
        async move {
            let mut stream = None;
            for byte in 0..10 {
                runtime::sleep(SECOND).await;
                let began = clock.elapsed();
                let outcome = exchange(&mut stream, byte).await.map_err(|error| error.kind());
                if outcome.is_err() {
                    stream = None;
                }
                place.borrow_mut().push((outcome, clock.elapsed() - began));
            }
        }
    });
    world.sleep(3500 * Duration::from_millis(1)).await;
    if let Some((_, begin, end)) = fault {
        begin(&world, &server);
        world.sleep(3 * SECOND).await;
        end(&world, &server);
    }
    client.ended().await;
    server.stop(SECOND).await;
    let log = || {
        runtime::disk::blocking(|| {
            let file = runtime::disk::open("log").expect("it is there");
            let mut all = vec![0; usize::try_from(file.len().expect("known")).expect("small")];
            file.read(0, &mut all).expect("whole");
            all
        })
    };
    let all = process(&server, log).await;
    let kept = all.chunks(512).enumerate().filter(|(_, sector)| *sector == [1; 512]);
    (heard.take(), kept.map(|(number, _)| number).collect())
}

fn restart(_: &World, server: &Node) {
    server.restart();
}

fn nothing(_: &World, _: &Node) {}

/// Cuts the connection of the client.
fn cut(world: &World, how: Cut) {
    let connection = world.connection("client", "server", 80, 0).expect("it is open");
    assert!(world.cut(&connection, how, Side::Opener));
}

/// Families of faults of which a story hears, each with an effect of it.
const FAMILIES: [Family; 13] = [
    (Effect::Kill, |_, server| server.kill(), restart),
    (Effect::PowerOff, |_, server| server.power_off(), restart),
    (Effect::DiskCrash, |_, server| server.crash_in_disk_operation(2, Fall::Kill), restart),
    (Effect::LostSectors, |_, server| server.power_off(), restart),
    (Effect::Pause, |_, server| server.pause(), |_, server| server.resume()),
    (Effect::Blocked, |world, server| world.isolate(server), |world, _| world.heal_all()),
    (Effect::CutReset, |world, _| cut(world, Cut::Reset), nothing),
    (Effect::CutFin, |world, _| cut(world, Cut::Fin), nothing),
    (Effect::CutSilence, |world, _| cut(world, Cut::Silence), nothing),
    // A host that is back knows nothing of the connection, and answers what is sent again with RST.
    (Effect::Reset, |_, server| server.power_off(), restart),
    (Effect::Refused, |_, server| server.kill(), restart),
    // For good: the client gives up, what it has sent and then what it would open.
    (Effect::ConnectTimeout, |world, server| world.isolate(server), nothing),
    (Effect::Timeout, |world, server| world.isolate(server), nothing),
];

/// The constants of `plain`, and a power loss that leaves nothing of what was not synced.
fn losing() -> Options {
    let mut overrides = Overrides::new();
    overrides.pin("disk/server/loss", 0, 0);
    Options { overrides, ..plain() }
}

#[test]
fn a_fault_is_felt_and_without_it_nothing_is() {
    let quiet = Sim::new(losing()).run(|world| story(world, None));
    assert!(quiet.effects.is_empty(), "{:?}", quiet.effects);
    let (heard, kept) = quiet.outcome.expect("it ends");
    assert!(heard.iter().all(|(outcome, took)| outcome.is_ok() && *took < SECOND), "{heard:?}");
    assert_eq!(kept, (0..10).collect());
    for family in FAMILIES {
        let effect = family.0;
        let run = Sim::new(losing()).run(move |world| story(world, Some(family)));
        assert!(run.effects.contains_key(&effect), "{effect}: {:?}", run.effects);
        let (heard, kept) = run.outcome.expect("it ends");
        assert!(
            heard[..3].iter().all(|(outcome, took)| outcome.is_ok() && *took < SECOND),
            "{effect}: {heard:?}"
        );
        let troubled = heard.iter().any(|(outcome, took)| outcome.is_err() || *took >= SECOND);
        assert!(troubled, "{effect}: {heard:?}");
        // What was written and not synced at 3.5 seconds is gone with the power, and with nothing else.
        let lost = kept.is_disjoint(&(0..3).collect());
        assert_eq!(lost, run.effects.contains_key(&Effect::LostSectors), "{effect}: {kept:?}");
    }
}
