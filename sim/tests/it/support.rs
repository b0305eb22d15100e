//! What the tests share: a server that hands each connection to a function, clients for it, processes that do one thing,
//! and counts of what was felt.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Effect, Latency, Network, Node, Options, Ratio, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
/// What a writer can write whose reader reads nothing: its send buffer and the receive window.
pub(crate) const ROOM: usize = 87_040 + 65_536;
/// How long Linux waits for an acknowledgement before it gives a connection up.
pub(crate) const GIVE_UP: Duration = Duration::from_millis(924_600);

/// Boots `server`, which accepts connections on port 80 and hands each to `serve`, and lets it begin to listen.
pub(crate) async fn server<F, Fut>(world: &World, serve: F) -> Node
where
    F: Fn(TcpStream) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let node = world.node("server");
    node.boot(move || {
        let serve = serve.clone();
        async move {
            let listener = TcpListener::bind(SocketAddr::from(([0; 4], 80))).await.expect("port 80 is free");
            loop {
                let (stream, _) = listener.accept().await.expect("the node is up");
                drop(runtime::spawn("serve", serve(stream)));
            }
        }
    });
    world.sleep(MILLISECOND).await;
    node
}

/// A process that does one thing, and what came of it.
pub(crate) async fn process<T: 'static, Fut: Future<Output = T> + 'static>(
    node: &Node,
    main: impl Fn() -> Fut + Clone + 'static,
) -> T {
    let place = Rc::new(RefCell::new(None));
    let told = Rc::clone(&place);
    node.boot(move || {
        let (told, main) = (Rc::clone(&told), main.clone());
        async move {
            let said = main().await;
            *told.borrow_mut() = Some(said);
        }
    });
    node.ended().await;
    place.take().expect("it ended by itself")
}

/// Connects to port 80.
pub(crate) async fn connect(name: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(runtime::resolve(name, 80).await?[0]).await
}

/// Sends back what comes.
pub(crate) async fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 1000];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// Reads nothing and holds the connection.
pub(crate) async fn hold(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

/// What a read gives: bytes, or the error's kind.
pub(crate) async fn read(stream: &mut TcpStream) -> Result<Vec<u8>, std::io::ErrorKind> {
    let mut buffer = vec![0; 1000];
    let count = stream.read(&mut buffer).await.map_err(|error| error.kind())?;
    buffer.truncate(count);
    Ok(buffer)
}

/// What a write of one byte gives.
pub(crate) async fn write(stream: &mut TcpStream) -> Result<usize, std::io::ErrorKind> {
    stream.write(b"w").await.map_err(|error| error.kind())
}

/// Writes pieces of so many bytes until none of one is taken for so long: how much was taken.
pub(crate) async fn taken(world: &World, stream: &mut TcpStream, piece: usize, patience: Duration) -> usize {
    let (piece, mut taken) = (vec![7; piece], 0);
    while let Some(count) = world.within(patience, stream.write(&piece)).await {
        taken += count.expect("the reader is there");
    }
    taken
}

/// A WebSocket frame of this first byte, masked with `mask` if there is one.
pub(crate) fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(masked | short as u8),
        medium @ 126..=65_535 => {
            frame.push(masked | 126);
            frame.extend((medium as u16).to_be_bytes());
        }
        long => {
            frame.push(masked | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(mask.unwrap_or_default().iter().filter(|_| mask.is_some()));
    let mask = mask.unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// How often an effect was felt.
pub(crate) fn count(world: &World, effect: Effect) -> u64 {
    world.effects().get(&effect).copied().unwrap_or(0)
}

/// One millisecond each way, and nothing partial: for tests of exact moments.
pub(crate) fn plain() -> Options {
    let net =
        Network { latency: Latency::Constant(MILLISECOND), partial: Ratio::NEVER, ..Network::default() };
    Options { net, ..Options::default() }
}

/// Lets others run.
pub(crate) async fn yield_now() {
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
