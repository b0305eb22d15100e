//! Decisions: everything a run leaves open, each with a name, an ordinal and a bound.
//!
//! A decision's value is a hash of (seed, stream, ordinal), so a draw added in one stream moves no other. Streams are
//! named by what they decide; a name is hashed once, when the stream is first used, and a draw from then on costs a
//! multiplication or two. An override pins one decision; any override is valid, since its value is taken modulo the
//! bound. Next: `stream` is the public face of one stream.

use std::collections::BTreeMap;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Values pinned by (stream, ordinal). Any set is valid; those that met no decision are reported after the run.
pub type Overrides = BTreeMap<String, BTreeMap<u64, u64>>;

/// From a moment on, another seed decides: everything before it is the run of the first seed, to the last event, and
/// every decision at that moment or later is hashed from the other one. Overrides hold throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Branch {
    /// Virtual time.
    pub at: Duration,
    /// The seed from then on.
    pub seed: u64,
}

/// A decision's value outside of a run: for those who decide which runs there are. Below `bound`, which is above zero.
///
/// # Panics
/// If `bound` is zero.
#[must_use]
pub fn decision(seed: u64, stream: &str, ordinal: u64, bound: u64) -> u64 {
    assert!(bound > 0, "a decision among nothing in {stream}");
    scale(mix(key(seed, stream), ordinal), bound)
}

/// One decision as it fell.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// What is decided.
    pub stream: String,
    /// The how-manieth decision of that stream, from zero.
    pub ordinal: u64,
    /// Among how many: the value is below it. Zero stands for all 64-bit values.
    pub bound: u64,
    /// What was decided.
    pub value: u64,
}

/// An override that met no decision.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unmatched {
    /// The stream it names.
    pub stream: String,
    /// The ordinal it names.
    pub ordinal: u64,
}

/// A stream's number inside its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) u32);

/// What a draw touches.
struct State {
    key: u64,
    next: u64,
    pinned: bool,
}

/// All streams of a world.
pub(crate) struct Decisions {
    seed: u64,
    streams: Vec<State>,
    names: Vec<String>,
    by_name: BTreeMap<String, StreamId>,
    overrides: Overrides,
    record: Option<Vec<Recorded>>,
    recorded_max: usize,
    total: u64,
}

struct Recorded {
    stream: StreamId,
    ordinal: u64,
    bound: u64,
    value: u64,
}

impl Decisions {
    pub(crate) fn new(seed: u64, overrides: Overrides, recorded_max: usize) -> Self {
        Self {
            seed,
            streams: Vec::new(),
            names: Vec::new(),
            by_name: BTreeMap::new(),
            overrides,
            record: (recorded_max > 0).then(Vec::new),
            recorded_max,
            total: 0,
        }
    }

    /// The stream of that name, begun if it is new.
    pub(crate) fn stream(&mut self, name: &str) -> StreamId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = StreamId(u32::try_from(self.streams.len()).expect("fewer than 2^32 streams"));
        let pinned = self.overrides.contains_key(name);
        self.streams.push(State { key: key(self.seed, name), next: 0, pinned });
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), id);
        id
    }

    pub(crate) fn name(&self, id: StreamId) -> &str {
        &self.names[id.0 as usize]
    }

    /// From here on another seed decides, in every stream that there is or will be.
    pub(crate) fn branch(&mut self, seed: u64) {
        self.seed = seed;
        for (stream, name) in self.streams.iter_mut().zip(&self.names) {
            stream.key = key(seed, name);
        }
    }

    /// How many decisions fell.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// A value below `bound`, which is above zero.
    pub(crate) fn draw(&mut self, id: StreamId, bound: u64) -> u64 {
        assert!(bound > 0, "a decision among nothing in {}", self.name(id));
        self.take(id, bound)
    }

    /// Any 64-bit value.
    pub(crate) fn draw_word(&mut self, id: StreamId) -> u64 {
        self.take(id, 0)
    }

    #[inline]
    fn take(&mut self, id: StreamId, bound: u64) -> u64 {
        let stream = &mut self.streams[id.0 as usize];
        let ordinal = stream.next;
        stream.next += 1;
        self.total += 1;
        let word = mix(stream.key, ordinal);
        let hashed = if bound == 0 { word } else { scale(word, bound) };
        let value = if stream.pinned { self.pin(id, ordinal, bound).unwrap_or(hashed) } else { hashed };
        if let Some(record) = &mut self.record
            && record.len() < self.recorded_max
        {
            record.push(Recorded { stream: id, ordinal, bound, value });
        }
        value
    }

    #[cold]
    fn pin(&self, id: StreamId, ordinal: u64, bound: u64) -> Option<u64> {
        let pinned = *self.overrides.get(self.name(id))?.get(&ordinal)?;
        Some(pinned.checked_rem(bound).unwrap_or(pinned))
    }

    /// The overrides that met no decision so far.
    pub(crate) fn unmatched(&self) -> Vec<Unmatched> {
        let mut left = Vec::new();
        for (stream, pins) in &self.overrides {
            let drawn = self.by_name.get(stream).map_or(0, |id| self.streams[id.0 as usize].next);
            for ordinal in pins.keys().filter(|ordinal| **ordinal >= drawn) {
                left.push(Unmatched { stream: stream.clone(), ordinal: *ordinal });
            }
        }
        left
    }

    /// What was recorded, in the order it fell.
    pub(crate) fn recorded(&self) -> Vec<Decision> {
        let record = self.record.as_deref().unwrap_or_default();
        record
            .iter()
            .map(|each| Decision {
                stream: self.name(each.stream).to_owned(),
                ordinal: each.ordinal,
                bound: each.bound,
                value: each.value,
            })
            .collect()
    }
}

/// A stream's key.
fn key(seed: u64, name: &str) -> u64 {
    xxh3_64_with_seed(name.as_bytes(), seed)
}

/// Below the bound: the high half of the product, even over the bound, without a division.
const fn scale(word: u64, bound: u64) -> u64 {
    ((word as u128 * bound as u128) >> 64) as u64
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014) over the stream's key advanced by the ordinal: a bijection of the
/// ordinal, so a stream never repeats within 2^64 draws.
const fn mix(key: u64, ordinal: u64) -> u64 {
    let mut word = key.wrapping_add(ordinal.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(overrides: Overrides) -> Decisions {
        Decisions::new(7, overrides, 100)
    }

    #[test]
    fn a_draw_elsewhere_moves_nothing() {
        let mut alone = decisions(Overrides::new());
        let mut crowded = decisions(Overrides::new());
        let lone = alone.stream("latency/a");
        crowded.stream("unrelated");
        let noise = crowded.stream("noise");
        let same = crowded.stream("latency/a");
        for _ in 0..100 {
            crowded.draw(noise, 10);
            assert_eq!(alone.draw(lone, 1000), crowded.draw(same, 1000));
        }
    }

    #[test]
    fn values_stay_below_the_bound_and_reach_all_of_it() {
        let mut decisions = decisions(Overrides::new());
        let stream = decisions.stream("die");
        let mut seen = [0u32; 6];
        for _ in 0..6000 {
            seen[decisions.draw(stream, 6) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }

    #[test]
    fn overrides_pin_and_the_unmatched_are_named() {
        let pins = BTreeMap::from([(1, 13), (99, 0)]);
        let mut decisions = decisions(Overrides::from([
            ("pick".to_owned(), pins),
            ("nobody".to_owned(), BTreeMap::from([(0, 0)])),
        ]));
        let stream = decisions.stream("pick");
        decisions.draw(stream, 10);
        assert_eq!(decisions.draw(stream, 10), 3, "13 modulo 10");
        let left = decisions.unmatched();
        let left: Vec<_> = left.iter().map(|each| (each.stream.as_str(), each.ordinal)).collect();
        assert_eq!(left, [("nobody", 0), ("pick", 99)]);
        assert_eq!(decisions.recorded()[1].value, 3);
    }
}
