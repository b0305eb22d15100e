//! Signals of this process. In a test binary of its own: signals are for the whole process.

use std::process::Command;
use std::time::Duration;

use runtime::signals::Signals;

#[test]
fn requests_to_stop_are_heard_each_time() {
    runtime::process::block_on(None, async {
        let mut signals = Signals::new().expect("taken over");
        for name in ["TERM", "INT", "TERM"] {
            let quiet = runtime::timeout(Duration::from_millis(20), signals.terminate()).await;
            assert!(quiet.is_err(), "nobody asked");
            let kill = Command::new("kill").args(["-s", name, &std::process::id().to_string()]).status();
            assert!(kill.expect("there is a kill").success());
            runtime::timeout(Duration::from_secs(20), signals.terminate()).await.expect("heard");
        }
    })
    .expect("a runtime");
}
