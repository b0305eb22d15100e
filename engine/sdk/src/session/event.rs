//! What a session hears, from its socket and from its instances, and what it tells its owner.

use std::time::Duration;

use machines::runner::effect::EndReason;
use machines::runner::input::CloseClass;
use protocol::id::{ActorId, ConnId, Generation, RunnerId};
use protocol::wire::ToClient;
use tokio::sync::OwnedSemaphorePermit;

use crate::instance::Said;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A socket is open.
    Dialled { conn: ConnId },
    /// A socket is gone, or could not be opened; the last event of it.
    Closed { conn: ConnId, class: CloseClass },
    /// The engine said something; none if it does not decode. The permit is given back when it was dealt with, which
    /// is what holds the reader back.
    Heard { conn: ConnId, message: Option<Box<ToClient>>, permit: OwnedSemaphorePermit },
    /// An instance said something.
    Said { actor: ActorId, generation: Generation, said: Said },
}

/// What a session's owner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// The engine knows the runner by this id.
    Ready(RunnerId),
    /// The engine says what a stop of an actor may take.
    StopThreshold(Duration),
    /// There was no session for so long that every instance was cut off. It goes on dialling.
    Lost,
    /// It is over.
    Ended(EndReason),
}
