//! On the kernel's loopback: that of this process, or one of a network namespace of its own.
//!
//! In a namespace whoever runs the tests is its root, so a queue that swallows everything can be put on the loopback,
//! and settings can be others. Where the system does not let a user make one, the kernel's part is left out.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};

use runtime::{JoinHandle, TcpListener, spawn};
use serde_json::{Value, json};

use super::{Both, play};
use crate::party::{Pull, Stage};
use crate::scripts::{self, Place, Script};

/// What is set in a namespace, and alike in the worlds that are compared with it.
pub(crate) mod settings {
    /// `net.core.somaxconn`: how long a listener's queue is at most.
    pub(crate) const BACKLOG: u32 = 4;
    /// `net.ipv4.tcp_syn_retries`: a connect times out after 3 s.
    pub(crate) const SYN_RETRIES: u32 = 1;
}

/// What the kernel showed, by script.
pub(crate) type Shown = BTreeMap<&'static str, Both>;

/// Each script has a loopback address of its own (all of 127/8 is ours): the port of a listener that went could else
/// be taken by another script that is played at the same time.
async fn play_one(place: u8, script: Script) -> Both {
    let home = Ipv4Addr::new(127, 0, 1, place);
    let listener = TcpListener::bind((home, 0).into()).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (stages, orders) = Stage::pair();
    let [one, other] = stages.clone();
    let serving = spawn("server", (script.server)(one, listener));
    let asking = spawn("client", (script.client)(other, address));
    let ended = async |task: JoinHandle<()>| task.await.is_ok();
    play(stages, orders, ended(serving), ended(asking), pull).await
}

/// Plays scripts that are about the loopback: those that move little at once, since they mostly wait.
pub(crate) fn on_the_loopback(scripts: &[Script]) -> Shown {
    let scripts: Vec<Script> = scripts.iter().filter(|each| each.place == Place::Loopback).copied().collect();
    let shown = runtime::process::block_on(NonZeroUsize::new(2), async move {
        let (heavy, light): (Vec<_>, Vec<_>) = (1..).zip(scripts).partition(|(_, each)| each.moves_much);
        let begin = |(place, each): (u8, Script)| (each.name, spawn("script", play_one(place, each)));
        let playing: Vec<_> = light.into_iter().map(begin).collect();
        let mut shown = Shown::new();
        for (name, both) in playing {
            shown.insert(name, both.await.expect("a script that fails says so"));
        }
        for (place, script) in heavy {
            shown.insert(script.name, play_one(place, script).await);
        }
        shown
    });
    shown.expect("a runtime")
}

/// The process that plays what needs a namespace. It is begun before anything is played here: between its fork and its
/// exec a child has every socket of ours, and keeps open what a script closes.
pub(crate) struct Namespace(Child);

impl Namespace {
    /// Begins to play there. `None`: the system does not let us make one.
    ///
    /// # Panics
    /// If none can be made, where `REHEARSAL_NAMESPACE=required`.
    pub(crate) fn begin() -> Option<Self> {
        let can = configure("unshare --map-root-user --net true") && configure("tc -V") && configure("ip -V");
        let required = std::env::var("REHEARSAL_NAMESPACE").is_ok_and(|word| word == "required");
        assert!(can || !required, "no network namespace can be made here, or iproute2 is missing");
        can.then(|| {
            let this = std::env::current_exe().expect("the test itself");
            let inside =
                ["--exact", "worlds::kernel::inside_the_namespace", "--ignored", "--nocapture", "--quiet"];
            let mut unshare = Command::new("unshare");
            unshare.args(["--map-root-user", "--net"]).arg(this).args(inside);
            let child = unshare.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            Self(child.expect("it has just been started to try"))
        })
    }

    /// What was shown there.
    ///
    /// # Panics
    /// If the scripts did not come to their end.
    pub(crate) fn end(self) -> Shown {
        let child = self.0.wait_with_output().expect("its output is read to the end");
        let printed = String::from_utf8_lossy(&child.stdout);
        let line = printed.lines().find_map(|line| line.split_once(MARKER));
        let line = line.unwrap_or_else(|| {
            panic!("inside a namespace: {printed}\n{}", String::from_utf8_lossy(&child.stderr))
        });
        let told: BTreeMap<String, Value> = serde_json::from_str(line.1).expect("as it was printed");
        let lines = |value: &Value| {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
        };
        let known = all_in_a_namespace();
        let shown = told.into_iter().map(|(name, both)| {
            let script = known.iter().find(|each| each.name == name).expect("a script of ours");
            (script.name, Both { server: lines(&both["server"]), client: lines(&both["client"]) })
        });
        shown.collect()
    }
}

/// Behind it stands what the namespace showed.
const MARKER: &str = "shown in a namespace: ";

fn all_in_a_namespace() -> Vec<Script> {
    let all = scripts::all().into_iter().flat_map(|(_, scripts)| scripts);
    all.filter(|each| each.place == Place::Namespace).collect()
}

/// One command of iproute2; `false`: it cannot be done here.
fn configure(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    Command::new(words[0]).args(&words[1..]).output().is_ok_and(|output| output.status.success())
}

fn set(path: &str, value: u32) -> bool {
    std::fs::write(path, value.to_string()).is_ok()
}

fn pull(pull: Pull) {
    let done = match pull {
        Pull::Cut => configure("tc qdisc replace dev lo root blackhole"),
        Pull::Heal => configure("tc qdisc del dev lo root"),
    };
    assert!(done, "the loopback of a namespace obeys: {pull:?}");
}

#[test]
#[ignore = "the suite starts it, inside a network namespace"]
fn inside_the_namespace() {
    let ready = configure("ip link set lo up")
        && configure("tc qdisc replace dev lo root blackhole")
        && configure("tc qdisc del dev lo root")
        && set("/proc/sys/net/core/somaxconn", settings::BACKLOG)
        && set("/proc/sys/net/ipv4/tcp_syn_retries", settings::SYN_RETRIES);
    assert!(ready, "no namespace of our own, or one that cannot be configured");
    let mut shown = serde_json::Map::new();
    for script in all_in_a_namespace() {
        let both = runtime::process::block_on(NonZeroUsize::new(2), play_one(1, script)).expect("a runtime");
        shown.insert(script.name.to_owned(), json!({ "server": both.server, "client": both.client }));
    }
    println!("{MARKER}{}", Value::Object(shown));
}
