//! Disks of nodes: what survives which fall, and falls inside an operation.

use std::io;
use std::time::Duration;

use sim::{Effect, Fall, Status, World};

use crate::support::SECOND;

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
    let found = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let place = std::rc::Rc::clone(&found);
    node.boot(move || {
        let place = std::rc::Rc::clone(&place);
        async move {
            let all = records().await;
            *place.borrow_mut() = all;
        }
    });
    node.ended().await;
    let found = found.take();
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
