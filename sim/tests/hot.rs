//! The hot path of a world allocates nothing: a warm echo, a warm ping-pong of tasks and warm timers, counted by the
//! allocator. (It takes no lock and makes no system call either; what little the host's clock does is in `host`.)

#![expect(unsafe_code, reason = "a counting allocator is an unsafe interface")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Latency, Network, Options, Ratio, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

thread_local! {
    /// Allocations of this thread. A run has a thread of its own.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    COUNT.with(|count| count.set(count.get() + 1));
}

// SAFETY: all of it is the system's allocator; the counter neither allocates nor has a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(place, layout) }
    }
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    COUNT.with(Cell::get)
}

/// So many rounds before it counts, and so many that it counts.
const WARM: usize = 2_000;
const COUNTED: usize = 20_000;

/// What the counted rounds of `script` allocate, with partial reads and writes and spread latencies.
fn counted<F, Fut>(script: F) -> u64
where
    F: FnOnce(World) -> Fut + Send,
    Fut: Future<Output = u64> + 'static,
{
    let latency = Latency::Uniform(Duration::from_micros(100), Duration::from_millis(1));
    let net = Network { latency, partial: Ratio::new(1, 8), ..Network::default() };
    Sim::new(Options { net, ..Options::seed(1) }).run(script).expect_ok()
}

async fn echo(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.expect("the node is up");
    let mut buffer = [0; 8_192];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        stream.write_all(&buffer[..count]).await.expect("the client lives");
    }
}

/// Echoes of so many bytes.
async fn echoes(world: World, bytes: usize, rounds: usize) -> u64 {
    let server = world.node("server");
    server.boot(|| async {
        echo(TcpListener::bind(([0; 4], 80).into()).await.expect("port 80 is free")).await;
    });
    world.sleep(Duration::from_millis(1)).await;
    let mut stream = TcpStream::connect((server.ip(), 80).into()).await.expect("it listens");
    let (question, mut answer) = (vec![7; bytes], vec![0; bytes]);
    let mut before = 0;
    for round in 0..WARM + rounds {
        if round == WARM {
            before = allocations();
        }
        stream.write_all(&question).await.expect("the server lives");
        stream.read_exact(&mut answer).await.expect("the server lives");
    }
    allocations() - before
}

#[test]
fn a_warm_echo_allocates_nothing() {
    assert_eq!(counted(|world| echoes(world, 64, COUNTED)), 0);
}

#[test]
fn a_warm_echo_of_many_segments_allocates_nothing() {
    assert_eq!(counted(|world| echoes(world, 8_000, COUNTED / 10)), 0);
}

#[test]
fn a_warm_stream_against_back_pressure_allocates_nothing() {
    let counted = counted(async |world: World| {
        let server = world.node("server");
        server.boot(|| async {
            let listener = TcpListener::bind(([0; 4], 80).into()).await.expect("port 80 is free");
            let (mut stream, _) = listener.accept().await.expect("the node is up");
            let mut buffer = [0; 4_096];
            while stream.read(&mut buffer).await.expect("the client lives") > 0 {
                runtime::sleep(Duration::from_millis(1)).await;
            }
        });
        world.sleep(Duration::from_millis(1)).await;
        let mut stream = TcpStream::connect((server.ip(), 80).into()).await.expect("it listens");
        let bytes = vec![7; 10_000];
        let mut before = 0;
        for round in 0..3_000 {
            if round == 1_000 {
                before = allocations();
            }
            stream.write_all(&bytes).await.expect("the server lives");
        }
        allocations() - before
    });
    assert_eq!(counted, 0);
}

#[test]
fn warm_tasks_that_wake_each_other_allocate_nothing() {
    let counted = counted(async |world: World| {
        let (ping, mut pinged) = mpsc::channel::<usize>(1);
        let (pong, mut ponged) = mpsc::channel::<usize>(1);
        let _other = world.spawn("other", async move {
            while let Some(ball) = pinged.recv().await {
                pong.send(ball + 1).await.expect("the first one plays on");
            }
        });
        let mut before = 0;
        for round in 0..WARM + COUNTED {
            if round == WARM {
                before = allocations();
            }
            ping.send(round).await.expect("the other plays on");
            assert_eq!(ponged.recv().await, Some(round + 1));
        }
        allocations() - before
    });
    assert_eq!(counted, 0);
}

#[test]
fn warm_timers_allocate_nothing() {
    let counted = counted(async |world: World| {
        let mut before = 0;
        for round in 0..WARM + COUNTED {
            if round == WARM {
                before = allocations();
            }
            let bounded = runtime::timeout(Duration::from_secs(1), runtime::sleep(Duration::from_micros(3)));
            bounded.await.expect("it is shorter");
            world.sleep(Duration::from_micros(2)).await;
        }
        allocations() - before
    });
    assert_eq!(counted, 0);
}
