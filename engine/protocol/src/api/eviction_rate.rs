//! The rate at which actors leave a draining runner.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Actors a second: finite and above zero. Kept as the bits of its number, so that a configuration can be compared and
/// hashed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvictionRate(u64);

crate::api::schema::number!(EvictionRate, Number, "actors a second, above 0");

impl EvictionRate {
    /// Takes a rate; none if it is not finite or not above zero.
    pub fn new(actors_per_second: f64) -> Option<Self> {
        let sound = actors_per_second.is_finite() && actors_per_second > 0.0;
        sound.then_some(Self(actors_per_second.to_bits()))
    }

    /// The rate in actors a second.
    pub const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Default for EvictionRate {
    /// One a second, Rivet's default.
    fn default() -> Self {
        Self(1.0_f64.to_bits())
    }
}

impl fmt::Debug for EvictionRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.get())
    }
}

impl Serialize for EvictionRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de> Deserialize<'de> for EvictionRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rate = f64::deserialize(deserializer)?;
        Self::new(rate).ok_or_else(|| serde::de::Error::custom("a rate must be finite and above zero"))
    }
}
