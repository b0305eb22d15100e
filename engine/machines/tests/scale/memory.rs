//! What a sleeping actor takes.

use machines::control::Input;
use machines::control::input::Call;

use crate::crowd::Crowd;

const ACTORS: u64 = 100_000;

/// Bytes. The whole of an actor, with its share of the store's index, may take 2 KiB; the store has the other half.
const EACH_MAX: u64 = 1_024;

/// Memory of this process that is resident, in bytes, as the kernel counts it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux kernel tells it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line of it");
    let kib: String = line.chars().filter(char::is_ascii_digit).collect();
    kib.parse::<u64>().expect("a number of KiB") * 1_024
}

/// In a process of its own: the test that measures times has a crowd in memory.
#[test]
fn a_sleeping_actor_takes_a_kibibyte_at_most() {
    const ALONE: &str = "SLEEPERS_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let me = std::env::current_exe().expect("a test has a file");
        let name = "memory::a_sleeping_actor_takes_a_kibibyte_at_most";
        let run =
            std::process::Command::new(me).args(["--exact", name, "--nocapture"]).env(ALONE, "1").output();
        let run = run.expect("it runs");
        let said = String::from_utf8_lossy(&run.stdout);
        print!("{said}");
        assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
        assert!(said.contains("bytes each"), "it has measured");
        return;
    }
    let mut crowd = Crowd::new(1);
    crowd.step(Input::Tick);
    let before = resident();
    for _ in 0..ACTORS {
        // A pool without a runner: they wait, and are put to sleep.
        let actor = crowd.create("sleepers");
        crowd.call(Call::SleepActor { namespace: None, actor });
    }
    let each = (resident() - before) / ACTORS;
    println!("{ACTORS} sleeping actors with keys of 32 bytes: {each} bytes each");
    let asleep = crowd.control.view().actors.iter().filter(|it| it.phase == "sleeping").count();
    assert_eq!(u64::try_from(asleep).expect("a count fits"), ACTORS + 1);
    assert!(each <= EACH_MAX, "{each} bytes each");
}
