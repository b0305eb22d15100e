//! Signals of this process. In a test binary of its own: signals are for the whole process.

use std::process::Command;
use std::time::Duration;

use runtime::signals::{Signal, Signals};

#[test]
fn requests_to_stop_are_heard_each_time() {
    runtime::process::block_on(None, async {
        let mut signals = Signals::new().expect("taken over");
        for (name, signal, code) in [
            ("TERM", Signal::Terminate, 143),
            ("INT", Signal::Interrupt, 130),
            ("TERM", Signal::Terminate, 143),
        ] {
            let quiet = runtime::timeout(Duration::from_millis(20), signals.terminate()).await;
            assert!(quiet.is_err(), "nobody asked");
            let kill = Command::new("kill").args(["-s", name, &std::process::id().to_string()]).status();
            assert!(kill.expect("there is a kill").success());
            let heard = runtime::timeout(Duration::from_secs(20), signals.next()).await;
            assert_eq!(heard.expect("heard"), signal);
            assert_eq!(signal.exit_code(), code);
        }
    })
    .expect("a runtime");
}

/// This test is its own child: it must die of the signal, though its handler was taken over.
#[test]
fn a_process_ends_as_its_signal_would_have_ended_it() {
    use std::os::unix::process::ExitStatusExt;
    const CHILD: &str = "ENDS_BY_SIGNAL";
    if std::env::var_os(CHILD).is_some() {
        runtime::process::block_on(None, async {
            let _signals = Signals::new().expect("taken over");
            let code = Signal::Interrupt.end_process();
            unreachable!("it has ended, instead of {code:?}");
        })
        .expect("a runtime");
    }
    let this = std::env::current_exe().expect("a test has a binary");
    let status = Command::new(this)
        .args(["--exact", "a_process_ends_as_its_signal_would_have_ended_it"])
        .env(CHILD, "1")
        .status()
        .expect("spawned");
    assert_eq!(status.signal(), Some(2));
}
