//! Two nodes, an echo, a partition: what arrives late arrives whole.

use std::{io, time::Duration};

use runtime::{TcpListener, TcpStream};
use sim::{Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};

async fn echo() {
    let listener = TcpListener::bind(([0; 4], 7).into()).await.expect("the port is free");
    let (stream, _) = listener.accept().await.expect("the node is up");
    let (mut from, mut to) = split(stream);
    copy(&mut from, &mut to).await.expect("the client reads");
}

async fn script(world: World) -> io::Result<Duration> {
    let (server, here) = (world.node("server"), world.node("script"));
    server.boot(echo);
    world.sleep(Duration::from_millis(1)).await; // it begins to listen
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

fn main() -> io::Result<()> {
    for seed in 0..5 {
        println!("seed {seed}: answered after {:?}", Sim::seed(seed).run(script).expect_ok()?);
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn what_arrives_late_arrives_whole() {
    for seed in 0..20 {
        let answered = Sim::seed(seed).run(script).expect_ok().expect("the echo comes");
        assert!(answered >= Duration::from_secs(30), "not before the partition healed: {answered:?}");
    }
}
