//! An engine whose disk is full, as a process on several threads: it begins again from its store, and lives on.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;

use crate::support::{call_with, run, try_call_with};

/// Largest file, in blocks of 512 or 1024 bytes as shells count: a few inputs fit, and then none.
const BLOCKS_MAX: u32 = 24 * 1024;
/// Failed commits to see. Each is one chance for the rest of the engine to fall with its control plane.
const FAILURES: u32 = 12;
/// Clients that keep the gateway asking the control plane for routes meanwhile.
const CLIENTS: usize = 8;

/// An engine that is killed when dropped.
struct Engine(Child, SocketAddr);

impl Drop for Engine {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Serves from a disk that is full beyond the bound: writes fail there, as the signal of that is ignored.
fn serve(data: &Path) -> Engine {
    let script = format!("trap '' XFSZ; ulimit -f {BLOCKS_MAX}; exec \"$0\" \"$@\"");
    let mut child = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_rehearsal-engine"), "serve", "--bind", "127.0.0.1:0"])
        .args(["--log", "off", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit_once('/').unwrap().1.parse().unwrap();
    Engine(child, address)
}

/// Asks for actors that nobody knows, which the gateway has to ask the control plane about.
async fn ask_on(address: SocketAddr, client: usize, stop: Arc<AtomicBool>) {
    let path = format!("/gateway/{client:026}al00/x");
    while !stop.load(Ordering::Acquire) {
        // While the engine begins again, connections break.
        try_call_with(address, "GET", &path, &[], Bytes::new()).await.ok();
    }
}

#[test]
fn a_full_disk_fails_commits_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = serve(folder.path());
    let address = engine.1;
    run(async {
        let pool = Bytes::from_static(br#"{"datacenters":{"default":{"normal":{}}}}"#);
        call_with(address, "PUT", "/runner-configs/default?namespace=default", &[], pool).await;
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| runtime::spawn("client", ask_on(address, client, Arc::clone(&stop))))
            .collect();
        let input = STANDARD.encode(vec![7; 2 * 1024 * 1024]);
        let (mut failed, mut tried) = (0, 0);
        while failed < FAILURES {
            tried += 1;
            assert!(tried < 10 * FAILURES, "the disk is never full");
            let actor = json!({
                "name": "a", "key": tried.to_string(), "runner_name_selector": "default",
                "crash_policy": "sleep", "input": input,
            });
            let body = actor.to_string().into();
            let answer = try_call_with(address, "PUT", "/actors?namespace=default", &[], body).await;
            failed += u32::from(!answer.is_ok_and(|answer| answer.status == 200));
        }
        stop.store(true, Ordering::Release);
        for client in clients {
            client.await.unwrap();
        }
        // What fits is still written.
        assert_eq!(call_with(address, "GET", "/health", &[], Bytes::new()).await.status, 200);
    });
    assert_eq!(engine.0.try_wait().unwrap(), None, "it lives");
}
