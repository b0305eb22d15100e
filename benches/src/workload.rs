//! The workloads, written once for every contender. Each ends when all its work is done. Beside: `web`, those that
//! speak HTTP, and `crowd`, the one of many nodes.

mod crowd;
mod web;

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::channel;

use crate::contender::{Contender, fine};

pub use crowd::{CROWD_ECHOES, crowd};
pub use web::{GETS, SSE_PINGS, STREAMS, gets, streams};

/// Tasks that yield, and that play ping-pong.
pub const TASKS: usize = 100;
/// Yields of each task.
pub const YIELDS: usize = 2_000;
/// Messages each pair of tasks sends to and fro.
pub const PINGS: usize = 1_000;
/// Tasks that sleep at one time.
pub const SLEEPERS: u64 = 10_000;
/// Sleeps of each sleeper.
pub const SLEEPS: u64 = 5;
/// Echoes of one connection: so many that the beginning and end of a run do not count, which have a workload of their own.
pub const ECHOES: usize = 10_000;
/// Bytes of an echo.
pub const ECHO_BYTES: usize = 64;
/// Echoes in a run that is mostly beginning and end.
pub const TINY_ECHOES: usize = 10;

/// Spawns the tasks, and ends when all of them have ended.
async fn all_done<C: Contender, F: Future<Output = ()> + Send + 'static>(tasks: impl Iterator<Item = F>) {
    let (sender, mut receiver) = channel::<()>(1);
    for task in tasks {
        let done = sender.clone();
        C::spawn(async move {
            task.await;
            drop(done);
        });
    }
    drop(sender);
    assert!(receiver.recv().await.is_none(), "nobody sends, everybody ends");
}

/// Lets every other ready task go first, once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// [`TASKS`] tasks, each woken [`YIELDS`] times by itself.
pub async fn yields<C: Contender>() {
    all_done::<C, _>((0..TASKS).map(|_| async {
        for _ in 0..YIELDS {
            yield_now().await;
        }
    }))
    .await;
}

/// [`TASKS`] tasks in pairs, a message to and fro [`PINGS`] times.
pub async fn ping_pong<C: Contender>() {
    all_done::<C, _>((0..TASKS / 2).map(|_| {
        let (to, mut there) = channel::<usize>(1);
        let (fro, mut here) = channel::<usize>(1);
        C::spawn(async move {
            while let Some(ball) = there.recv().await {
                if fro.send(ball).await.is_err() {
                    return;
                }
            }
        });
        async move {
            for ball in 0..PINGS {
                to.send(ball).await.expect("the other side plays");
                assert_eq!(here.recv().await, Some(ball));
            }
        }
    }))
    .await;
}

/// [`SLEEPERS`] tasks asleep at one time, each [`SLEEPS`] times, for 1 to 1,000 ms.
pub async fn timers<C: Contender>() {
    all_done::<C, _>((0..SLEEPERS).map(|sleeper| async move {
        for turn in 0..SLEEPS {
            // A multiplier coprime to 1,000 spreads the deadlines; which they are does not matter.
            let millis = 1 + (sleeper * 617 + turn * 331) % 1_000;
            C::sleep(Duration::from_millis(millis)).await;
        }
    }))
    .await;
}

async fn serve_echo<C: Contender>(mut stream: C::Stream) {
    let mut message = [0; ECHO_BYTES];
    while stream.read_exact(&mut message).await.is_ok() {
        fine(stream.write_all(&message).await);
        fine(stream.flush().await);
    }
}

async fn echo_times<C: Contender>(times: usize) {
    let mut stream = C::connect(serve_echo::<C>).await;
    let mut message = [7; ECHO_BYTES];
    for _ in 0..times {
        fine(stream.write_all(&message).await);
        fine(stream.flush().await);
        fine(stream.read_exact(&mut message).await);
    }
}

/// [`ECHOES`] messages of [`ECHO_BYTES`] over one connection, there and back.
pub async fn echo<C: Contender>() {
    echo_times::<C>(ECHOES).await;
}

/// [`TINY_ECHOES`] messages: what a run costs that hardly does anything.
pub async fn tiny<C: Contender>() {
    echo_times::<C>(TINY_ECHOES).await;
}
