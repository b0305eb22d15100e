//! Short constructors of ids for tests.

use protocol::id::{ActorId, GatewayId, RequestId, RunnerId};

/// The actor with this number; its short `Debug` is the number.
pub(crate) fn actor(number: u8) -> ActorId {
    let mut entropy = [0; 16];
    entropy[0] = number;
    ActorId::from_entropy(entropy)
}

/// The runner with this number.
pub(crate) fn runner(number: u8) -> RunnerId {
    let mut entropy = [0; 16];
    entropy[0] = number;
    RunnerId::from_entropy(entropy)
}

/// The gateway of every request in these tests.
pub(crate) const GATEWAY: GatewayId = GatewayId([0, 0, 0, 1]);

/// The request id with this number.
pub(crate) const fn request(number: u32) -> RequestId {
    RequestId::from_u32(number)
}
