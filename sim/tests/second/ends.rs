//! How runs and processes end: with nothing left, nothing said any more, and a reason.

use std::net::Ipv4Addr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use runtime::{TcpListener, TcpStream};
use sim::second::{Failed, Node, Second, World};
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::{SECOND, connect};

/// Asks and writes as it is dropped, as storage engines and HTTP libraries do.
struct Farewell {
    file: runtime::disk::File,
    stream: TcpStream,
    said: Arc<Mutex<Vec<bool>>>,
    _held: Arc<()>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        drop(runtime::spawn("farewell", std::future::pending::<()>()));
        assert_ne!(runtime::entropy::u64("farewell"), runtime::entropy::u64("farewell"));
        let context = &mut Context::from_waker(Waker::noop());
        let written = Pin::new(&mut self.stream).poll_write(context, b"bye");
        let (file, stream) = (self.file.write(0, b"late").is_ok(), matches!(written, Poll::Ready(Ok(_))));
        self.said.lock().expect("nobody panics with it").extend([file, stream]);
    }
}

type Said = Arc<Mutex<Vec<bool>>>;

/// Boots a server that holds a farewell for its one client, for ever.
fn boot_farewell(node: &Node, held: &Arc<()>, said: &Said) {
    let (held, said) = (Arc::clone(held), Arc::clone(said));
    node.boot(move || {
        let (held, said) = (Arc::clone(&held), Arc::clone(&said));
        async move {
            let file = runtime::disk::blocking(|| runtime::disk::open(Path::new("store"))).await;
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 7).into()).await.expect("a free port");
            let (stream, _) = listener.accept().await.expect("it listens");
            let _farewell = Farewell { file: file.expect("nobody holds it"), stream, said, _held: held };
            std::future::pending::<()>().await;
        }
    });
}

#[test]
fn nothing_of_a_run_outlives_it() {
    let (held, said) = (Arc::new(()), Said::default());
    let (of_main, told) = (Arc::clone(&held), Arc::clone(&said));
    let ended = Second::seed(1).run(async move |world: World| {
        boot_farewell(&world.node("server"), &of_main, &told);
        let of_script = Arc::clone(&of_main);
        drop(world.spawn("waits", async move {
            std::future::pending::<()>().await;
            drop(of_script);
        }));
        world.sleep(SECOND).await;
        let stream = connect("server").await.unwrap();
        world.sleep(SECOND).await;
        std::mem::forget(stream); // a peer that is still there
    });
    ended.unwrap();
    assert_eq!(Arc::strong_count(&held), 1, "what was pending is dropped");
    assert_eq!(*said.lock().unwrap(), [false, false], "and finds files and streams that refuse");
}

#[test]
fn a_destructor_that_panics_fails_the_run_and_not_the_process() {
    for killed in [false, true] {
        let failed = Second::seed(1).run(async move |world: World| {
            let node = world.node("node");
            node.boot(|| async {
                let _bad = Bad;
                std::future::pending::<()>().await;
            });
            world.sleep(SECOND).await;
            if killed {
                node.kill();
                world.sleep(SECOND).await;
            }
        });
        let text = failed.unwrap_err().to_string();
        assert!(text.starts_with("madsim, seed 0x1: it does not want to go"), "{text}");
    }
}

struct Bad;

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("it does not want to go");
    }
}

#[test]
fn a_killed_process_says_nothing_more() {
    let said = Said::default();
    let told = Arc::clone(&said);
    let heard = Second::seed(1).run(async move |world: World| {
        let server = world.node("server");
        boot_farewell(&server, &Arc::default(), &told);
        world.sleep(SECOND).await;
        let mut stream = connect("server").await.unwrap();
        world.sleep(SECOND).await;
        server.kill();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        String::from_utf8(heard).unwrap()
    });
    assert_eq!(heard.unwrap(), "");
    assert_eq!(*said.lock().unwrap(), [false, false]);
}

#[test]
fn a_run_that_fails_says_why() {
    let stuck = Second::seed(3).run(async |_| std::future::pending::<()>().await);
    assert!(matches!(stuck, Err(Failed::Stuck { seed: 3 })), "{stuck:?}");
    let panicked = Second::seed(3).run(async |world: World| {
        let node = world.node("node");
        node.boot(|| async { panic!("out of luck") });
        world.sleep(SECOND).await;
    });
    let text = panicked.unwrap_err().to_string();
    assert!(text.starts_with("madsim, seed 0x3: out of luck"), "{text}");
    let refused = Second::seed(3).run(async |world: World| world.node("script").kill());
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("the node \"script\" is the script's own"), "{text}");
}

#[test]
fn a_run_that_does_not_end_is_ended() {
    let goes_on = async |world: World| -> () {
        loop {
            world.sleep(SECOND).await;
        }
    };
    let late = Second::seed(3).limit(60 * SECOND).run(goes_on).unwrap_err();
    assert_eq!(late, Failed::TimeLimit { seed: 3, limit: 60 * SECOND });
    let spins = async |world: World| {
        drop(runtime::spawn("spins", async {
            loop {
                tokio::task::yield_now().await;
            }
        }));
        world.sleep(SECOND).await;
    };
    let spinning = Second::seed(3).run(spins).unwrap_err();
    assert!(matches!(spinning, Failed::Spinning { task: "spins", .. }), "{spinning}");
}
