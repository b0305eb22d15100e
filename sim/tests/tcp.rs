//! TCP as a socket shows it: both ends of a connection, in all the ways it can end.

use std::net::SocketAddr;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Node, Options, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

fn run<T: Send + 'static, Fut: Future<Output = T> + 'static>(
    seed: u64,
    script: impl FnOnce(World) -> Fut + Send,
) -> T {
    Sim::new(Options::seed(seed)).run(script).expect_ok()
}

/// A node that accepts connections on port 80 and hands each to `serve`.
fn server<F, Fut>(world: &World, serve: F) -> Node
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
    node
}

async fn connect(name: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(runtime::resolve(name, 80).await?[0]).await
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 1000];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[test]
fn an_echo_comes_back_whole_in_pieces() {
    for seed in 0..50 {
        run(seed, async |world| {
            server(&world, echo);
            world.sleep(SECOND).await;
            let mut stream = connect("server").await.unwrap();
            let sent: Vec<u8> = (0..5000u32).map(|n| n as u8).collect();
            stream.write_all(&sent).await.unwrap();
            let mut got = vec![0; sent.len()];
            stream.read_exact(&mut got).await.unwrap();
            assert_eq!(got, sent);
            assert_eq!(stream.peer_addr().unwrap().to_string(), "10.0.0.1:80");
        });
    }
}
