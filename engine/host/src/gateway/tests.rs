//! The driver alone, with the test at the ends of its mailboxes.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use machines::gateway::Options;
use protocol::id::{ActorId, Ticket};
use protocol::view::Nobody;
use protocol::wire::Headers;
use tokio::sync::oneshot;

use super::{ClientRequest, Driver, Letter, Wants, mailbox};
use crate::budget::Room;
use crate::control;
use crate::sockets::Sockets;

#[test]
fn it_outlives_the_control_plane() {
    let test = async {
        let (control, inbox) = control::mailbox();
        drop(inbox);
        let (gateway, letters) = mailbox();
        let driver =
            Driver::new(Options::default(), 1, letters, control, Sockets::default(), Arc::new(Nobody));
        let running = runtime::spawn("gateway", driver.run());
        let request = Box::new(ClientRequest {
            actor: ActorId::from_entropy([1; 16]),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: Headers::new(),
            body: Bytes::new(),
            _room: Room::default(),
            wants: Wants::Response { safe: true },
        });
        let (reply, _answer) = oneshot::channel();
        assert!(gateway.send(Letter::Request { ticket: Ticket(1), request, reply }).await);
        for _ in 0..3 {
            let (ask, told) = oneshot::channel();
            assert!(gateway.send(Letter::View(ask)).await);
            let view = told.await.expect("it lives, though the actor's route cannot be asked for");
            assert_eq!(view.waiting, 1);
        }
        drop(gateway);
        running.await.expect("it ends in order when nobody can write to it any more");
    };
    runtime::process::block_on(NonZeroUsize::new(2), test).expect("the tokio world starts");
}
