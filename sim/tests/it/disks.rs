//! Disks of nodes: what survives which fall, and falls inside an operation.

use std::io;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Effect, Fall, Status, World};
use tokio::io::AsyncWriteExt;

use crate::support::{MILLISECOND, SECOND, connect, process, read};

/// Writes numbered records, each synced, and says which one is acknowledged.
async fn journal(acknowledged: std::rc::Rc<std::cell::Cell<u64>>) {
    loop {
        let written = runtime::disk::blocking(move || -> io::Result<u64> {
            let file = runtime::disk::open("journal").map_err(io::Error::other)?;
            let place = file.len()?;
            file.write(place, &(place / 8).to_le_bytes())?;
            file.sync()?;
            Ok(place / 8)
        })
        .await;
        acknowledged.set(written.expect("nothing is acknowledged after a fall") + 1);
    }
}

async fn records() -> Vec<u8> {
    runtime::disk::blocking(|| {
        let file = runtime::disk::open("journal").expect("nobody holds it");
        let mut all = vec![0; usize::try_from(file.len().expect("known")).expect("small")];
        file.read(0, &mut all).expect("whole");
        all
    })
    .await
}

#[sim::test(seeds = 0..100)]
async fn what_was_acknowledged_survives_a_fall_at_any_moment(world: World) {
    let chance = world.stream("chance");
    let how = *chance.one_of(&[Fall::Kill, Fall::PowerOff]);
    let acknowledged = std::rc::Rc::new(std::cell::Cell::new(0));
    let node = world.node("store");
    let counter = std::rc::Rc::clone(&acknowledged);
    node.boot(move || journal(std::rc::Rc::clone(&counter)));
    if chance.below(2) == 0 {
        node.crash_in_disk_operation(chance.within(1..=200), how);
        node.ended().await;
        assert_eq!(world.effects()[&Effect::DiskCrash], 1);
    } else {
        world.sleep(chance.span(Duration::ZERO..=Duration::from_millis(100))).await;
        node.fall(how);
    }
    assert_eq!(node.status(), if how == Fall::Kill { Status::Killed } else { Status::Off });
    world.sleep(SECOND).await;
    let promised = acknowledged.get();
    let found = process(&node, records).await;
    let kept = found.chunks(8).enumerate();
    let kept = kept.take_while(|(n, record)| **record == (*n as u64).to_le_bytes()).count() as u64;
    assert!(kept >= promised, "{promised} were acknowledged, {kept} are there");
    assert!(found.len() as u64 <= (promised + 1) * 8, "at most one more");
}

#[sim::test]
async fn a_file_has_one_holder_and_work_takes_its_time(world: World) {
    let node = world.node("store");
    node.boot(|| async {
        let file = runtime::disk::blocking(|| runtime::disk::open("a").expect("free")).await;
        let again = runtime::disk::blocking(|| runtime::disk::open("a").err()).await;
        assert!(matches!(again, Some(runtime::disk::DiskError::InUse { .. })));
        let before = runtime::now();
        let file = runtime::disk::blocking(move || {
            file.write(0, &[1; 5000]).expect("room");
            file.sync().expect("a drive that works");
            file
        })
        .await;
        assert!(runtime::now().saturating_since(before) >= Duration::from_micros(500));
        runtime::sleep(SECOND).await;
        drop(file);
        assert!(runtime::disk::exists("a") && !runtime::disk::exists("b"));
        std::future::pending::<()>().await;
    });
    world.sleep(SECOND / 2).await;
    assert_eq!(world.census()["store"].files, 1);
    world.sleep(SECOND).await;
    assert_eq!(world.census()["store"].files, 0);
    node.fail_syncs(1);
    node.kill();
    node.wipe_disk();
    assert!(node.disk_counts().synced > 0);
}

#[sim::test(seeds = 0..20)]
async fn who_falls_inside_an_operation_says_nothing_in_the_rest_of_that_poll(world: World) {
    let how = *world.stream("chance").one_of(&[Fall::Kill, Fall::PowerOff]);
    let node = world.node("store");
    node.boot(|| async {
        let listener = TcpListener::bind(([0; 4], 80).into()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let work = runtime::disk::blocking(|| {
            let file = runtime::disk::open("a").unwrap();
            assert!(file.write(0, b"x").is_err());
        });
        // Both in one poll: the answer must not leave once the write has felled the node.
        let answer = async {
            assert!(stream.write_all(b"done").await.is_err());
            assert!(TcpStream::connect(([127, 0, 0, 1], 80).into()).await.is_err());
            std::future::pending::<()>().await;
        };
        tokio::join!(work, answer);
    });
    world.sleep(MILLISECOND).await;
    let mut stream = connect("store").await.unwrap();
    node.crash_in_disk_operation(2, how);
    let heard = world.within(60 * SECOND, read(&mut stream)).await;
    assert_eq!(heard, if how == Fall::Kill { Some(Ok(vec![])) } else { None });
    assert!(!node.is_running());
}

#[sim::test(seeds = 0..20)]
async fn who_falls_inside_an_operation_that_fails_anyway_falls_as_well(world: World) {
    let how = *world.stream("chance").one_of(&[Fall::Kill, Fall::PowerOff]);
    let node = world.node("store");
    node.boot(|| async {
        let listener = TcpListener::bind(([0; 4], 80).into()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let work = runtime::disk::blocking(|| {
            let file = runtime::disk::open("a").unwrap();
            assert!(file.write(0, b"x").is_err(), "there is no room");
        });
        let answer = async { assert!(stream.write_all(b"done").await.is_err()) };
        // The process would end here, in the poll in which it fell.
        futures_util::future::select(std::pin::pin!(work), std::pin::pin!(answer)).await;
    });
    world.sleep(MILLISECOND).await;
    let mut stream = connect("store").await.unwrap();
    node.limit_disk(Some(0));
    node.crash_in_disk_operation(2, how);
    let heard = world.within(60 * SECOND, read(&mut stream)).await;
    assert_eq!(heard, if how == Fall::Kill { Some(Ok(vec![])) } else { None });
    assert_eq!(node.status(), if how == Fall::Kill { Status::Killed } else { Status::Off });
    assert_eq!(world.effects()[&Effect::DiskCrash], 1);
}

#[sim::test]
async fn a_process_that_panics_because_it_fell_fails_nothing(world: World) {
    struct Stubborn;
    impl Drop for Stubborn {
        fn drop(&mut self) {
            runtime::disk::open("b").expect("a disk that works");
        }
    }
    let node = world.node("store");
    node.boot(|| async {
        let _stubborn = runtime::spawn("stubborn", async {
            let _held = Stubborn;
            std::future::pending::<()>().await;
        });
        runtime::sleep(SECOND).await;
        runtime::disk::blocking(|| runtime::disk::open("a").expect("a disk that works")).await;
    });
    world.sleep(MILLISECOND).await;
    node.crash_in_disk_operation(1, Fall::PowerOff);
    node.ended().await;
    assert_eq!((node.status(), world.elapsed() >= SECOND), (Status::Off, true));
}
