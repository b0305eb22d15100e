//! Short ids that the runner protocol carries in every tunnel message, and the generation of an actor.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The gateway a tunnel message belongs to: four raw bytes on the wire, unique among the gateways of one engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GatewayId(pub [u8; 4]);

/// A request or WebSocket session within its gateway: four raw bytes on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub [u8; 4]);

/// Counts the starts of one actor. Whatever carries an older one is stale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation(pub u32);

impl GatewayId {
    /// The number as the wire spells it, low byte first.
    pub const fn from_u32(number: u32) -> Self {
        Self(number.to_le_bytes())
    }

    /// The number behind the four bytes.
    pub const fn to_u32(self) -> u32 {
        u32::from_le_bytes(self.0)
    }
}

impl RequestId {
    /// The number as the wire spells it, low byte first.
    pub const fn from_u32(number: u32) -> Self {
        Self(number.to_le_bytes())
    }

    /// The number behind the four bytes.
    pub const fn to_u32(self) -> u32 {
        u32::from_le_bytes(self.0)
    }
}

impl Generation {
    /// The generation of an actor's first start. A decoded frame may hold any number: Rivet's own engine counts from 0.
    pub const FIRST: Self = Self(1);

    /// The generation after this one.
    ///
    /// # Panics
    /// At 2³² starts of one actor, which at the shortest reschedule takes centuries.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("an actor starts fewer than 2^32 times"))
    }
}

impl fmt::Debug for GatewayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gw:{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rq:{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}", self.0)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_agree() {
        assert_eq!(GatewayId([0x50, 0xeb, 0xa0, 0xd6]).to_u32(), 0xd6a0_eb50);
        assert_eq!(RequestId::from_u32(7), RequestId([7, 0, 0, 0]));
        assert_eq!(format!("{:?}", GatewayId([0x50, 0xeb, 0xa0, 0xd6])), "gw:50eba0d6");
    }

    #[test]
    fn generations_count_from_one() {
        assert_eq!(format!("{:?}", Generation::FIRST), "g1");
        assert_eq!(Generation::FIRST.next(), Generation(2));
    }
}
