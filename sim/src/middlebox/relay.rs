//! One connection of a proxy: two sockets, a flow each way, and what ends it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use runtime::{Sleep, TcpStream};

use crate::effects::Effect;
use crate::middlebox::felt::felt;
use crate::middlebox::flow::{Broken, Flow};
use crate::middlebox::{Goodbye, Heading, Rules};

/// How it ended.
enum End {
    /// Both ways, in order.
    Over,
    Idle(Goodbye),
    Broken(Broken),
}

/// One connection.
pub(super) struct Relay {
    client: TcpStream,
    server: TcpStream,
    up: Flow,
    down: Flow,
    idle: Option<Idle>,
}

/// Nothing has moved since a moment.
struct Idle {
    after: Duration,
    goodbye: Goodbye,
    timer: Pin<Box<Sleep>>,
}

impl Relay {
    pub(super) fn new(client: TcpStream, server: TcpStream, rules: Rules) -> Self {
        let flow = |heading: Heading| Flow::new(rules.hold[heading as usize], rules.carry[heading as usize]);
        let idle = rules.idle.map(|(after, goodbye)| {
            let timer = Box::pin(runtime::sleep(after));
            Idle { after, goodbye, timer }
        });
        Self { client, server, up: flow(Heading::Up), down: flow(Heading::Down), idle }
    }

    /// Carries until either both ways have ended or something ends both.
    pub(super) async fn run(mut self) {
        match poll_fn(|context| self.poll(context)).await {
            End::Over => {}
            End::Idle(goodbye) => {
                felt(Effect::IdleClosed);
                match goodbye {
                    Goodbye::Fin => {}
                    Goodbye::Reset => self.reset(),
                }
            }
            End::Broken(Broken::Carried) => {
                felt(Effect::CarriedTooMuch);
                self.reset();
            }
            End::Broken(Broken::Socket) => self.reset(),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let Self { client, server, up, down, idle } = self;
        let moved =
            up.poll(context, client, server).and_then(|up| Ok(up | down.poll(context, server, client)?));
        let moved = match moved {
            Ok(moved) => moved,
            Err(broken) => return Poll::Ready(End::Broken(broken)),
        };
        if up.is_over() && down.is_over() {
            return Poll::Ready(End::Over);
        }
        let Some(idle) = idle else { return Poll::Pending };
        if moved {
            idle.timer.as_mut().reset(runtime::now() + idle.after);
        }
        idle.timer.as_mut().poll(context).map(|()| End::Idle(idle.goodbye))
    }

    fn reset(self) {
        reset(self.client);
        reset(self.server);
    }
}

/// Closes a socket by RST.
pub(super) fn reset(socket: TcpStream) {
    // One that cannot be told so is closed by FIN; a socket that is open takes it.
    drop(socket.set_linger(Some(Duration::ZERO)));
    drop(socket);
}
