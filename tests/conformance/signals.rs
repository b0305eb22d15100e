//! Requests to stop: what came before is not heard, what comes between two calls is heard as one, and who does not
//! listen dies.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use runtime::signals::Signals;
use sim::{Sim, Status};

use crate::party::SETTLE;

/// SIGTERM's number, on every Linux.
const SIGTERM: i32 = 15;

async fn heard(signals: &mut Signals) -> bool {
    runtime::timeout(SETTLE, signals.terminate()).await.is_ok()
}

/// What a process hears that calls `ask` to be asked to stop.
async fn listen(ask: impl Fn()) -> Vec<bool> {
    let mut first = Signals::new().expect("taken over");
    let mut all = vec![heard(&mut first).await];
    for _ in 0..2 {
        ask();
        runtime::sleep(SETTLE).await;
    }
    let mut second = Signals::new().expect("taken over");
    all.extend([heard(&mut second).await, heard(&mut first).await, heard(&mut first).await]);
    ask();
    all.extend([heard(&mut second).await, heard(&mut first).await, heard(&mut first).await]);
    all
}

fn terminate(process: u32) {
    let kill = Command::new("kill").args(["-s", "TERM", &process.to_string()]).status();
    assert!(kill.expect("there is a kill").success());
}

#[test]
fn requests_to_stop_are_heard_alike() {
    let kernel = runtime::process::block_on(None, listen(|| terminate(std::process::id())));
    let world = Sim::seed(1).run(async |world| {
        let node = world.node("asked");
        node.boot(std::future::pending);
        let asked = node.clone();
        node.spawn("listen", listen(move || asked.ask_to_stop())).await.expect("nobody felled it")
    });
    let world = world.expect_ok();
    assert_eq!(world, kernel.expect("a runtime"));
    assert_eq!(world, [false, false, true, false, true, true, false]);
}

#[test]
fn who_does_not_listen_dies_alike() {
    let mut deaf = Command::new("sleep").arg("60").spawn().expect("there is a sleep");
    terminate(deaf.id());
    assert_eq!(deaf.wait().expect("it ends").signal(), Some(SIGTERM));
    let world = Sim::seed(1).run(async |world| {
        let deaf = world.node("deaf");
        deaf.boot(std::future::pending);
        world.sleep(Duration::from_secs(1)).await;
        deaf.ask_to_stop();
        deaf.status()
    });
    assert_eq!(world.expect_ok(), Status::Killed);
}
