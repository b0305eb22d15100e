//! Digests in JSON: hexadecimal, since JSON's numbers end at 2^53.

/// A digest by itself.
pub(crate) mod one {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(digest: &u128, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&format!("{digest:032x}"))
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        u128::from_str_radix(&text, 16)
            .map_err(|error| de::Error::custom(format!("digest {text:?}: {error}")))
    }
}

/// Checkpoints, as pairs.
pub(crate) mod checkpoints {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use sim::Checkpoint;

    #[derive(Serialize, Deserialize)]
    struct Pair(u64, #[serde(with = "super::one")] u128);

    pub(crate) fn serialize<S: Serializer>(all: &[Checkpoint], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(all.iter().map(|each| Pair(each.events, each.digest)))
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<Checkpoint>, D::Error> {
        let pairs = Vec::<Pair>::deserialize(from)?;
        Ok(pairs.into_iter().map(|Pair(events, digest)| Checkpoint { events, digest }).collect())
    }
}
