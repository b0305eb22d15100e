//! Two nodes, an echo, a partition: what arrives late arrives whole.

use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn echo() {
    let listener = TcpListener::bind(([0; 4], 7).into()).await.expect("the port is free");
    while let Ok((mut stream, _)) = listener.accept().await {
        drop(runtime::spawn("echo", async move {
            let (mut from, mut to) = tokio::io::split(&mut stream);
            tokio::io::copy(&mut from, &mut to).await
        }));
    }
}

async fn script(world: World) -> Result<Duration, std::io::Error> {
    let (server, here) = (world.node("server"), world.node("script"));
    server.boot(echo);
    world.sleep(Duration::from_millis(1)).await; // it boots
    let mut stream = TcpStream::connect((server.ip(), 7).into()).await?;
    world.partition(&here, &server);
    stream.write_all(b"are you there?").await?;
    let mut answer = [0; 14];
    let early = world.within(Duration::from_secs(30), stream.read_exact(&mut answer)).await;
    assert!(early.is_none(), "nothing passes a partition");
    world.heal(&here, &server);
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"are you there?");
    Ok(world.elapsed())
}

fn main() -> Result<(), std::io::Error> {
    for seed in 0..5 {
        let report = Sim::seed(seed).run(script);
        println!("seed {seed}: digest {:032x}", report.digest);
        println!("  answered after {:?} of virtual time", report.expect_ok()?);
    }
    Ok(())
}
