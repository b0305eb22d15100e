//! The hot path of a world allocates nothing and makes no system call: a warm echo, a warm ping-pong of tasks and warm
//! timers. The allocator counts; of system calls the kernel kills the first one (seccomp, in a process of its own).
//!
//! So nothing of it ever waits for a lock either, which is a `futex` call. `sim` has none there (a world is `Rc`, `Cell`
//! and `RefCell` on one thread); madsim's clock, which is pushed when time moves, and tokio's channels have one each,
//! which nobody else holds.

#![expect(unsafe_code, reason = "a counting allocator and a system call filter are unsafe interfaces")]

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

/// The warm part begins: allocations until then.
fn begin() -> u64 {
    #[cfg(target_os = "linux")]
    sealed::begin();
    allocations()
}

/// It has ended: allocations of it.
fn end(before: u64) -> u64 {
    let counted = allocations() - before;
    #[cfg(target_os = "linux")]
    sealed::end();
    counted
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
            before = begin();
        }
        stream.write_all(&question).await.expect("the server lives");
        stream.read_exact(&mut answer).await.expect("the server lives");
    }
    end(before)
}

fn echo_of_a_segment() -> u64 {
    counted(|world| echoes(world, 64, COUNTED))
}

fn echo_of_many_segments() -> u64 {
    counted(|world| echoes(world, 8_000, COUNTED / 10))
}

fn back_pressure() -> u64 {
    counted(async |world: World| {
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
                before = begin();
            }
            stream.write_all(&bytes).await.expect("the server lives");
        }
        end(before)
    })
}

fn tasks() -> u64 {
    counted(async |world: World| {
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
                before = begin();
            }
            ping.send(round).await.expect("the other plays on");
            assert_eq!(ponged.recv().await, Some(round + 1));
        }
        end(before)
    })
}

fn timers() -> u64 {
    counted(async |world: World| {
        let mut before = 0;
        for round in 0..WARM + COUNTED {
            if round == WARM {
                before = begin();
            }
            let bounded = runtime::timeout(Duration::from_secs(1), runtime::sleep(Duration::from_micros(3)));
            bounded.await.expect("it is shorter");
            world.sleep(Duration::from_micros(2)).await;
        }
        end(before)
    })
}

#[test]
fn a_warm_echo_allocates_nothing() {
    assert_eq!(echo_of_a_segment(), 0);
}

#[test]
fn a_warm_echo_of_many_segments_allocates_nothing() {
    assert_eq!(echo_of_many_segments(), 0);
}

#[test]
fn a_warm_stream_against_back_pressure_allocates_nothing() {
    assert_eq!(back_pressure(), 0);
}

#[test]
fn warm_tasks_that_wake_each_other_allocate_nothing() {
    assert_eq!(tasks(), 0);
}

#[test]
fn warm_timers_allocate_nothing() {
    assert_eq!(timers(), 0);
}

/// Processes that the kernel kills at their first system call.
#[cfg(target_os = "linux")]
mod sealed {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{back_pressure, counted, echo_of_a_segment, echo_of_many_segments, tasks, timers};

    /// Tells a process what to run.
    const SCRIPT: &str = "HOT_SCRIPT";
    /// It ended without a system call.
    const CLEAN: i32 = 40;
    /// The kernel takes no filter.
    const UNABLE: i32 = 41;

    /// The process is one that is to be sealed.
    static SEALS: AtomicBool = AtomicBool::new(false);

    /// A name, and what counts the allocations of its warm part.
    type Script = (&'static str, fn() -> u64);

    const SCRIPTS: [Script; 6] = [
        ("echo", echo_of_a_segment),
        ("many segments", echo_of_many_segments),
        ("back-pressure", back_pressure),
        ("tasks", tasks),
        ("timers", timers),
        ("a call", || {
            counted(async |_world| {
                let before = super::begin();
                // SAFETY: it takes nothing and gives a number.
                unsafe { libc::syscall(libc::SYS_getppid) };
                super::end(before)
            })
        }),
    ];

    /// From here on this thread may make one system call, which ends the process.
    pub(super) fn begin() {
        if !SEALS.load(Ordering::Relaxed) {
            return;
        }
        let exit = u32::try_from(libc::SYS_exit_group).expect("numbers of system calls are small");
        let step = |code: u32, jt, jf, k| libc::sock_filter {
            code: u16::try_from(code).expect("codes have 16 bits"),
            jt,
            jf,
            k,
        };
        let mut filter = [
            step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0), // the number of the call
            step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, exit),
            step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
            step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        ];
        let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
        // SAFETY: the program points to four steps, which outlive the call.
        let refused = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                || libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) != 0
        };
        if refused {
            leave(UNABLE);
        }
    }

    pub(super) fn end() {
        if SEALS.load(Ordering::Relaxed) {
            leave(CLEAN);
        }
    }

    fn leave(code: i32) -> ! {
        // SAFETY: nothing of this process is of use to anybody any more.
        unsafe { libc::_exit(code) }
    }

    fn run(name: &str) -> ExitStatus {
        let own = std::env::current_exe().expect("a test knows its own path");
        let mut child = Command::new(own);
        child.args(["--exact", "sealed::what_is_warm_makes_no_system_call"]).env(SCRIPT, name);
        child.status().expect("it starts")
    }

    #[test]
    fn what_is_warm_makes_no_system_call() {
        if let Ok(name) = std::env::var(SCRIPT) {
            SEALS.store(true, Ordering::Relaxed);
            let (_, script) = SCRIPTS.into_iter().find(|(each, _)| *each == name).expect("a script");
            panic!("{name} came to its end: {}", script());
        }
        for (name, _) in SCRIPTS {
            let status = run(name);
            match (name, status.code()) {
                (_, Some(UNABLE)) => {
                    return eprintln!("system calls are not counted: seccomp is not to be had");
                }
                ("a call", _) => assert_eq!(status.signal(), Some(libc::SIGSYS), "{name}: {status}"),
                (_, _) => assert_eq!(status.code(), Some(CLEAN), "{name}: {status}"),
            }
        }
    }
}
